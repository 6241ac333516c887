import { describe, expect, test } from "vitest";
import { openGateway } from "../support/gateway.ts";

const gateway = await openGateway();
const key = await gateway.key();

async function post(body: string | Uint8Array<ArrayBuffer> | ReadableStream, headers: Record<string, string> = {}) {
  const response = await gateway.send("/graphql", {
    method: "POST",
    headers: { authorization: `Bearer ${key}`, "content-type": "application/json", ...headers },
    body,
    ...(body instanceof ReadableStream && { duplex: "half" }),
  });
  const text = await response.text();
  return { status: response.status, code: text && JSON.parse(text).errors?.[0]?.extensions?.code, text };
}

const query = (document: string, variables?: object) => JSON.stringify({ query: document, variables });

describe("what cannot run is told by the contract's codes", () => {
  // The newer media type gives the status of the fault; the older one answers 200 where GraphQL itself refused.
  const strict = { accept: "application/graphql-response+json" };
  const cases: [what: string, body: string, status: number, code: string][] = [
    ["malformed JSON", '{"query": ', 400, "BAD_USER_INPUT"],
    ["JSON that is no object", "null", 400, "BAD_USER_INPUT"],
    ["several operations in a list", `[${query("{viewer{keyId}}")}]`, 400, "BAD_USER_INPUT"],
    ["no document", "{}", 400, "BAD_USER_INPUT"],
    ["a document that is no text", '{"query": 5}', 400, "BAD_USER_INPUT"],
    ["variables that are no object", '{"query": "{viewer{keyId}}", "variables": "x"}', 400, "BAD_USER_INPUT"],
    ["an unknown parameter", '{"query": "{viewer{keyId}}", "foo": 1}', 400, "BAD_USER_INPUT"],
    ["an unknown operation name", '{"query": "query A {viewer{keyId}}", "operationName": "B"}', 400, "BAD_USER_INPUT"],
    ["a syntax error", query("{ viewer "), 400, "GRAPHQL_PARSE_FAILED"],
    ["an unknown field", query("{ foo }"), 400, "GRAPHQL_VALIDATION_FAILED"],
    ["an unknown argument", query("{ customers(offset: 3) { nodes { id } } }"), 400, "GRAPHQL_VALIDATION_FAILED"],
    [
      "a variable of the wrong type",
      query("query ($n: Int) { customers(first: $n) { nodes { id } } }", { n: "ten" }),
      400,
      "BAD_USER_INPUT",
    ],
    ["a missing variable", query("query ($id: ID!) { node(id: $id) { id } }"), 400, "BAD_USER_INPUT"],
    [
      "two keys of one",
      query("query ($by: CustomerBy!) { customer(by: $by) { id } }", { by: { id: "1", email: "a@example.com" } }),
      400,
      "BAD_USER_INPUT",
    ],
    [
      "an unknown enum value",
      query("query ($o: CustomerOrder) { customers(orderBy: $o) { nodes { id } } }", { o: { field: "EMAIL", direction: "ASC" } }),
      400,
      "BAD_USER_INPUT",
    ],
    [
      "an impossible date",
      query("query ($f: CustomerFilter) { customers(filter: $f) { nodes { id } } }", { f: { createdAt: { from: "yesterday" } } }),
      400,
      "BAD_USER_INPUT",
    ],
  ];
  test.each(cases)("%s", async (_what, body, status, code) => {
    expect(await post(body, strict)).toMatchObject({ status, code });
    expect((await post(body)).code).toBe(code);
  });
});

test("what is wrong with a variable is told without its value, and with the place of the row", async () => {
  const document = "mutation ($input: CreateCustomersBatchInput!) { createCustomersBatch(input: $input) { __typename } }";
  const { text } = await post(query(document, { input: { customers: [{ clientRef: "a" }, { firstname: 918273645 }] } }));
  const [error] = JSON.parse(text).errors;
  expect(error.extensions).toEqual({ code: "BAD_USER_INPUT", inputPath: "input.customers[1].firstname", index: 1 });
  expect(text).not.toContain("918273645");
  const date = await post(
    query("query ($f: CustomerFilter) { customers(filter: $f) { nodes { id } } }", { f: { createdAt: { from: "my-secret" } } }),
  );
  expect(date.text).not.toContain("my-secret");
});

describe("bodies", () => {
  const padded = (bytes: number) => {
    const body = query("{ viewer { keyId } }");
    return body + " ".repeat(bytes - body.length);
  };

  test("a key that sends batches may send 1 MB, another 100 kB, and one byte more is PAYLOAD_TOO_LARGE", async () => {
    expect((await post(padded(1_000_000))).status).toBe(200);
    expect(await post(padded(1_000_001))).toMatchObject({ status: 413, code: "PAYLOAD_TOO_LARGE" });
    const reader = { authorization: `Bearer ${await gateway.key({ scopes: ["customers:read"] })}` };
    expect((await post(padded(100_000), reader)).status).toBe(200);
    expect(await post(padded(100_001), reader)).toMatchObject({ status: 413, code: "PAYLOAD_TOO_LARGE" });
  });

  test("the limit holds for a body that does not say its length", async () => {
    let sent = 0;
    const endless = new ReadableStream({
      pull(controller) {
        sent += 65_536;
        controller.enqueue(new Uint8Array(65_536).fill(0x20));
      },
    });
    expect(await post(endless)).toMatchObject({ status: 413, code: "PAYLOAD_TOO_LARGE" });
    expect(sent).toBeLessThan(2_000_000);
  });

  test.each([
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "text/plain",
    "application/graphql",
    "application/json; charset=latin1",
    "",
  ])("content type %j is refused", async (type) =>
    expect(await post(query("{ viewer { keyId } }"), { "content-type": type })).toMatchObject({ status: 415, code: "BAD_USER_INPUT" }),
  );

  test("a compressed body and bytes that are no UTF-8 are refused", async () => {
    expect((await post(query("{ viewer { keyId } }"), { "content-encoding": "gzip" })).status).toBe(415);
    expect(await post(new Uint8Array([0x7b, 0xff, 0xfe, 0x7d]))).toMatchObject({ status: 400, code: "BAD_USER_INPUT" });
  });
});

test("GET runs queries and refuses mutations", async () => {
  const get = (document: string) =>
    gateway.send(`/graphql?${new URLSearchParams({ query: document })}`, { headers: { authorization: `Bearer ${key}` } });
  expect(await (await get("{ viewer { mode } }")).json()).toMatchObject({ data: { viewer: { mode: "SANDBOX" } } });
  expect((await get('mutation { setBlacklist(input: { id: "x", blacklisted: true }) { __typename } }')).status).toBe(405);
  const broken = await gateway.send("/graphql?query=%7Bviewer%7BkeyId%7D%7D&variables=%7B", {
    headers: { authorization: `Bearer ${key}` },
  });
  expect([broken.status, (await broken.json()).errors[0].extensions.code]).toEqual([400, "BAD_USER_INPUT"]);
});

test("every answer carries a request id: the caller's own, or a new one in place of an odd one", async () => {
  const id = async (given: string) =>
    (await gateway.send("/health/live", { headers: { "x-request-id": given } })).headers.get("x-request-id");
  expect(await id("order-17.retry:2")).toBe("order-17.retry:2");
  expect(await id("<script>")).toMatch(/^[0-9a-f-]{36}$/);
});

test("health, the way in, and what is not there", async () => {
  expect((await gateway.send("/health/live")).status).toBe(200);
  expect((await gateway.send("/health/ready")).status).toBe(200);
  expect((await gateway.send("/")).headers.get("location")).toBe("/graphql");
  expect((await gateway.send("/nothing")).status).toBe(404);
});
