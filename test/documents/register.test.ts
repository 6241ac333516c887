import { describe, expect, test } from "vitest";
import { documentHash } from "../../src/documents/register.ts";
import { graphql } from "../generated/gql.ts";
import manifest from "../generated/persisted-documents.json" with { type: "json" };
import { client, documentId, registerFor } from "../support/client.ts";
import { isCounter, openGateway } from "../support/gateway.ts";

const Register = graphql(/* GraphQL */ `
  mutation Register($input: CreateCustomerInput!) {
    createCustomer(input: $input) {
      __typename
      ... on Customer { id phrase country }
      ... on Error { code message }
    }
  }
`);
const ByPhrase = graphql(/* GraphQL */ `
  query ByPhrase($phrase: String!) {
    customer(by: { phrase: $phrase }) { id phrase accountName email redactedFields }
  }
`);
const WhoAmI = graphql(/* GraphQL */ `
  query WhoAmI { viewer { audience bankId } }
`);

const gateway = await openGateway();
const internal = await gateway.key();
const app = await gateway.key({ audience: "APP", scopes: ["customers:read"] });
const partner = await gateway.key({ audience: "PARTNER", scopes: ["customers:read", "customers:write"], client: "partner" });
const rival = await gateway.key({ audience: "PARTNER", scopes: ["customers:read"], client: "rival" });
await registerFor(gateway, { bank: "alpha", client: "partner" }, [ByPhrase, Register]);
await registerFor(gateway, { bank: "alpha", client: "rival" }, [WhoAmI]);

const { createCustomer: ada } = await client(gateway, internal).run(Register, {
  input: { firstname: "Ada", lastname: "Example", email: "ada@example.com", country: "NG" },
});
if (ada.__typename !== "Customer") throw new Error(ada.message);
const variables = { phrase: ada.phrase };
const seen = { data: { customer: { ...variables, id: ada.id, accountName: "Ada Example", email: null, redactedFields: ["EMAIL"] } } };
const hash = documentId(ByPhrase).slice("sha256:".length);

/** Sends anything as JSON. */
const post = (key: string, body: object) =>
  gateway.send("/graphql", {
    method: "POST",
    headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
    body: JSON.stringify(body),
  });

/** Sends parameters in the URL, objects as JSON. */
function get(key: string, params: Record<string, string | object>) {
  const search = new URLSearchParams(
    Object.entries(params).map(([name, value]) => [name, typeof value === "string" ? value : JSON.stringify(value)]),
  );
  return gateway.send(`/graphql?${search}`, { headers: { authorization: `Bearer ${key}` } });
}

async function refusal(response: Response) {
  const { data, errors } = (await response.json()) as { data?: unknown; errors: { extensions: { code: string } }[] };
  return { status: response.status, data, codes: errors.map(({ extensions }) => extensions.code) };
}

describe("a partner runs its registered documents", () => {
  const forms = { documentId: documentId(ByPhrase) } as const;
  const persistedQuery = { extensions: { persistedQuery: { version: 1, sha256Hash: hash } } };

  test.each([
    ["documentId by POST", () => post(partner, { ...forms, variables })],
    ["documentId by GET", () => get(partner, { ...forms, variables })],
    ["extensions.persistedQuery by POST", () => post(partner, { ...persistedQuery, variables })],
    ["extensions.persistedQuery by GET", () => get(partner, { ...persistedQuery, variables })],
    ["beside a query that is null", () => post(partner, { ...forms, query: null, variables })],
  ])("%s", async (_form, send) => {
    const response = await send();
    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject(seen);
  });

  test("through the typed client, a mutation too", async () => {
    const { customer } = await client(gateway, partner).runById(ByPhrase, variables);
    expect(customer?.accountName).toBe("Ada Example");
    const { createCustomer } = await client(gateway, partner).runById(Register, {
      input: { firstname: "Grace", lastname: "Example", email: "grace@example.com", country: "GH" },
    });
    expect(createCustomer).toMatchObject({ __typename: "Customer", country: "GH" });
  });

  test("the generator's hash is the register's", () => {
    for (const [id, text] of Object.entries(manifest)) expect(id).toBe(`sha256:${documentHash(text)}`);
  });
});

describe("a partner sends no text", () => {
  const query = WhoAmI.toString();

  test.each<[string, object]>([
    ["text", { query }],
    ["empty text", { query: "" }],
    ["text beside a registered id", { query, documentId: documentId(ByPhrase), variables }],
    ["text beside two ids that differ", { query, documentId: documentId(ByPhrase), extensions: { persistedQuery: { sha256Hash: "0" } } }],
    ["a registered document's own text", { query: ByPhrase.toString(), variables }],
    ["introspection", { query: "{ __schema { types { name } } }" }],
    ["nothing at all", {}],
  ])("%s is DOCUMENT_REQUIRED", async (_what, body) => {
    const required = { status: 403, data: undefined, codes: ["DOCUMENT_REQUIRED"] };
    expect(await refusal(await post(partner, body))).toEqual(required);
    expect(await refusal(await get(partner, body as Record<string, string>))).toEqual(required);
  });
});

test("a document that is not the caller's own answers as one that nobody registered, to the byte", async () => {
  const absent = `sha256:${"0".repeat(64)}`;
  const ids = [
    documentId(WhoAmI),
    documentId(ByPhrase).toUpperCase(),
    `sha256:${hash.toUpperCase()}`,
    hash,
    `sha512:${hash}`,
    "sha256:",
    "",
    "__proto__",
    "constructor",
    "sha256:__proto__",
    `sha256:${hash} `,
    `sha256:${hash}\u0000`,
  ];
  const bodies = [
    ...ids.map((id) => ({ documentId: id })),
    ...[documentId(WhoAmI).slice(7), hash.toUpperCase(), "__proto__", "constructor", "toString", 1, null].map((sha256Hash) => ({
      extensions: { persistedQuery: { sha256Hash } },
    })),
    { documentId: 7 },
    { documentId: ["sha256", hash] },
    { documentId: { toString: hash } },
  ];
  const expected = await whole(await post(partner, { documentId: absent, variables }));
  expect(expected.status).toBe(404);
  expect(JSON.parse(expected.body)).toEqual({
    errors: [{ message: "No such document is registered for this client.", extensions: { code: "DOCUMENT_NOT_FOUND" } }],
  });
  for (const body of bodies) expect(await whole(await post(partner, { ...body, variables })), JSON.stringify(body)).toEqual(expected);
  for (const id of ids) expect(await whole(await get(partner, { documentId: id, variables })), `GET ${id}`).toEqual(expected);
  // The other way round as well, and for a key that belongs to no client.
  expect(await whole(await post(rival, { documentId: documentId(ByPhrase), variables }))).toEqual(expected);
  expect(await whole(await post(internal, { documentId: documentId(ByPhrase), variables }))).toEqual(expected);
});

/** All of an answer but what differs between any two requests. */
async function whole(response: Response) {
  const headers = Object.fromEntries([...response.headers].filter(([name]) => !isCounter(name)));
  delete headers["x-request-id"];
  return { status: response.status, headers, body: await response.text() };
}

test("a document registered for one bank's client is not there for a client of the same name elsewhere", async () => {
  const namesake = await gateway.key({ bank: "beta", audience: "PARTNER", scopes: ["customers:read"], client: "partner" });
  expect(await refusal(await post(namesake, { documentId: documentId(ByPhrase), variables }))).toEqual({
    status: 404,
    data: undefined,
    codes: ["DOCUMENT_NOT_FOUND"],
  });
});

test("a bank's own keys may send text, and not a text and an id at once", async () => {
  for (const [key, audience] of [
    [internal, "INTERNAL"],
    [app, "APP"],
  ] as const) {
    expect(await client(gateway, key).run(WhoAmI)).toEqual({ viewer: { audience, bankId: "alpha" } });
    const both = await post(key, { query: WhoAmI.toString(), documentId: documentId(WhoAmI) });
    expect(await refusal(both)).toEqual({ status: 400, data: undefined, codes: ["BAD_USER_INPUT"] });
  }
});

describe("documentId beside extensions.persistedQuery", () => {
  const persistedQuery = (sha256Hash: unknown) => ({
    documentId: documentId(ByPhrase),
    extensions: { persistedQuery: { sha256Hash } },
    variables,
  });

  test("runs when both name the same document", async () => {
    expect(await (await post(partner, persistedQuery(hash))).json()).toMatchObject(seen);
    expect(await (await get(partner, persistedQuery(hash))).json()).toMatchObject(seen);
  });

  test.each([
    documentId(Register).slice(7),
    documentId(WhoAmI).slice(7),
    "0".repeat(64),
    hash.toUpperCase(),
    `sha256:${hash}`,
    "",
    "__proto__",
    1,
    null,
  ])("is BAD_USER_INPUT when they differ: %j", async (other) => {
    const refused = { status: 400, data: undefined, codes: ["BAD_USER_INPUT"] };
    for (const key of [partner, app, internal]) expect(await refusal(await post(key, persistedQuery(other)))).toEqual(refused);
    expect(await refusal(await get(partner, persistedQuery(other)))).toEqual(refused);
  });
});

test("a bank's own key that names no document is told so with status 400, whatever media type it takes", async () => {
  for (const accept of ["application/json", "application/graphql-response+json", "*/*"]) {
    const response = await gateway.send("/graphql", { headers: { authorization: `Bearer ${app}`, accept } });
    expect(await refusal(response)).toEqual({ status: 400, data: undefined, codes: ["BAD_USER_INPUT"] });
  }
});

test("a mutation by GET is refused and changes nothing, by text and by id", async () => {
  const input = { firstname: "By", lastname: "Get", email: "by.get@example.com", country: "NG" };
  const refused = { status: 405, data: undefined, codes: ["BAD_USER_INPUT"] };
  const byText = await get(internal, { query: Register.toString(), variables: { input } });
  expect(byText.headers.get("allow")).toBe("POST");
  expect(await refusal(byText)).toEqual(refused);
  expect(await refusal(await get(partner, { documentId: documentId(Register), variables: { input } }))).toEqual(refused);
  expect(await gateway.app.services.db.customer.count({ where: { email: input.email } })).toBe(0);
});

test("the typed client tells what went wrong", async () => {
  await expect(client(gateway, rival).run(WhoAmI)).rejects.toThrow("DOCUMENT_REQUIRED");
});
