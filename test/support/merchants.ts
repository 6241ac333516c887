import type { Mode, TrustLevel } from "../../src/database/generated/enums.ts";
import type { TestGateway } from "./gateway.ts";
import { TEST_KEYRING } from "./config.ts";
import { dataOf } from "./customers.ts";
import { transaction } from "../../src/database/client.ts";
import { type Discoverable, publish } from "../../src/changes/discovery.ts";

/** A valid row of a batch of merchants, distinct for each number. */
export function merchantRow(number: number, changes: Record<string, unknown> = {}) {
  return {
    clientRef: `shop-${number}`,
    name: `Shop ${number}`,
    email: `shop.${number}@example.com`,
    country: "NG",
    reference: `shop-ref-${number}`,
    ...changes,
  };
}

/** Every field of a merchant but the history. */
export const MERCHANT_FIELDS =
  "id name email country phone address state website clientRef reference trustLevel version createdAt updatedAt";

export const MERCHANT_BATCH_FIELDS = /* GraphQL */ `
  id status dryRun replayed createdCount merchantIds createdAt completedAt
  summary { total successful failed duplicates invalidData pending rolledBack }
  failuresInline failures {
    __typename
    ... on BatchItemFailure { index clientRef code message }
    ... on DuplicateInBatch { field firstIndex }
    ... on InvalidData { issues { field message } }
    ... on ExistingCustomer { matchedOn customerId }
    ... on ValidationError { issues { field message } }
  }
`;

export const MERCHANTS_BATCH = /* GraphQL */ `
  mutation ($input: CreateMerchantsBatchInput!) {
    createMerchantsBatch(input: $input) {
      __typename
      ... on MerchantBatchResult { ${MERCHANT_BATCH_FIELDS} }
      ... on Error { code message }
      ... on InvalidBatch { maxRows }
    }
  }
`;

export const SET_TRUST_LEVEL = /* GraphQL */ `
  mutation ($input: SetTrustLevelInput!) {
    setTrustLevel(input: $input) {
      __typename ... on Merchant { id trustLevel version updatedAt } ... on Error { code message } ... on MerchantVersionConflict { currentVersion }
    }
  }
`;

/** What one provider does with its merchants. Each gives what the field holds, and throws what stands in `errors`. */
export function provider(gateway: TestGateway, key: string) {
  const ask = async (document: string, variables: object = {}) => dataOf((await gateway.query(key, document, variables)).body);
  return {
    ask,
    batch: (merchants: unknown[], options: object = {}) => ask(MERCHANTS_BATCH, { input: { merchants, ...options } }),
    trust: (id: string, trustLevel: string, expectedVersion?: number) =>
      ask(SET_TRUST_LEVEL, { input: { id, trustLevel, expectedVersion } }),
    readBatch: (id: string) => ask(`query ($id: ID!) { merchantsBatch(id: $id) { ${MERCHANT_BATCH_FIELDS} } }`, { id }),
    find: (id: string) => ask(`query ($id: ID!) { merchant(id: $id) { ${MERCHANT_FIELDS} } }`, { id }),
    /** A merchant's history, oldest first. */
    history: async (id: string): Promise<any[]> =>
      (
        await ask("query ($id: ID!) { merchant(id: $id) { history(first: 100) { nodes { version type actor trustLevel at } } } }", { id })
      ).history.nodes.toReversed(),
  };
}

const CREATE =
  "mutation ($input: CreateApiKeyInput!) { createApiKey(input: $input) { ... on ApiKeyIssued { key } ... on InvalidApiKey { issues { field message } } } }";

/** A merchant of a provider, by its global id. */
export async function makeMerchant(
  { app }: TestGateway,
  bankId: string,
  mode: Mode = "SANDBOX",
  trustLevel: TrustLevel = "BASIC",
): Promise<string> {
  const id = crypto.randomUUID();
  const at = new Date();
  const unique = { email: `${id}@example.com`, clientRef: id, reference: id };
  await app.services.db.merchant.create({
    data: { bankId, mode, id, name: "Shop", country: "NG", trustLevel, createdAt: at, updatedAt: at, ...unique },
  });
  return `mer_${id}`;
}

/** Sets a merchant's level: its keys have it within a second. */
export async function trust({ app }: TestGateway, merchant: string, trustLevel: TrustLevel): Promise<void> {
  await app.services.db.merchant.updateMany({ where: { id: merchant.slice("mer_".length) }, data: { trustLevel } });
}

/** A key for a merchant, made by its provider's. */
export async function merchantKey(gateway: TestGateway, asKey: string, merchant: string, more: object = {}): Promise<string> {
  const input = {
    merchant,
    audience: "INTERNAL",
    scopes: ["discovery:read", "devices:lookup", "documents:publish", "audit:read"],
    ...more,
  };
  const { key, issues } = dataOf((await gateway.query(asKey, CREATE, { input })).body);
  if (!key) throw new Error(JSON.stringify(issues));
  return key as string;
}

/** Lets merchants find customers of a bank, as a change to them does. */
export async function letFind(
  { app }: TestGateway,
  tenantId: string,
  mode: Mode,
  customers: readonly Partial<Discoverable>[],
): Promise<void> {
  await transaction(app.services.db, (tx) =>
    publish(
      tx,
      TEST_KEYRING,
      { tenantId, mode, keyId: "test" },
      customers.map((one) => ({ customerId: crypto.randomUUID(), phrase: crypto.randomUUID(), consentAt: new Date(), email: "", ...one })),
    ),
  );
}
