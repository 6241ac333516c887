import { dataOf } from "./customers.ts";
import type { TestGateway } from "./gateway.ts";

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
