import { expect, test } from "vitest";
import { withEntityTag } from "../../src/http/entity-tag.ts";
import { CREATE, person } from "../support/customers.ts";
import { isCounter, openGateway } from "../support/gateway.ts";

const gateway = await openGateway();
const key = await gateway.key();
const { body } = await gateway.query(key, CREATE, { input: person("ada") });
const { id } = body.data.createCustomer;

const PARAMS = {
  query: "query ($id: ID!) { customer(by: { id: $id }) { accountName email version } }",
  variables: JSON.stringify({ id }),
};

const get = (headers: Record<string, string> = {}, params: Record<string, string> = PARAMS) =>
  gateway.send(`/graphql?${new URLSearchParams(params)}`, { headers: { authorization: `Bearer ${key}`, ...headers } });
const tagOf = async (headers?: Record<string, string>) => (await get(headers)).headers.get("etag")!;

/** All headers but those that differ between any two requests. */
function headersOf({ headers }: Response) {
  return Object.fromEntries([...headers].filter(([name]) => name !== "x-request-id" && !isCounter(name)));
}

test("a query by GET has an ETag; the same again is 304 with the same headers and no body", async () => {
  const first = await get();
  expect(first.status).toBe(200);
  expect(headersOf(first)).toMatchObject({ "cache-control": "private", vary: "Authorization, X-Visibility, Accept" });
  const etag = first.headers.get("etag")!;
  expect(etag).toMatch(/^W\/"[\w-]{43}"$/);
  expect(await first.json()).toMatchObject({ data: { customer: { accountName: "ada Person", email: "ada@example.com" } } });

  for (const known of [etag, etag.slice(2), `"other", ${etag}`, "*"]) {
    const again = await get({ "if-none-match": known });
    expect(again.status, known).toBe(304);
    expect(await again.text()).toBe("");
    const { "content-length": _length, ...headers } = headersOf(first);
    expect(headersOf(again)).toEqual(headers);
  }
  expect((await get({ "if-none-match": '"other", W/"another"' })).status).toBe(200);
});

test("it differs by what was answered: by visibility, media type and after a write", async () => {
  const etag = await tagOf();
  const others = [await tagOf({ "x-visibility": "standard" }), await tagOf({ accept: "application/graphql-response+json" })];
  await gateway.query(key, 'mutation ($id: ID!) { updateCustomer(input: { id: $id, update: { state: "Lagos" } }) { __typename } }', { id });
  expect(new Set([etag, ...others, await tagOf()]).size).toBe(4);
  expect((await get({ "if-none-match": etag })).status).toBe(200);
});

test("another key is not told 304 for what it may not see", async () => {
  const etag = await tagOf();
  const reader = { authorization: `Bearer ${await gateway.key({ scopes: ["customers:read"] })}` };
  expect((await get({ ...reader, "if-none-match": etag })).status).toBe(200);
  const stranger = { authorization: `Bearer ${await gateway.key({ bank: "beta" })}` };
  expect((await get({ ...stranger, "if-none-match": etag })).status).toBe(200);
  expect((await get({ authorization: "Bearer none", "if-none-match": "*" })).status).toBe(401);
});

test("the cost told beside the data does not change it", async () => {
  const answer = (extensions?: object) =>
    withEntityTag(
      new Request("http://gateway.test/graphql"),
      new Response(JSON.stringify({ data: { a: 1 }, extensions }), { headers: { "content-type": "application/json" } }),
    );
  const cost = (remaining: number) => ({ visibility: [], cost: { requested: 1, limit: 100, remaining } });
  const [one, two, other] = await Promise.all([answer(cost(99)), answer(cost(98)), answer({ visibility: [1], cost: 1 })]);
  expect(two.headers.get("etag")).toBe(one.headers.get("etag"));
  expect(other.headers.get("etag")).not.toBe(one.headers.get("etag"));
  expect(await one.json()).toEqual({ data: { a: 1 }, extensions: cost(99) });
});

test("nothing else is kept: POST, errors, GraphiQL's neighbours", async () => {
  const post = await gateway.query(key, "{ viewer { mode } }");
  const failed = await get({}, { query: "{ foo }" });
  const partly = await get({}, { query: '{ customers(after: "x") { nodes { id } } }' });
  const health = await gateway.send("/health/live");
  expect((await partly.json()).errors).toHaveLength(1);
  for (const { headers } of [post, failed, partly, health]) {
    expect([headers.get("etag"), headers.get("cache-control")]).toEqual([null, "private, no-store"]);
  }
});
