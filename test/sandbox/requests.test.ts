import { describe, expect, test, vi } from "vitest";
import { registerDocuments } from "../../src/documents/register.ts";
import { STANDARD_REST_DOCUMENTS } from "../../src/http/rest/rest-documents.ts";
import { type MagicCode, magicEmail, magicId } from "../../src/sandbox/magic.ts";
import { batchRow, caller, person } from "../support/customers.ts";
import { openGateway } from "../support/gateway.ts";
import { rest } from "../support/rest.ts";
import { audited } from "../modules/audit/support.ts";

const gateway = await openGateway();
const { db } = gateway.app.services;
const key = await gateway.key();
const live = await gateway.key({ mode: "LIVE" });
const partner = await gateway.key({ audience: "PARTNER", scopes: ["customers:read"], client: "shop" });
const { id: shop } = await db.client.findUniqueOrThrow({ where: { tenantId_name: { tenantId: "alpha", name: "shop" } } });
await registerDocuments(db, shop, STANDARD_REST_DOCUMENTS);

const FIND = "query ($by: CustomerBy!) { customer(by: $by) { id } }";
const CREATE = "mutation ($input: CreateCustomerInput!) { createCustomer(input: $input) { __typename } }";
const timed = async <T>(work: Promise<T>) => {
  const begun = performance.now();
  return { answer: await work, ms: performance.now() - begun };
};

describe("a request comes to what it asks for", () => {
  const FAULTS: [MagicCode, number][] = [
    ["RATE_LIMITED", 429],
    ["INTERNAL_SERVER_ERROR", 500],
    ["UNAVAILABLE", 503],
    ["TIMEOUT", 504],
  ];

  test.each(FAULTS)("%s: %d, whatever the way, and not in live", async (code, status) => {
    const { body, ...query } = await gateway.query(key, FIND, { by: { id: magicId(code) } });
    expect([query.status, body.errors!.map(({ extensions }) => extensions.code)]).toEqual([status, [code]]);
    const mutation = await audited(gateway, key, CREATE, { input: person("magic", { email: magicEmail(code) }) });
    expect([mutation.status, mutation.body.errors![0]!.extensions.code]).toEqual([status, code]);
    // What a refusal of limits keeps from running is noted nowhere; a fault of a mutation is.
    const noted = code === "RATE_LIMITED" ? [] : [{ action: "WRITE", operation: "createCustomer", outcome: code }];
    expect(mutation.entries).toMatchObject(noted);
    expect(mutation.entries).toHaveLength(noted.length);
    for (const [bearer, path] of [
      [key, `/v1/customers/${magicEmail(code)}`],
      [partner, `/v1/bank/customer?email=${magicEmail(code)}`],
    ] as const) {
      const answer = await rest(gateway, bearer)("GET", path);
      expect([answer.status, answer.body]).toEqual([status, { statusCode: status, success: false, message: body.errors![0]!.message }]);
    }
    const there = await gateway.query(live, FIND, { by: { email: magicEmail(code) } });
    expect([there.status, there.body.data]).toEqual([200, { customer: null }]);
    expect(await rest(gateway, live)("GET", `/v1/bank/customers/${magicId(code)}`)).toMatchObject({ status: 404 });
  });

  test.each(FAULTS)("%s: also by the default of a variable", async (code, status) => {
    const answer = await gateway.query(key, `query ($email: String = "${magicEmail(code)}") { customer(by: { email: $email }) { id } }`);
    expect([answer.status, answer.body.errors!.map(({ extensions }) => extensions.code)]).toEqual([status, [code]]);
  });

  test("RATE_LIMITED tells it in every header, and the key goes on with what it has", async () => {
    const asks = (by: object) => gateway.query(key, FIND, { by });
    const [refused, other] = await Promise.all([asks({ id: magicId("RATE_LIMITED") }), asks({ id: crypto.randomUUID() })]);
    expect(refused.headers.get("x-ratelimit-remaining")).toBe("0");
    expect(refused.headers.get("ratelimit")).toMatch(/^"points";r=0;t=\d+$/);
    expect(Number(refused.headers.get("retry-after"))).toBeGreaterThanOrEqual(1);
    expect(refused.body).toEqual({
      errors: [expect.objectContaining({ message: expect.stringContaining("0 of") })],
      extensions: { cost: expect.objectContaining({ remaining: 0 }) },
    });
    expect([other.status, other.headers.get("retry-after")]).toEqual([200, null]);
    const after = await asks({ id: crypto.randomUUID() });
    expect(Number(after.headers.get("x-ratelimit-remaining"))).toBeGreaterThan(90_000);
  });

  test("UNAVAILABLE says when to come again; none of it wrote anything", async () => {
    const { headers } = await gateway.query(key, FIND, { by: { id: magicId("UNAVAILABLE") } });
    expect(headers.get("retry-after")).toBe("1");
    expect(await db.customer.count({ where: { bankId: "alpha", mode: "SANDBOX" } })).toBe(0);
  });
});

describe("a slow answer", () => {
  const find = (by: object, bearer = key) => gateway.query(bearer, FIND, { by });

  test("is the ordinary one, three seconds late; it holds nobody up, and ends with its caller", async () => {
    const client = new AbortController();
    const path = `/v1/bank/customers/${magicId("SLOW")}`;
    const abandoned = gateway.send(path, { headers: { authorization: `Bearer ${key}` }, signal: client.signal });
    const slow = timed(gateway.query(key, CREATE, { input: person("slow", { email: magicEmail("SLOW") }) }));
    await find({ email: magicEmail("SLOW") }, live);
    await find({ id: crypto.randomUUID() });
    client.abort();
    expect((await abandoned).status).toBe(404);
    expect(await Promise.race([slow, Promise.resolve("still waiting")])).toBe("still waiting");
    const { answer, ms } = await slow;
    expect(answer.body.data).toEqual({ createCustomer: { __typename: "Customer" } });
    expect(ms).toBeGreaterThan(2_950);
  });

  test("is three seconds late by a route that looks more than once", async () => {
    const { answer, ms } = await timed(rest(gateway, key)("GET", `/v1/customers/${magicEmail("SLOW").replace("@", "%2Bnobody@")}`));
    expect(answer.status).toBe(404);
    expect(ms).toBeGreaterThanOrEqual(2_900);
    expect(ms).toBeLessThan(5_900);
  });

  test("is had by 50 at once; the next are not slow, and nobody waits for a connection", async () => {
    const all = await Promise.all(Array.from({ length: 60 }, () => timed(find({ id: magicId("SLOW") }))));
    expect(all.every(({ answer }) => answer.status === 200 && answer.body.data.customer === null)).toBe(true);
    const atOnce = all.filter(({ ms }) => ms < 2_950).length;
    expect([atOnce > 0, atOnce <= 10]).toEqual([true, true]);
  });
});

test("a slow answer ends with the gateway's stop, and is done all the same", async () => {
  const stopping = await openGateway();
  const slow = timed(caller(stopping, await stopping.key()).create(person("slow", { email: magicEmail("SLOW") })));
  await new Promise((resolve) => setTimeout(resolve, 300));
  stopping.app.endStreams();
  const { answer, ms } = await slow;
  expect(answer).toMatchObject({ __typename: "Customer" });
  expect(ms).toBeLessThan(2_500);
});

describe("batches", () => {
  const MAGIC_ROWS = ["INVALID_DATA", "VALIDATION_ERROR", "DUPLICATE_IN_BATCH", "EXISTING_CUSTOMER"] as const;
  /** A row of each kind between two that are as any. */
  const mixed = (number: number) => [
    batchRow(number),
    ...MAGIC_ROWS.map((code, index) => batchRow(number + 1 + index, { email: magicEmail(code) })),
    batchRow(number + 9),
  ];
  const here = caller(gateway, key);
  const FAILURES = [
    { code: "INVALID_DATA", index: 1, issues: [{ field: null }] },
    { code: "VALIDATION_ERROR", index: 2, issues: [{ field: null }] },
    { code: "DUPLICATE_IN_BATCH", index: 3, field: "EMAIL", firstIndex: 2 },
    { code: "EXISTING_CUSTOMER", index: 4, matchedOn: "EMAIL", customerId: magicId("CUSTOMER_NOT_FOUND") },
  ];
  const completed = (id: string) =>
    vi.waitFor(
      async () => {
        const { body } = await gateway.query(
          key,
          "query ($id: ID!) { batch(id: $id) { status summary { successful failed duplicates invalidData pending } failures { ... on BatchItemFailure { code index } } } }",
          { id },
        );
        expect(body.data.batch.status).not.toBe("PROCESSING");
        return body.data.batch;
      },
      { timeout: 30_000, interval: 50 },
    );

  test("a row is refused as it asks, and the others are created", async () => {
    const batch = await here.batch(mixed(10));
    expect(batch).toMatchObject({ status: "COMPLETED", failures: FAILURES, createdCount: 2 });
    expect(batch.summary).toMatchObject({ total: 6, successful: 2, failed: 4, duplicates: 2, invalidData: 2 });
    expect(await here.batch(mixed(30), { dryRun: true })).toMatchObject({ failures: FAILURES, createdCount: 0 });
    expect(await here.batch(mixed(30), { atomicity: "ALL_OR_NOTHING" })).toMatchObject({ status: "FAILED", summary: { rolledBack: 2 } });
    const sent = await here.batch(mixed(30), { processing: "BACKGROUND" });
    expect(await completed(sent.id)).toMatchObject({
      status: "COMPLETED",
      summary: { successful: 2, failed: 4, duplicates: 2, invalidData: 2 },
      failures: FAILURES.map(({ code, index }) => ({ code, index })),
    });
  });

  test("PROCESSING although COMPLETE was asked for, completed by the worker, and once for its key, two at once", async () => {
    const rows = [batchRow(50, { email: magicEmail("PROCESSING") }), ...mixed(51)];
    const call = () => here.batch(rows, { idempotencyKey: "processing", processing: "COMPLETE" });
    const both = await Promise.all([call(), call()]);
    expect(both.map(({ id }) => id)).toEqual([both[0]!.id, both[0]!.id]);
    expect(both.map(({ replayed }) => replayed).sort()).toEqual([false, true]);
    expect(both.find(({ replayed }) => !replayed)).toMatchObject({ status: "PROCESSING", summary: { pending: 7 }, customerIds: [] });
    expect(await completed(both[0]!.id)).toMatchObject({ status: "COMPLETED", summary: { successful: 3, failed: 4, pending: 0 } });
  });

  test("all of it by REST", async () => {
    const send = rest(gateway, key);
    const batch = (email: string) => send("POST", "/v1/bank/customers", { customers: [batchRow(70, { email }), batchRow(71)] });
    const of = (code: MagicCode) => batch(magicEmail(code));
    expect(await of("EXISTING_CUSTOMER")).toMatchObject({
      status: 201,
      body: { data: { status: "COMPLETED", failures: [{ index: 0, code: "EXISTING_CUSTOMER" }] } },
    });
    expect(await batch("processing+rest@sandbox.test")).toMatchObject({ status: 201, body: { data: { status: "PROCESSING" } } });
    expect(await of("INVALID_BATCH")).toMatchObject({ status: 400, body: { errors: [{ field: null }] } });
    expect(await of("IDEMPOTENCY_CONFLICT")).toMatchObject({ status: 409 });
    expect(await of("UNAVAILABLE")).toMatchObject({ status: 503 });
  });
});

test.each<[MagicCode, number, string]>([
  ["INVALID_CUSTOMER_DATA", 400, "Invalid customer data"],
  ["CUSTOMER_NOT_FOUND", 404, "Customer not found"],
  ["CUSTOMER_ALREADY_EXISTS", 409, "Customer with this email already exists"],
  ["VERSION_CONFLICT", 409, "The customer was changed meanwhile: read it again."],
])("%s by REST: %d", async (code, status, message) => {
  const send = rest(gateway, key);
  const email = magicEmail(code);
  const update = await send("PATCH", `/v1/customers/${crypto.randomUUID()}`, { email });
  expect([update.status, update.body.message]).toEqual([status, message]);
  const { id } = await caller(gateway, key).create(person(`rest-${code.toLowerCase()}`));
  expect(await send("PATCH", "/v1/bank/customer", { id, update: { email } })).toMatchObject({ status, body: { message } });
  if (code !== "CUSTOMER_ALREADY_EXISTS")
    expect(await send("PATCH", `/v1/customers/${magicId(code)}/blacklist`, { blacklist: true })).toMatchObject({ status });
});
