import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, test } from "vitest";
import { batchRow } from "../../support/customers.ts";
import { openGateway } from "../../support/gateway.ts";
import { rest } from "../../support/rest.ts";

const ORIGIN = "https://app.example.com";
const gateway = await openGateway({ corsOrigins: [ORIGIN] });
const key = await gateway.key();
const call = rest(gateway, key);
const { body: batch } = await call("POST", "/v1/bank/customers", { customers: [batchRow(1), batchRow(2), batchRow(3)] });
const ids: string[] = batch.data.data.customerIds;
const [id] = ids as [string];
const UUID = "6f1c5b0e-8f4b-4a39-9d0a-5d0f6f0d7c11";

/** A value that must not come back. */
const SECRET = "Zq-secret";

describe("400 names everything that is wrong, and no value", () => {
  const cases: [what: string, method: string, path: string, body: unknown, errors: object[]][] = [
    [
      "an unknown parameter",
      "GET",
      `/v1/customers?limit=${SECRET}`,
      undefined,
      [{ field: "limit", message: "is no parameter of this route" }],
    ],
    [
      "a parameter of an odd name",
      "GET",
      `/v1/customers?a%20${SECRET}=1`,
      undefined,
      [{ field: null, message: "has an unknown parameter" }],
    ],
    ["a parameter where there is none", "POST", "/v1/customers?x=1", {}, [{ field: "x", message: "is no parameter of this route" }]],
    [
      "a list's name on one that is none",
      "GET",
      "/v1/customers?page[]=1",
      undefined,
      [{ field: "page[]", message: "is no parameter of this route" }],
    ],
    ["a parameter given twice", "GET", "/v1/customers?page=1&page=2", undefined, [{ field: "page", message: "must be given once" }]],
    [
      "numbers that are none",
      "GET",
      `/v1/customers?page=0&take=${SECRET}`,
      undefined,
      [
        { field: "page", message: "must be a whole number from 1 to 10000" },
        { field: "take", message: "must be a whole number from 1 to 100" },
      ],
    ],
    [
      "a page too large",
      "GET",
      "/v1/bank/customers?limit=101",
      undefined,
      [{ field: "limit", message: "must be a whole number from 1 to 100" }],
    ],
    [
      "a page too far",
      "GET",
      "/v1/customers?take=100&page=101",
      undefined,
      [{ field: "page", message: "times take must be at most 10000" }],
    ],
    [
      "an unknown order",
      "GET",
      `/v1/bank/customers?sortBy=${SECRET}`,
      undefined,
      [{ field: "sortBy", message: "must be one of createdAt, -createdAt, updatedAt, -updatedAt, accountName, -accountName" }],
    ],
    [
      "a name of every object",
      "GET",
      "/v1/bank/customers?sortBy=constructor",
      undefined,
      [{ field: "sortBy", message: expect.any(String) }],
    ],
    ["no key", "GET", "/v1/bank/customer", undefined, [{ field: null, message: "exactly one of id, email, phrase is required" }]],
    [
      "two keys",
      "GET",
      "/v1/bank/customer?id=1&phrase=2",
      undefined,
      [{ field: null, message: "exactly one of id, email, phrase is required" }],
    ],
    [
      "a path that is not encoded right",
      "GET",
      "/v1/customers/%ff",
      undefined,
      [{ field: "idOrReferenceOrEmail", message: "is not percent-encoded UTF-8" }],
    ],
    [
      "a query string that is not encoded right",
      "GET",
      "/v1/bank/customer?phrase=%ff",
      undefined,
      [{ field: null, message: "is not percent-encoded UTF-8" }],
    ],
    [
      "one thing for a list",
      "POST",
      "/v1/bank/customers",
      { customers: { identity: SECRET } },
      [{ field: "customers", message: "must be a list" }],
    ],
    [
      "members of other types, all of them",
      "POST",
      "/v1/customers",
      { firstName: 1, lastName: [SECRET], email: {}, phone: true, dialCode: null, country: null },
      ["firstName", "lastName", "email", "phone"].map((field) => ({ field, message: "not a valid String." })),
    ],
    [
      "null for what must be there",
      "PATCH",
      "/v1/customers/some/blacklist",
      { blacklist: null },
      [{ field: "blacklist", message: "must not be null." }],
    ],
    ["malformed JSON", "POST", "/v1/customers", `{"firstName": "${SECRET}`, [{ field: null, message: "The body is not valid JSON." }]],
    ["a list", "POST", "/v1/customers", [], [{ field: null, message: "must be a JSON object" }]],
    ["null", "PATCH", "/v1/bank/customer", "null", [{ field: null, message: "must be a JSON object" }]],
    [
      "unknown and missing members, and an odd parameter",
      "PATCH",
      "/v1/bank/customer?a=1",
      { identity: SECRET },
      [
        { field: "a", message: "is no parameter of this route" },
        { field: "identity", message: "is no field of this route" },
        { field: "id", message: "is required" },
        { field: "update", message: "is required" },
      ],
    ],
    ["a member of an odd name", "POST", "/v1/customers", { [`a ${SECRET}`]: 1 }, [{ field: null, message: "has an unknown field" }]],
    ["what a path names, in the body", "PATCH", `/v1/customers/${id}`, { id }, [{ field: "id", message: "is no field of this route" }]],
    [
      "a member of the wrong type",
      "POST",
      "/v1/customers",
      { firstName: { a: SECRET } },
      [{ field: "firstName", message: "not a valid String." }],
    ],
    [
      "null for what must be",
      "PATCH",
      `/v1/customers/${id}/blacklist`,
      { blacklist: null },
      [{ field: "blacklist", message: expect.any(String) }],
    ],
    [
      "text for a boolean",
      "PATCH",
      `/v1/customers/${id}/blacklist`,
      { blacklist: SECRET },
      [{ field: "blacklist", message: "not a valid Boolean." }],
    ],
    [
      "an unknown member further down",
      "PATCH",
      "/v1/bank/customer",
      { id, update: { nickname: SECRET } },
      [{ field: "update", message: 'Field "nickname" is not defined by type "CustomerUpdateInput".' }],
    ],
    [
      "a gender that is none",
      "PATCH",
      "/v1/bank/customer",
      { id, update: { gender: SECRET } },
      [{ field: "update.gender", message: "not a value of Gender." }],
    ],
    [
      "a number in a row",
      "POST",
      "/v1/bank/customers",
      { customers: [{}, { firstname: 5 }] },
      [{ field: "customers[1].firstname", message: "not a valid String." }],
    ],
    ["no rows", "POST", "/v1/bank/customers", { customers: [] }, [{ field: null, message: "A batch has 1 to 500 rows." }]],
    [
      "values that break rules, by the route's names",
      "POST",
      "/v1/customers",
      { firstName: " ", email: SECRET, phone: SECRET },
      [
        { field: "firstName", message: "is required" },
        { field: "lastName", message: "is required" },
        { field: "email", message: expect.stringMatching(/^must be an e-mail address/) },
        { field: "phone", message: expect.stringMatching(/^must be a phone number/) },
      ],
    ],
    [
      "a dial code that is none",
      "POST",
      "/v1/customers",
      { dialCode: SECRET, phone: "1" },
      [{ field: "dialCode", message: "must be a country calling code, such as +234" }],
    ],
    ["a dial code of no phone", "POST", "/v1/customers", { dialCode: "+234" }, [{ field: "dialCode", message: "goes only with a phone" }]],
    [
      "another country's dial code",
      "POST",
      "/v1/customers",
      { dialCode: "+234", phone: "+233200000009" },
      [{ field: "dialCode", message: "is not the phone's" }],
    ],
    [
      "an Idempotency-Key that is none",
      "POST",
      "/v1/customers",
      { firstName: "A", lastName: "B", email: "a@example.com", country: "NG" },
      [{ field: null, message: "An idempotency key is 1 to 255 characters, none of them a control character." }],
    ],
  ];

  test.each(cases)("%s", async (what, method, path, body, errors) => {
    const headers: Record<string, string> = what.startsWith("an Idempotency-Key") ? { "idempotency-key": "x".repeat(256) } : {};
    const answer = await call(method, path, body, headers);
    expect([answer.status, answer.body]).toEqual([400, { statusCode: 400, success: false, message: "Invalid customer data", errors }]);
    expect(answer.text).not.toContain(SECRET);
  });
});

describe("other refusals are in the envelope", () => {
  test("401, before the body is read", async () => {
    const { status, headers, body } = await rest(gateway, "nonsense")("POST", "/v1/customers", "{");
    expect([status, headers.get("www-authenticate"), body]).toEqual([
      401,
      "Bearer",
      { statusCode: 401, success: false, message: expect.stringContaining("Send a valid key") },
    ]);
  });

  test.each([
    ["GET", "/v1/bank/nothing"],
    ["GET", "/v1/"],
    ["GET", "/v1/customers/"],
    ["GET", "/v1/customers/a/b"],
  ])("404 where there is nothing: %s %s", async (method, path) => {
    const { status, body } = await call(method, path, method === "GET" ? undefined : {});
    expect([status, body]).toEqual([
      404,
      { statusCode: 404, success: false, message: "There is nothing here; /openapi.json describes what is." },
    ]);
  });

  test("404 for customers that are not there, by each mutation", async () => {
    for (const [path, body] of [
      [`/v1/customers/${UUID}`, {}],
      ["/v1/customers/no-id", { firstName: "A" }],
      [`/v1/customers/${UUID}/blacklist`, { blacklist: true }],
      ["/v1/bank/customer", { id: UUID, update: {} }],
    ] as const) {
      const answer = await call("PATCH", path, body);
      expect([answer.status, answer.body]).toEqual([404, { statusCode: 404, success: false, message: "Customer not found" }]);
    }
  });

  test.each([
    ["DELETE", "/v1/bank/customer", "GET, HEAD, PATCH"],
    ["PUT", `/v1/customers/${UUID}`, "GET, HEAD, PATCH, DELETE"],
    ["POST", "/v1/bank/customer", "GET, HEAD, PATCH"],
    ["PUT", "/v1/customers", "GET, HEAD, POST"],
    ["GET", `/v1/customers/${UUID}/blacklist`, "PATCH"],
    ["OPTIONS", "/v1/bank/customers", "GET, HEAD, POST"],
  ])("405 with Allow: %s %s", async (method, path, allow) => {
    const { status, headers, body } = await call(method, path);
    expect(headers.get("x-ratelimit-limit")).not.toBe(null);
    expect([status, headers.get("allow"), body]).toEqual([
      405,
      allow,
      { statusCode: 405, success: false, message: `This path takes ${allow}.` },
    ]);
  });

  test("409 says on what, and for an idempotency key that went with another input", async () => {
    const row = batchRow(1);
    const again = await call("POST", "/v1/customers", { firstName: "A", lastName: "B", country: "NG", email: row.email.toUpperCase() });
    expect(again.body).toEqual({ statusCode: 409, success: false, message: "Customer with this email already exists" });
    const taken = await call("PATCH", `/v1/customers/${id}`, { email: batchRow(2).email });
    expect([taken.status, taken.body]).toEqual([409, again.body]);
    const headers = { "idempotency-key": "one" };
    const person = { firstName: "Once", lastName: "Only", country: "NG", email: "once@example.com" };
    const [first, second] = [await call("POST", "/v1/customers", person, headers), await call("POST", "/v1/customers", person, headers)];
    expect([first.status, second.status, second.body.data.id]).toEqual([201, 201, first.body.data.id]);
    const other = await call("POST", "/v1/customers", { ...person, email: "twice@example.com" }, headers);
    expect([other.status, other.body]).toEqual([
      409,
      { statusCode: 409, success: false, message: "This idempotency key was used with another input." },
    ]);
  });

  test("413 and 415", async () => {
    const limited = rest(gateway, await gateway.key({ scopes: ["customers:write"] }));
    const large = await limited("POST", "/v1/customers", `{"firstName": "${"x".repeat(100_000)}"}`);
    expect([large.status, large.body]).toEqual([413, { statusCode: 413, success: false, message: "The body is over 100000 bytes." }]);
    const form = await call("POST", "/v1/customers", "firstName=A", { "content-type": "application/x-www-form-urlencoded" });
    expect([form.status, form.body]).toEqual([415, { statusCode: 415, success: false, message: "Send application/json in UTF-8." }]);
  });
});

test("a batch under an idempotency key runs once", async () => {
  const headers = { "idempotency-key": "batch" };
  const customers = [batchRow(20), batchRow(21)];
  const [first, second] = [
    await call("POST", "/v1/bank/customers", { customers }, headers),
    await call("POST", "/v1/bank/customers", { customers }, headers),
  ];
  expect([second.status, second.body]).toEqual([201, first.body]);
  expect((await call("POST", "/v1/bank/customers", { customers })).body.data.summary).toMatchObject({ successful: 0, duplicates: 2 });
});

test("an empty update changes nothing; null clears, and what is left out stays", async () => {
  const before = (await call("PATCH", `/v1/customers/${id}`, { phone: "+2348031234567" })).body.data;
  expect((await call("PATCH", `/v1/customers/${id}`, {})).body.data).toEqual(before);
  const after = (await call("PATCH", `/v1/customers/${id}`, { phone: null })).body.data;
  expect(after).toEqual({ ...before, phone: null, dialCode: null, updatedAt: expect.any(String) });
});

test("a key of /v1/customers/{…} is tried as id, e-mail and reference, in this order", async () => {
  const [one, two] = [batchRow(30, { reference: id }), batchRow(31, { reference: batchRow(30).email })];
  const odd = batchRow(32, { reference: "a/b?c=d & ü" });
  const made = await call("POST", "/v1/bank/customers", { customers: [one, two, odd] });
  const [first, , third] = made.body.data.data.customerIds as string[];
  const found = async (text: string) => (await call("GET", `/v1/customers/${encodeURIComponent(text)}`)).body.data?.id;
  expect(await found(id)).toBe(id);
  expect(await found(one.email)).toBe(first);
  expect(await found("a/b?c=d & ü")).toBe(third);
  expect((await call("GET", `/v1/customers/${"x".repeat(5000)}`)).status).toBe(404);
  expect((await call("GET", "/v1/customers/%00")).status).toBe(404);
});

describe("lists", () => {
  const idsOf = async (query: string) => (await call("GET", `/v1/bank/customers?${query}`)).body.map((one: { id: string }) => one.id);

  test.each([
    ["separated by commas", (list: string[]) => `ids=${list.join(",")}`],
    ["repeated", (list: string[]) => list.map((one) => `ids=${one}`).join("&")],
    ["as ids[]", (list: string[]) => list.map((one) => `ids[]=${one}`).join("&")],
  ])("ids %s", async (_how, query) => {
    expect((await idsOf(query(ids))).sort()).toEqual([...ids].sort());
    expect(await idsOf(query([ids[0]!]))).toEqual([ids[0]]);
  });

  test("phrases, both, and a list that is empty", async () => {
    const customers = (await call("GET", `/v1/bank/customers?ids=${ids.join(",")}`)).body as { id: string; phrase: string }[];
    const [one, two] = customers as [{ id: string; phrase: string }, { id: string; phrase: string }];
    expect((await idsOf(`phrases=${one.phrase},${two.phrase}`)).sort()).toEqual([one.id, two.id].sort());
    expect(await idsOf(`phrases=${one.phrase}&ids=${two.id}`)).toEqual([]);
    expect(await idsOf("ids=")).toEqual([]);
  });

  test("more values than a filter takes are refused", async () => {
    const { status, body } = await call("GET", `/v1/bank/customers?ids=${Array.from({ length: 501 }, (_, index) => index).join(",")}`);
    expect([status, body.errors]).toEqual([400, [{ field: null, message: "filter.ids takes at most 500 values." }]]);
  });

  test.each(["createdAt", "updatedAt", "accountName"])("sorted by %s, either way", async (name) => {
    const up = await idsOf(`sortBy=${name}&limit=100`);
    const down = await idsOf(`sortBy=-${name}&limit=100`);
    expect(up.length).toBeGreaterThan(3);
    expect(down).toEqual(up.toReversed());
  });
});

describe("HEAD, ETag and CORS", () => {
  test("HEAD answers as GET, without the body", async () => {
    const path = `/v1/bank/customers/${id}`;
    const [get, head] = [await call("GET", path), await call("HEAD", path)];
    expect([head.status, head.text, head.headers.get("etag")]).toEqual([200, "", get.headers.get("etag")]);
    expect((await call("HEAD", `/v1/bank/customers/${UUID}`)).status).toBe(404);
  });

  test("GET has an ETag for its body and key, and 304 for who has it", async () => {
    const first = await call("GET", "/v1/customers?take=1");
    const etag = first.headers.get("etag")!;
    expect(first.headers.get("vary")).toContain("Authorization, X-Visibility, Accept");
    const again = await call("GET", "/v1/customers?take=1", undefined, { "if-none-match": etag });
    expect([again.status, again.text]).toEqual([304, ""]);
    const lowered = await call("GET", "/v1/customers?take=1", undefined, { "if-none-match": etag, "x-visibility": "standard" });
    expect(lowered.status).toBe(200);
  });

  test("a listed origin's preflight names the path's methods, and its scripts may read answers", async () => {
    const asked = { origin: ORIGIN, "access-control-request-method": "PATCH" };
    const preflight = await rest(gateway, null)("OPTIONS", `/v1/customers/${id}`, undefined, asked);
    expect([preflight.status, preflight.headers.get("access-control-allow-methods")]).toEqual([204, "GET, HEAD, PATCH, DELETE"]);
    const other = await rest(gateway, null)("OPTIONS", `/v1/customers/${id}`, undefined, { ...asked, origin: "https://evil.example" });
    expect([other.status, other.headers.get("access-control-allow-methods")]).toEqual([405, null]);
    const answer = await call("GET", "/v1/customers?take=1", undefined, { origin: ORIGIN });
    expect(answer.headers.get("access-control-allow-origin")).toBe(ORIGIN);
  });
});

test("over a socket every method does what it does without one", async () => {
  const server = createServer(gateway.app.handle).listen(0, "127.0.0.1");
  await once(server, "listening");
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const send = async (method: string, path: string, body?: object) => {
    const headers = { authorization: `Bearer ${key}`, ...(body && { "content-type": "application/json" }) };
    const response = await fetch(base + path, { method, headers, body: body && JSON.stringify(body) });
    return { status: response.status, text: await response.text() };
  };
  const path = `/v1/customers/${id}`;
  expect(await send("HEAD", path)).toEqual({ status: 200, text: "" });
  expect((await send("PATCH", path, { lastName: "Socket" })).status).toBe(200);
  expect(JSON.parse((await send("GET", path)).text).data.lastName).toBe("Socket");
  expect((await send("POST", "/v1/customers", {})).status).toBe(400);
  expect((await send("PUT", path)).status).toBe(405);
  expect((await send("HEAD", "/openapi.json")).status).toBe(200);
  server.close();
});
