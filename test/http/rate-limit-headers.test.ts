import { describe, expect, test } from "vitest";
import { openGateway } from "../support/gateway.ts";

const NOW = 1_800_000_000_000 + 15_000;
const LIMIT = 10_000;
const gateway = await openGateway({ rateLimitPoints: LIMIT, costLimit: 500, lookupLimit: 1 }, { limitsNow: () => NOW });
const key = await gateway.key();
const reader = await gateway.key({ scopes: [] });
const partner = await gateway.key({ audience: "PARTNER", scopes: ["customers:read"], client: "shop" });

const JSON_TYPE = { "content-type": "application/json" };
const STRICT = { accept: "application/graphql-response+json" };
const post = (body: string, headers: Record<string, string> = {}) => ({ method: "POST", body, headers: { ...JSON_TYPE, ...headers } });
const document = (query: string) => post(JSON.stringify({ query }), STRICT);
const AT_GET = "/graphql?query=%7Bviewer%7Bmode%7D%7D";

/** Every kind of answer to who has a key, with its status and what it costs. */
const ANSWERS: [string, number, number, string, RequestInit, string?][] = [
  ["data", 200, 1, "/graphql", document("{ viewer { mode } }")],
  ["data by GET", 200, 1, AT_GET, {}],
  ["not modified", 304, 1, AT_GET, { headers: { "if-none-match": "*" } }],
  ["a refused field", 403, 21, "/graphql", document("{ customers { nodes { id } } }"), reader],
  ["a document that is none", 400, 1, "/graphql", document("{")],
  ["an invalid document", 400, 1, "/graphql", document("{ nothing }")],
  ["a document too large", 400, 1, "/graphql", document(`{ viewer { ${"mode ".repeat(2001)} } }`)],
  ["too great a cost", 400, 1, "/graphql", document("{ customers(first: 100) { nodes { history(first: 100) { nodes { version } } } } }")],
  ["wrong variables", 400, 1, "/graphql", document("query ($id: ID!) { node(id: $id) { id } }")],
  ["no JSON", 400, 1, "/graphql", post("{")],
  ["another media type", 415, 1, "/graphql", post("{}", { "content-type": "text/plain" })],
  ["too long a body", 413, 1, "/graphql", post(" ".repeat(1_000_001))],
  ["a wrong X-Visibility", 400, 1, "/graphql", post("{}", { "x-visibility": "all" })],
  ["another method", 405, 1, "/graphql", { method: "PUT" }],
  ["a mutation by GET", 405, 1, "/graphql?query=mutation%7B__typename%7D", {}],
  ["a document of a partner's own", 403, 1, "/graphql", document("{ viewer { mode } }"), partner],
  ["a document that is not registered", 404, 1, "/graphql", post(JSON.stringify({ documentId: `sha256:${"0".repeat(64)}` })), partner],
  [
    "a stream",
    200,
    1,
    "/graphql",
    post(JSON.stringify({ query: 'subscription { batchProgress(id: "none") { status } }' }), { accept: "text/event-stream" }),
  ],
];

describe("every answer to who has a key says what is left of it", () => {
  test.each(ANSWERS)("%s, %d, %d points", async (_name, status, cost, path, init, by = key) => {
    const ask = async () => {
      const response = await gateway.send(path, {
        ...init,
        headers: new Headers([...new Headers(init.headers), ["authorization", `Bearer ${by}`]]),
      });
      await response.text();
      return response;
    };
    const before = Number((await ask()).headers.get("x-ratelimit-remaining"));
    const response = await ask();
    expect(response.status).toBe(status);
    const remaining = before - cost;
    expect(Object.fromEntries([...response.headers].filter(([name]) => /ratelimit|retry/.test(name)))).toEqual({
      "x-ratelimit-limit": String(LIMIT),
      "x-ratelimit-remaining": String(remaining),
      "x-ratelimit-reset": "1800000060",
      ratelimit: `"points";r=${remaining};t=45`,
      "ratelimit-policy": `"points";q=${LIMIT};w=60, "lookups";q=1;w=3600`,
    });
  });
});

test("a refusal says when to come again", async () => {
  const lookup = () => gateway.query(key, '{ customer(by: { email: "a@example.com" }) { id } }');
  await lookup();
  const { status, headers } = await lookup();
  expect([status, headers.get("retry-after"), headers.get("ratelimit")]).toEqual([
    429,
    "3585",
    expect.stringMatching(/^"points";r=\d+;t=45, "lookups";r=0;t=3585$/),
  ]);
});

test("without a key there is nothing to count, and nothing is told", async () => {
  for (const [path, status] of [
    ["/graphql", 401],
    ["/health/live", 200],
    ["/nowhere", 404],
  ] as const) {
    const response = await gateway.send(path);
    expect([response.status, [...response.headers.keys()].filter((name) => name.includes("ratelimit"))]).toEqual([status, []]);
  }
});
