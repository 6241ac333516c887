import { expect, test } from "vitest";
import { readConfig } from "../../src/config.ts";
import { documentHash, registerDocuments } from "../../src/documents/register.ts";
import { openGateway } from "../support/gateway.ts";

const gateway = await openGateway();
const internal = await gateway.key({ scopes: ["customers:read"] });
const app = await gateway.key({ audience: "APP", scopes: ["customers:read", "customers:write"], client: "app" });
const partner = await gateway.key({ audience: "PARTNER", scopes: ["customers:read"], client: "partner" });

const SCHEMA = "{ __schema { queryType { name } } }";
const DOCUMENTS = {
  schema: SCHEMA,
  type: '{ __type(name: "Customer") { name } }',
  named: "{ a: __schema { queryType { name } } }",
  "in a fragment": "{ ...F } fragment F on Query { __schema { queryType { name } } }",
  "in the other operation": `query A { __typename } query B ${SCHEMA}`,
  "left out": "{ __typename __schema @skip(if: true) { queryType { name } } }",
};
const requires = "a key that is not for a PARTNER";
const refused = { message: `This needs ${requires}.`, extensions: { code: "FORBIDDEN", requires } };

test.each(Object.entries(DOCUMENTS))("introspection is for staff and front ends, and never for partners: %s", async (_name, document) => {
  const operationName = document.includes("query A") ? "A" : undefined;
  const ask = async (key: string, body: object) => {
    const response = await post(key, { ...body, operationName });
    return { status: response.status, body: (await response.json()) as object };
  };
  const { id } = await gateway.app.services.db.client.findUniqueOrThrow({
    where: { tenantId_name: { tenantId: "alpha", name: "partner" } },
  });
  await registerDocuments(gateway.app.services.db, id, [document]);
  // Again and again: whoever asked before, the answer is the caller's.
  for (const key of [internal, app, internal]) {
    expect((await ask(key, { query: document })).body).not.toHaveProperty("errors");
    const registered = { documentId: `sha256:${documentHash(document)}` };
    expect(await ask(partner, registered)).toMatchObject({ status: 403, body: { errors: [refused] } });
  }
});

test("__typename is no introspection", async () => {
  const { body } = await gateway.query(app, "{ __typename viewer { __typename } }");
  expect(body).toMatchObject({ data: { __typename: "Query", viewer: { __typename: "Viewer" } } });
});

test("names of the schema are proposed to whom introspection is for", async () => {
  const nearly = [
    "{ viewr { mode } }",
    "{ customers(frist: 1) { totalCount } }",
    "{ ... on Qury { viewer { mode } } }",
    "{ customers(orderBy: { field: CREATED_A, direction: ASC }) { totalCount } }",
    '{ customer(by: { phrse: "x" }) { id } }',
    "query ($by: CustomrBy!) { customer(by: $by) { id } }",
  ];
  // As when a schema changes under what is registered.
  const { id } = await gateway.app.services.db.client.findUniqueOrThrow({
    where: { tenantId_name: { tenantId: "alpha", name: "partner" } },
  });
  await registerDocuments(gateway.app.services.db, id, nearly);
  for (const document of nearly) {
    const staff = (await gateway.query(internal, document)).body.errors!;
    const response = await post(partner, { documentId: `sha256:${documentHash(document)}` });
    const { errors } = (await response.json()) as { errors: typeof staff };
    expect(staff[0]!.message, document).toContain("Did you mean");
    expect(errors).toEqual(staff.map((error) => ({ ...error, message: error.message.replace(/ Did you mean .*/s, "") })));
  }
});

test("what is explained of another key's introspection is what happens", async () => {
  const manager = await gateway.key();
  const ask = (keyId: string) =>
    gateway.query(
      manager,
      "query ($document: String!, $keyId: ID!) { explainAccess(document: $document, keyId: $keyId) { valid forbidden { path field requires } } }",
      { document: "{ a: __schema { queryType { name } } __typename }", keyId },
    );
  const idOf = (key: string) => key.split("_")[2]!;
  expect((await ask(idOf(partner))).body.data.explainAccess).toEqual({ valid: true, forbidden: [{ path: ["a"], field: null, requires }] });
  expect((await ask(idOf(app))).body.data.explainAccess.forbidden).toEqual([]);
});

test("GraphiQL is a page of development's; production has it only when it is switched on", async () => {
  const production = { NODE_ENV: "production", GATEWAY_KEYRING: Buffer.alloc(32, 1).toString("base64"), DATABASE_URL: "postgres://h/d" };
  const switches = [{}, { GRAPHIQL: "off" }, production, { ...production, GRAPHIQL: "on" }].map((env) => readConfig(env).graphiql);
  expect(switches).toEqual([true, false, false, true]);

  const without = await openGateway({ graphiql: false });
  const response = await without.send("/graphql", { headers: { accept: "text/html" } });
  expect([response.status, (await response.json()).errors[0].extensions.code]).toEqual([401, "UNAUTHENTICATED"]);
});

const post = (key: string, body: object) =>
  gateway.send("/graphql", {
    method: "POST",
    headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
    body: JSON.stringify(body),
  });
