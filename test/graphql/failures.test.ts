import { expect, test } from "vitest";
import { schema } from "../../src/graphql/schema.ts";
import { client } from "../support/client.ts";
import { merchantRow } from "../support/merchants.ts";
import { openGateway } from "../support/gateway.ts";
import { graphql } from "../generated/gql.ts";

const Create = graphql(/* GraphQL */ `
  mutation CreateForFailures($input: CreateCustomerInput!) {
    createCustomer(input: $input) { __typename ... on Customer { id version } }
  }
`);

const gateway = await openGateway();
const key = await gateway.key();
await gateway.key({ audience: "APP", client: "front" });
const eve = { firstname: "Eve", lastname: "Example", email: "eve@example.com", country: "NG", idempotencyKey: "once" };
const { createCustomer: made } = await client(gateway, key).run(Create, { input: eve });
const id = made.__typename === "Customer" ? made.id : "";
const mallory = await client(gateway, key).run(Create, { input: { ...eve, email: "mallory@example.com", idempotencyKey: null } });
const blacklisted = mallory.createCustomer.__typename === "Customer" ? mallory.createCustomer.id : "";
await gateway.query(key, `mutation { setBlacklist(input: { id: "${blacklisted}", blacklisted: true }) { __typename } }`);
const nobody = "00000000-0000-4000-8000-000000000000";

const shops = await gateway.query(
  key,
  "mutation ($input: CreateMerchantsBatchInput!) { createMerchantsBatch(input: $input) { ... on MerchantBatchResult { merchantIds } } }",
  { input: { merchants: [merchantRow(1)] } },
);
const { merchantIds } = shops.body.data.createMerchantsBatch;

/** For each error type of the schema, a mutation and an input that it answers. */
const CASES: Record<string, [mutation: string, input: object]> = {
  ApiKeyNotFound: ["revokeApiKey", { id: "0000000000000000" }],
  ClientNotFound: ["publishDocuments", { client: "nobody", documents: [] }],
  CustomerAlreadyExists: ["createCustomer", { ...eve, idempotencyKey: null }],
  MerchantNotFound: ["setTrustLevel", { id: `mer_${nobody}`, trustLevel: "BASIC" }],
  MerchantVersionConflict: ["setTrustLevel", { id: merchantIds[0], trustLevel: "BASIC", expectedVersion: 9 }],
  CustomerNotFound: ["updateCustomer", { id: nobody, update: { firstname: "Nobody" } }],
  DeviceRefused: ["linkDevice", { id: blacklisted, deviceId: "device" }],
  IdempotencyConflict: ["createCustomer", { ...eve, firstname: "Eva" }],
  InvalidApiKey: ["createApiKey", { audience: "APP", scopes: ["everything"] }],
  InvalidBatch: ["createCustomersBatch", { customers: [] }],
  InvalidClient: ["updateClient", { client: "front", costLimit: 0 }],
  InvalidCustomerData: ["createCustomer", { firstname: "Eve" }],
  InvalidWebhookEndpoint: ["createWebhookEndpoint", { url: "nowhere", events: [], visibility: "STANDARD" }],
  WebhookEndpointNotFound: ["sendWebhookTest", { id: `whe_${nobody}` }],
  InvalidDocuments: ["publishDocuments", { client: "front", documents: [] }],
  PersistedDocumentNotFound: ["retireDocument", { client: "front", hash: "0".repeat(64) }],
  VersionConflict: ["setBlacklist", { id, blacklisted: true, expectedVersion: 99 }],
};

test.each(Object.entries(CASES))("%s carries its name as its code", async (typename, [mutation, input]) => {
  const type = `${mutation[0]!.toUpperCase()}${mutation.slice(1)}Input!`;
  const document = `mutation ($input: ${type}) { result: ${mutation}(input: $input) { __typename ... on Error { code message } } }`;
  const { body } = await gateway.query(key, document, { input });
  const code = typename.replace(/(?<!^)[A-Z]/g, (capital) => `_${capital}`).toUpperCase();
  expect(body).toMatchObject({ data: { result: { __typename: typename, code, message: expect.stringMatching(/^[A-Z]/) } } });
});

test("no error type is left out", () => {
  expect(Object.keys(CASES).sort()).toEqual(
    schema
      .getPossibleTypes(schema.getType("Error") as never)
      .map(({ name }) => name)
      .sort(),
  );
});
