import { describe, expect, test } from "vitest";
import { documentHash } from "../../src/documents/register.ts";
import { schema } from "../../src/graphql/schema.ts";
import { batchRow } from "../support/customers.ts";
import { isCounter, openGateway, withoutCost } from "../support/gateway.ts";
import { makeMerchant, merchantKey, merchantRow, trust } from "../support/merchants.ts";

const gateway = await openGateway();
const here = await gateway.key({ bank: "alpha" });
const elsewhere = { bank: await gateway.key({ bank: "beta" }), mode: await gateway.key({ bank: "alpha", mode: "LIVE" }) };
/** Who asks for merchants is no bank. */
const kind = "PROVIDER";
const providers = {
  bank: await gateway.key({ bank: "another-provider", kind }),
  mode: await gateway.key({ bank: "provider", kind, mode: "LIVE" }),
};
const entityId = await makeMerchant(gateway, "provider", "SANDBOX", "ENHANCED");

const created = await gateway.query(
  here,
  `mutation ($input: CreateCustomersBatchInput!) {
    createCustomersBatch(input: $input) { ... on BatchResult { id customers { nodes { id phrase email } } } }
  }`,
  { input: { customers: [batchRow(1)], idempotencyKey: "one" } },
);
const { id: batchId, customers } = created.body.data.createCustomersBatch;
const [customer] = customers.nodes;
const alphaKeyId = here.split("_")[2]!;
const TEXT = "query Who { viewer { mode } }";
await gateway.key({ audience: "PARTNER", client: "alpha-partner", scopes: ["customers:read"] });
await gateway.query(here, "mutation ($input: PublishDocumentsInput!) { publishDocuments(input: $input) { __typename } }", {
  input: { client: "alpha-partner", documents: [{ hash: documentHash(TEXT), text: TEXT }] },
});
const hook = await gateway.query(
  here,
  'mutation { createWebhookEndpoint(input: { url: "https://alpha.example/hooks", events: [CUSTOMER_ERASED], visibility: STANDARD }) { ... on WebhookEndpointIssued { endpoint { id } } } }',
);
const linked = await gateway.query(
  here,
  `mutation { linkDevice(input: { id: "${customer.id}", deviceId: "device-1" }) { ... on Customer { devices { id } } } }`,
);
const endpointId = hook.body.data.createWebhookEndpoint.endpoint.id as string;
const shops = await gateway.query(
  here,
  "mutation ($input: CreateMerchantsBatchInput!) { createMerchantsBatch(input: $input) { ... on MerchantBatchResult { id merchantIds } } }",
  { input: { merchants: [merchantRow(1)], idempotencyKey: "one" } },
);
const { id: merchantsBatchId, merchantIds } = shops.body.data.createMerchantsBatch;
const [merchantId] = merchantIds as [string];
await trust(gateway, merchantId, "ENHANCED");
await merchantKey(gateway, await gateway.key({ bank: "provider", kind }), entityId);
const absent = {
  endpointId: `whe_${crypto.randomUUID()}`,
  keyId: "0123456789abcdef",
  id: crypto.randomUUID(),
  email: "absent@example.com",
  phrase: "no-such-phrase-here",
  batchId: `bat_${crypto.randomUUID()}`,
  device: `dev_${crypto.randomUUID()}`,
  client: "nobody",
  merchantId: `mer_${crypto.randomUUID()}`,
  entityId: `mer_${crypto.randomUUID()}`,
  merchantsBatchId: `mbt_${crypto.randomUUID()}`,
};

/** For each root field, operations that name something of alpha's sandbox; `$` stands for the thing or an absent one. */
type Thing = typeof absent;
const CASES: Record<string, ((thing: Thing) => string)[]> = {
  "Query.viewer": [() => "{ viewer { mode } }"],
  "Query.node": [
    ({ id }) => `{ node(id: "${id}") { id } }`,
    (thing) => `{ node(id: "${thing.batchId}") { id } }`,
    (thing) => `{ node(id: "${thing.merchantId}") { id } }`,
    (thing) => `{ node(id: "${thing.merchantsBatchId}") { id } }`,
    ({ device }) => `{ node(id: "${device}") { id } }`,
  ],
  "Query.customer": [
    ({ id }) => `{ customer(by: { id: "${id}" }) { accountName } }`,
    ({ email }) => `{ customer(by: { email: "${email}" }) { accountName } }`,
    ({ phrase }) => `{ customer(by: { phrase: "${phrase}" }) { accountName } }`,
  ],
  "Query.customers": [
    ({ id }) => `{ customers(filter: { ids: ["${id}"] }) { totalCount nodes { accountName } pageInfo { hasNextPage endCursor } } }`,
    ({ email }) => `{ customers(filter: { emails: ["${email}"] }) { totalCount nodes { accountName } } }`,
    ({ phrase }) => `{ customers(filter: { phrases: ["${phrase}"] }) { totalCount edges { cursor } } }`,
  ],
  "Query.exportCustomerData": [({ id }) => `{ exportCustomerData(id: "${id}") { customerId madeAt categories { name records } } }`],
  "Query.erasedCustomers": [() => "{ erasedCustomers { nodes { id phrase } pageInfo { hasNextPage endCursor } } }"],
  "Query.batch": [(thing) => `{ batch(id: "${thing.batchId}") { status customerIds } }`],
  "Query.batches": [() => "{ batches { nodes { id } } }"],
  "Query.migrationReport": [
    () =>
      `{ migrationReport(from: "2026-01-01T00:00:00Z", to: "2026-02-01T00:00:00Z") { figures { batches rows { total } } byCode { rows } } }`,
  ],
  "Query.customerBanks": [(thing) => `{ customerBanks(email: "a@example.com", entityId: "${thing.entityId}") { bankId phrase } }`],
  "Query.deviceLookup": [(thing) => `{ deviceLookup(deviceId: "a", entityId: "${thing.entityId}") { bankId phrase } }`],
  "Query.apiKeys": [
    () => "{ apiKeys { nodes { audience scopes } } }",
    (thing) => `{ apiKeys(merchant: "${thing.merchantId}") { nodes { id } pageInfo { hasNextPage endCursor } } }`,
  ],
  "Query.explainAccess": [({ keyId }) => `{ explainAccess(document: "{ viewer { mode } }", keyId: "${keyId}") { valid } }`],
  "Query.clients": [() => "{ clients { nodes { access costLimit } } }"],
  "Query.documents": [
    ({ client }) => `{ documents(client: "${client}") { nodes { hash name text uses } pageInfo { hasNextPage endCursor } } }`,
  ],
  "Mutation.publishDocuments": [
    ({ client }) =>
      `mutation { publishDocuments(input: { client: "${client}", documents: [{ hash: "${documentHash(TEXT)}", text: "${TEXT}" }] }) { __typename ... on DocumentsPublished { added } ... on Error { message } } }`,
  ],
  "Mutation.deprecateDocument": [
    ({ client }) =>
      `mutation { deprecateDocument(input: { client: "${client}", hash: "${documentHash(TEXT)}" }) { __typename ... on Error { message } } }`,
  ],
  "Mutation.retireDocument": [
    ({ client }) =>
      `mutation { retireDocument(input: { client: "${client}", hash: "${documentHash(TEXT)}" }) { __typename ... on Error { message } } }`,
  ],
  "Mutation.updateClient": [
    ({ client }) => `mutation { updateClient(input: { client: "${client}", costLimit: 9 }) { __typename ... on Error { message } } }`,
  ],
  "Query.webhookEndpoints": [() => "{ webhookEndpoints { nodes { url } pageInfo { hasNextPage endCursor } } }"],
  "Query.webhookDeliveries": [
    (thing) => `{ webhookDeliveries(endpointId: "${thing.endpointId}") { nodes { type state } pageInfo { hasNextPage endCursor } } }`,
  ],
  "Mutation.createWebhookEndpoint": [
    () =>
      'mutation { createWebhookEndpoint(input: { url: "nowhere", events: [], visibility: STANDARD }) { __typename ... on InvalidWebhookEndpoint { issues { message } } } }',
  ],
  "Mutation.updateWebhookEndpoint": [
    (thing) =>
      `mutation { updateWebhookEndpoint(input: { id: "${thing.endpointId}", enabled: true }) { __typename ... on Error { message } } }`,
  ],
  "Mutation.rotateWebhookSecret": [
    (thing) =>
      `mutation { rotateWebhookSecret(input: { id: "${thing.endpointId}", overlapSeconds: -1 }) { __typename ... on Error { message } } }`,
  ],
  "Mutation.replayWebhooks": [
    (thing) => `mutation { replayWebhooks(input: { endpointId: "${thing.endpointId}", ids: [] }) { __typename ... on Error { message } } }`,
  ],
  "Mutation.sendWebhookTest": [
    (thing) => `mutation { sendWebhookTest(input: { id: "${thing.endpointId}" }) { __typename ... on Error { message } } }`,
  ],
  "Mutation.deleteWebhookEndpoint": [
    (thing) => `mutation { deleteWebhookEndpoint(input: { id: "${thing.endpointId}" }) { __typename ... on Error { message } } }`,
  ],
  "Query.audit": [({ keyId }) => `{ audit(filter: { actors: ["${keyId}"] }) { nodes { id action } pageInfo { hasNextPage endCursor } } }`],
  "Mutation.createApiKey": [
    ({ keyId }) =>
      `mutation { createApiKey(input: { bank: "${keyId === alphaKeyId ? "alpha" : "nowhere"}", mode: SANDBOX, audience: APP, scopes: [] }) { __typename ... on InvalidApiKey { issues { field message } } } }`,
    (thing) =>
      `mutation { createApiKey(input: { merchant: "${thing.merchantId}", audience: APP, scopes: ["audit:read"] }) { __typename ... on InvalidApiKey { issues { field message } } } }`,
  ],
  "Mutation.revokeApiKey": [({ keyId }) => `mutation { revokeApiKey(input: { id: "${keyId}" }) { __typename ... on Error { message } } }`],
  "Mutation.rotateApiKey": [
    ({ keyId }) => `mutation { rotateApiKey(input: { id: "${keyId}", overlapSeconds: 5 }) { __typename ... on Error { message } } }`,
  ],
  "Mutation.createCustomer": [
    // The same e-mail is free elsewhere: a refusal would tell that it is taken here.
    ({ email }) => `mutation { createCustomer(input: { firstname: "A", lastname: "B", country: "NG", email: "${email}" }) { __typename } }`,
  ],
  "Mutation.updateCustomer": [
    ({ id }) =>
      `mutation { updateCustomer(input: { id: "${id}", expectedVersion: 1, update: { state: "X" } }) { __typename ... on Error { message } } }`,
  ],
  "Mutation.setBlacklist": [
    ({ id }) => `mutation { setBlacklist(input: { id: "${id}", blacklisted: true }) { __typename ... on Error { message } } }`,
  ],
  "Mutation.setConsent": [
    ({ id }) => `mutation { setConsent(input: { id: "${id}", consent: null }) { __typename ... on Error { message } } }`,
  ],
  "Mutation.linkDevice": [
    ({ id }) => `mutation { linkDevice(input: { id: "${id}", deviceId: "device-2" }) { __typename ... on Error { message } } }`,
  ],
  "Mutation.unlinkDevice": [
    ({ id }) => `mutation { unlinkDevice(input: { id: "${id}", deviceId: "device-1" }) { __typename ... on Error { message } } }`,
  ],
  "Mutation.eraseCustomer": [({ id }) => `mutation { eraseCustomer(input: { id: "${id}" }) { __typename ... on Error { message } } }`],
  "Mutation.createCustomersBatch": [
    ({ email }) =>
      `mutation { createCustomersBatch(input: { idempotencyKey: "one", dryRun: true, customers: [{ clientRef: "client-1", firstname: "A", lastname: "B", accountName: "C", email: "${email}", country: "NG", accountNumber: "1234", reference: "ref-1" }] }) { ... on BatchResult { replayed summary { failed } failures { __typename } } } }`,
  ],
  "Query.merchant": [(thing) => `{ merchant(id: "${thing.merchantId}") { name history { nodes { actor } } } }`],
  "Query.merchants": [() => "{ merchants { totalCount nodes { id } pageInfo { hasNextPage endCursor } } }"],
  "Query.merchantsBatch": [(thing) => `{ merchantsBatch(id: "${thing.merchantsBatchId}") { status merchantIds } }`],
  "Mutation.createMerchantsBatch": [
    (thing) => {
      const { email, clientRef, reference } = merchantRow(thing.merchantId === merchantId ? 1 : 2);
      return `mutation { createMerchantsBatch(input: { idempotencyKey: "one", dryRun: true, merchants: [{ clientRef: "${clientRef}", name: "A", email: "${email}", country: "NG", reference: "${reference}" }] }) { ... on MerchantBatchResult { replayed summary { failed } failures { __typename } } } }`;
    },
  ],
  "Mutation.setTrustLevel": [
    (thing) =>
      `mutation { setTrustLevel(input: { id: "${thing.merchantId}", trustLevel: PREMIUM, expectedVersion: 9 }) { __typename ... on Error { message } } }`,
  ],
  "Subscription.batchProgress": [(thing) => `subscription { batchProgress(id: "${thing.batchId}") { batchId status summary { total } } }`],
};

const rootFields = [schema.getQueryType()!, schema.getMutationType()!, schema.getSubscriptionType()!].flatMap((type) =>
  Object.keys(type.getFields()).map((name) => `${type.name}.${name}`),
);

test("every root field has a case", () => expect(Object.keys(CASES).sort()).toEqual(rootFields.sort()));

const ASKED_BY_PROVIDERS = ["Query.customerBanks", "Query.deviceLookup"];

const present: Thing = {
  merchantId,
  entityId,
  endpointId,
  keyId: alphaKeyId,
  id: customer.id,
  email: customer.email,
  phrase: customer.phrase,
  batchId,
  device: linked.body.data.linkDevice.devices[0].id as string,
  client: "alpha-partner",
  merchantsBatchId,
};

describe.each(rootFields)("%s", (field) => {
  test("without a key, with an odd one, or with a wrong secret there is no data", async () => {
    const wrong = `${here.slice(0, -4)}${here.endsWith("0000") ? "1111" : "0000"}`;
    for (const key of [null, "nonsense", wrong, `cgw_live_${here.split("_").slice(2).join("_")}`]) {
      const { status, body } = await gateway.query(key, CASES[field]![0]!(present));
      expect([status, body.data, body.errors![0]!.extensions.code]).toEqual([401, undefined, "UNAUTHENTICATED"]);
    }
  });

  test.each(["bank", "mode"] as const)("what is of another %s answers, byte for byte, like what does not exist", async (line) => {
    const callers = ASKED_BY_PROVIDERS.includes(field) ? providers : elsewhere;
    for (const operation of CASES[field]!) {
      if (field === "Mutation.createCustomer" || (field === "Mutation.createApiKey" && line === "mode")) continue;
      const [foreign, none] = await Promise.all([present, absent].map(async (thing) => read(await send(callers[line], operation(thing)))));
      expect(foreign).toEqual(none);
      expect(foreign!.body).not.toContain(customer.id);
    }
  });
});

test("a provider asks for its own merchant by the same operations", async () => {
  const own = await gateway.key({ bank: "provider", kind });
  for (const field of ASKED_BY_PROVIDERS) {
    const { body } = await gateway.query(own, CASES[field]![0]!(present));
    expect(Object.values(body.data)).toEqual([[]]);
  }
});

test("a device that is linked in one bank and mode is free in another", async () => {
  for (const key of Object.values(elsewhere)) {
    const made = await gateway.query(
      key,
      CASES["Mutation.createCustomer"]![0]!({ ...absent, email: "device@example.com" }).replace("__typename", "... on Customer { id }"),
    );
    const { body } = await gateway.query(
      key,
      `mutation { linkDevice(input: { id: "${made.body.data.createCustomer.id}", deviceId: "device-1" }) { __typename } }`,
    );
    expect(body.data.linkDevice.__typename).toBe("Customer");
  }
});

test("a key that is taken in one bank and mode is free in another", async () => {
  for (const key of Object.values(elsewhere)) {
    const { body } = await gateway.query(key, CASES["Mutation.createCustomer"]![0]!(present));
    expect(body.data.createCustomer.__typename).toBe("Customer");
  }
});

async function send(key: string, query: string) {
  return gateway.send("/graphql", {
    method: "POST",
    headers: { authorization: `Bearer ${key}`, "content-type": "application/json", accept: "*/*", "x-request-id": "same" },
    body: JSON.stringify({ query }),
  });
}

async function read(response: Response) {
  return {
    status: response.status,
    headers: [...response.headers].filter(([name]) => !isCounter(name)).sort(),
    body: withoutCost(await response.text()),
  };
}
