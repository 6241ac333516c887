import { expect, test } from "vitest";
import { schema } from "../../src/graphql/schema.ts";
import type { Scope } from "../../src/access/scopes.ts";
import { openGateway } from "../support/gateway.ts";
import { makeMerchant } from "../support/merchants.ts";

const gateway = await openGateway();
const merchant = await makeMerchant(gateway, "provider", "SANDBOX", "ENHANCED");

/** Who asks for merchants is no bank. */
const BY_PROVIDERS = { bank: "provider", kind: "PROVIDER" } as const;
const ASKED_BY_PROVIDERS = ["customerBanks", "deviceLookup"];

/** Each root field: an operation, and the scopes of which any one suffices. None: any key. */
const NEEDS: Record<string, { operation: string; anyOf: Scope[] }> = {
  viewer: { operation: "{ viewer { mode } }", anyOf: [] },
  node: { operation: `{ node(id: "${crypto.randomUUID()}") { id } }`, anyOf: ["customers:read"] },
  customer: { operation: '{ customer(by: { phrase: "x" }) { id } }', anyOf: ["customers:read"] },
  customers: { operation: "{ customers { nodes { id } } }", anyOf: ["customers:read"] },
  exportCustomerData: {
    operation: `{ exportCustomerData(id: "${crypto.randomUUID()}") { madeAt } }`,
    anyOf: ["customers:read:sensitive"],
  },
  erasedCustomers: { operation: "{ erasedCustomers { nodes { id } } }", anyOf: ["audit:read"] },
  batch: { operation: `{ batch(id: "bat_${crypto.randomUUID()}") { id } }`, anyOf: ["batches:write", "customers:read:extended"] },
  batchProgress: {
    operation: `subscription { batchProgress(id: "bat_${crypto.randomUUID()}") { status } }`,
    anyOf: ["batches:write", "customers:read:extended"],
  },
  batches: { operation: "{ batches { nodes { id } } }", anyOf: ["batches:write", "customers:read:extended"] },
  migrationReport: {
    operation: '{ migrationReport(from: "2026-01-01T00:00:00Z", to: "2026-02-01T00:00:00Z") { figures { batches } } }',
    anyOf: ["batches:write", "customers:read:extended"],
  },
  createCustomer: { operation: "mutation { createCustomer(input: {}) { __typename } }", anyOf: ["customers:write"] },
  updateCustomer: { operation: 'mutation { updateCustomer(input: { id: "x", update: {} }) { __typename } }', anyOf: ["customers:write"] },
  setBlacklist: {
    operation: 'mutation { setBlacklist(input: { id: "x", blacklisted: true }) { __typename } }',
    anyOf: ["customers:blacklist"],
  },
  setConsent: { operation: 'mutation { setConsent(input: { id: "x", consent: null }) { __typename } }', anyOf: ["customers:write"] },
  linkDevice: { operation: 'mutation { linkDevice(input: { id: "x", deviceId: "x" }) { __typename } }', anyOf: ["devices:write"] },
  unlinkDevice: { operation: 'mutation { unlinkDevice(input: { id: "x", deviceId: "x" }) { __typename } }', anyOf: ["devices:write"] },
  eraseCustomer: { operation: 'mutation { eraseCustomer(input: { id: "x" }) { __typename } }', anyOf: ["customers:erase"] },
  customerBanks: { operation: `{ customerBanks(email: "x", entityId: "${merchant}") { phrase } }`, anyOf: ["discovery:read"] },
  deviceLookup: { operation: `{ deviceLookup(deviceId: "x", entityId: "${merchant}") { phrase } }`, anyOf: ["devices:lookup"] },
  apiKeys: { operation: "{ apiKeys { nodes { id } } }", anyOf: ["keys:manage"] },
  explainAccess: { operation: '{ explainAccess(document: "{ viewer { mode } }") { valid } }', anyOf: [] },
  clients: { operation: "{ clients { nodes { name } } }", anyOf: ["documents:publish"] },
  documents: { operation: '{ documents(client: "x") { nodes { hash } } }', anyOf: ["documents:publish"] },
  publishDocuments: {
    operation: 'mutation { publishDocuments(input: { client: "x", documents: [] }) { __typename } }',
    anyOf: ["documents:publish"],
  },
  deprecateDocument: {
    operation: 'mutation { deprecateDocument(input: { client: "x", hash: "x" }) { __typename } }',
    anyOf: ["documents:publish"],
  },
  retireDocument: {
    operation: 'mutation { retireDocument(input: { client: "x", hash: "x" }) { __typename } }',
    anyOf: ["documents:publish"],
  },
  updateClient: { operation: 'mutation { updateClient(input: { client: "x" }) { __typename } }', anyOf: ["documents:publish"] },
  webhookEndpoints: { operation: "{ webhookEndpoints { nodes { id } } }", anyOf: ["webhooks:manage"] },
  webhookDeliveries: { operation: '{ webhookDeliveries(endpointId: "x") { nodes { id } } }', anyOf: ["webhooks:manage"] },
  createWebhookEndpoint: {
    operation: 'mutation { createWebhookEndpoint(input: { url: "x", events: [], visibility: STANDARD }) { __typename } }',
    anyOf: ["webhooks:manage"],
  },
  updateWebhookEndpoint: { operation: 'mutation { updateWebhookEndpoint(input: { id: "x" }) { __typename } }', anyOf: ["webhooks:manage"] },
  deleteWebhookEndpoint: { operation: 'mutation { deleteWebhookEndpoint(input: { id: "x" }) { __typename } }', anyOf: ["webhooks:manage"] },
  rotateWebhookSecret: { operation: 'mutation { rotateWebhookSecret(input: { id: "x" }) { __typename } }', anyOf: ["webhooks:manage"] },
  replayWebhooks: { operation: 'mutation { replayWebhooks(input: { endpointId: "x" }) { __typename } }', anyOf: ["webhooks:manage"] },
  sendWebhookTest: { operation: 'mutation { sendWebhookTest(input: { id: "x" }) { __typename } }', anyOf: ["webhooks:manage"] },
  audit: { operation: "{ audit { nodes { id } } }", anyOf: ["audit:read"] },
  createApiKey: { operation: "mutation { createApiKey(input: { audience: APP, scopes: [] }) { __typename } }", anyOf: ["keys:manage"] },
  revokeApiKey: { operation: 'mutation { revokeApiKey(input: { id: "x" }) { __typename } }', anyOf: ["keys:manage"] },
  rotateApiKey: { operation: 'mutation { rotateApiKey(input: { id: "x" }) { __typename } }', anyOf: ["keys:manage"] },
  merchant: { operation: `{ merchant(id: "mer_${crypto.randomUUID()}") { id } }`, anyOf: ["merchants:write"] },
  merchants: { operation: "{ merchants { nodes { id } } }", anyOf: ["merchants:write"] },
  merchantsBatch: { operation: `{ merchantsBatch(id: "mbt_${crypto.randomUUID()}") { id } }`, anyOf: ["merchants:write"] },
  createMerchantsBatch: {
    operation: "mutation { createMerchantsBatch(input: { merchants: [] }) { __typename } }",
    anyOf: ["merchants:write"],
  },
  setTrustLevel: {
    operation: 'mutation { setTrustLevel(input: { id: "x", trustLevel: BASIC }) { __typename } }',
    anyOf: ["merchants:write"],
  },
  createCustomersBatch: {
    operation: "mutation { createCustomersBatch(input: { customers: [] }) { __typename } }",
    anyOf: ["batches:write"],
  },
};

const rootFields = [schema.getQueryType()!, schema.getMutationType()!, schema.getSubscriptionType()!].flatMap((type) =>
  Object.keys(type.getFields()),
);

test("every root field has a case", () => expect(Object.keys(NEEDS).sort()).toEqual(rootFields.sort()));

test.each(rootFields)("%s needs exactly its scope", async (field) => {
  const { operation, anyOf } = NEEDS[field]!;
  const tenant = ASKED_BY_PROVIDERS.includes(field) ? BY_PROVIDERS : {};
  for (const scope of anyOf) {
    const { body } = await gateway.query(await gateway.key({ ...tenant, scopes: [scope] }), operation);
    expect(body.errors, `with ${scope}`).toBeUndefined();
  }
  // The operator's scope goes with no other, so it stands for a key that has none of these.
  const { status, body } = await gateway.query(await gateway.key({ scopes: ["banks:manage"] }), operation);
  if (anyOf.length === 0) expect(body.errors).toBeUndefined();
  else {
    expect([status, body.errors![0]!.extensions]).toEqual([
      403,
      { code: "FORBIDDEN", requires: expect.stringContaining(anyOf.join(" or ")) },
    ]);
    expect(Object.values(body.data ?? {}).every((value) => value === null)).toBe(true);
  }
});
