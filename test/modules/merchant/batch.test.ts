import { expect, test, vi } from "vitest";
import { batchRow, caller, dataOf, everyRow } from "../../support/customers.ts";
import { openGateway } from "../../support/gateway.ts";
import { merchantRow, provider } from "../../support/merchants.ts";

const gateway = await openGateway();
const { db } = gateway.app.services;

/** A provider of its own for each test, so that none sees another's merchants. */
const of = async (bank: string) => provider(gateway, await gateway.key({ bank, scopes: ["merchants:write"] }));
const stored = (bankId: string) => db.merchant.count({ where: { bankId } });
const rows = (...numbers: number[]) => numbers.map((number) => merchantRow(number));

test("merchants are stored in their normal form, BASIC, and read back in the order of the rows", async () => {
  const { batch, ask, find } = await of("forms");
  const { merchantIds, ...result } = await batch([
    merchantRow(1, {
      name: "  Cafe\u0301 ",
      email: "Shop@EXAMPLE.com",
      country: "ng",
      phone: "0803 123 4567",
      website: "https://shop.example/a?b",
      address: "1 Road\nLagos",
      state: " ",
    }),
    merchantRow(2),
  ]);
  expect(result).toMatchObject({ __typename: "MerchantBatchResult", status: "COMPLETED", createdCount: 2, failures: [], replayed: false });
  expect(result.id).toMatch(/^mbt_[0-9a-f-]{36}$/);
  for (const id of merchantIds) expect(id).toMatch(/^mer_[0-9a-f-]{36}$/);
  expect(await find(merchantIds[0])).toEqual({
    id: merchantIds[0],
    name: "Café",
    email: "shop@example.com",
    country: "NG",
    phone: "+2348031234567",
    address: "1 Road\nLagos",
    state: null,
    website: "https://shop.example/a?b",
    clientRef: "shop-1",
    reference: "shop-ref-1",
    trustLevel: "BASIC",
    version: 1,
    createdAt: result.createdAt,
    updatedAt: result.createdAt,
  });
  const listed = await ask(
    "query ($id: ID!) { merchantsBatch(id: $id) { merchants(first: 1) { totalCount nodes { id } pageInfo { hasNextPage endCursor } } } }",
    { id: result.id },
  );
  expect(listed.merchants).toMatchObject({ totalCount: 2, nodes: [{ id: merchantIds[0] }], pageInfo: { hasNextPage: true } });
  const next = await ask(
    "query ($id: ID!, $after: String) { merchantsBatch(id: $id) { merchants(after: $after) { nodes { id name history { nodes { type version trustLevel } } } } } }",
    { id: result.id, after: listed.merchants.pageInfo.endCursor },
  );
  const created = { type: "CREATED", version: 1, trustLevel: "BASIC" };
  expect(next.merchants.nodes).toEqual([{ id: merchantIds[1], name: "Shop 2", history: { nodes: [created] } }]);
});

test("each row has the first failure of the contract's order, and its message names a merchant", async () => {
  const { batch, readBatch } = await of("failures");
  const { merchantIds } = await batch(rows(100));
  const result = await batch([
    merchantRow(1),
    null,
    {},
    merchantRow(2, { name: "\u200b", website: "ftp://x.example" }),
    merchantRow(3, { email: "none", country: "ZZ", phone: "123", website: "ftp://x.example", name: "x".repeat(201) }),
    merchantRow(4, { reference: "shop-ref-1" }),
    merchantRow(5, { email: "SHOP.100@example.com" }),
    merchantRow(6, { clientRef: "shop-100" }),
    merchantRow(7),
  ]);
  const required = (...fields: string[]) => fields.map((field) => ({ field, message: "is required" }));
  expect(result.summary).toEqual({ total: 9, successful: 2, failed: 7, duplicates: 3, invalidData: 4, pending: 0, rolledBack: 0 });
  const failures = [
    { __typename: "InvalidData", index: 1, clientRef: null, code: "INVALID_DATA", issues: [{ field: null, message: "the row is null" }] },
    { __typename: "InvalidData", index: 2, issues: required("clientRef", "name", "country", "email", "reference") },
    { __typename: "InvalidData", index: 3, clientRef: "shop-2", issues: required("name") },
    {
      __typename: "ValidationError",
      index: 4,
      code: "VALIDATION_ERROR",
      issues: [
        { field: "name", message: "must be at most 200 characters" },
        { field: "country", message: "must be an ISO 3166-1 alpha-2 country code, such as NG" },
        { field: "email", message: "must be an e-mail address, such as name@example.com" },
        { field: "phone", message: "must be a phone number, such as +2348012345678" },
        { field: "website", message: "must be an http or https address" },
      ],
    },
    { __typename: "DuplicateInBatch", index: 5, code: "DUPLICATE_IN_BATCH", field: "REFERENCE", firstIndex: 0 },
    {
      __typename: "ExistingCustomer",
      index: 6,
      code: "EXISTING_CUSTOMER",
      message: "Merchant with this email already exists",
      matchedOn: "EMAIL",
      customerId: merchantIds[0],
    },
    { __typename: "ExistingCustomer", index: 7, matchedOn: "CLIENT_REF", customerId: merchantIds[0] },
  ];
  expect(result.failures).toMatchObject(failures);
  expect((await readBatch(result.id)).failures).toMatchObject(failures);
  expect(await stored("failures")).toBe(3);
});

test("an empty batch and one of 501 rows are InvalidBatch; 500 rows go through at once", async () => {
  const { batch } = await of("sizes");
  for (const some of [[], Array.from({ length: 501 }, (_, number) => merchantRow(number))]) {
    expect(await batch(some)).toMatchObject({ __typename: "InvalidBatch", code: "INVALID_BATCH", maxRows: 500 });
  }
  expect(await stored("sizes")).toBe(0);
  const full = Array.from({ length: 500 }, (_, number) => merchantRow(number, { address: "x".repeat(300) }));
  expect((await batch(full)).createdCount).toBe(500);
  expect(await db.merchantEvent.count({ where: { bankId: "sizes" } })).toBe(500);
});

test("the same key and input gives the first answer again, another input a conflict, and a customers' key is another key", async () => {
  const key = await gateway.key({ bank: "keyed" });
  const { batch } = provider(gateway, key);
  const first = await batch(rows(1), { idempotencyKey: "one" });
  expect(await batch(rows(1), { idempotencyKey: "one" })).toEqual({ ...first, replayed: true });
  expect(await batch(rows(2), { idempotencyKey: "one" })).toMatchObject({ __typename: "IdempotencyConflict" });
  const customers = await caller(gateway, key).batch([batchRow(1)], { idempotencyKey: "one" });
  expect(customers).toMatchObject({ __typename: "BatchResult", replayed: false, createdCount: 1 });
  const parallel = await Promise.all(Array.from({ length: 8 }, () => batch(rows(3), { idempotencyKey: "two" })));
  expect(parallel.filter(({ replayed }) => !replayed)).toHaveLength(1);
  expect(await stored("keyed")).toBe(2);
});

test("a dry run tells what the real run would, writes no merchant and ignores the key", async () => {
  const { batch } = await of("dry");
  await batch(rows(100));
  const mixed = [merchantRow(1), merchantRow(2, { email: "SHOP.1@example.com" }), merchantRow(3, { reference: "shop-ref-100" })];
  for (const atomicity of ["ALL_OR_NOTHING", "PARTIAL"]) {
    const dry = await batch(mixed, { atomicity, dryRun: true, idempotencyKey: atomicity });
    expect(await stored("dry")).toBe(1);
    const real = await batch(mixed, { atomicity, idempotencyKey: atomicity });
    expect(real).toMatchObject({ replayed: false, status: dry.status, summary: dry.summary, failures: dry.failures });
    expect(dry).toMatchObject({ dryRun: true, createdCount: 0, merchantIds: [] });
  }
  expect(await stored("dry")).toBe(2);
});

test.each([
  ["INVALID_DATA", { email: "" }],
  ["VALIDATION_ERROR", { website: "nowhere" }],
  ["DUPLICATE_IN_BATCH", { reference: "shop-ref-2" }],
  ["EXISTING_CUSTOMER", { clientRef: "shop-100" }],
])("ALL_OR_NOTHING writes nothing when the one failure is %s", async (code, changes) => {
  const bank = `atomic-${code.toLowerCase()}`;
  const { batch } = await of(bank);
  await batch(rows(100));
  const result = await batch([...rows(1, 2), merchantRow(9, changes), ...rows(3)], { atomicity: "ALL_OR_NOTHING" });
  expect(result).toMatchObject({ status: "FAILED", createdCount: 0, merchantIds: [], failures: [{ index: 2, code }] });
  expect(result.summary).toMatchObject({ total: 4, successful: 0, failed: 1, pending: 0, rolledBack: 3 });
  expect([await stored(bank), await db.merchantEvent.count({ where: { bankId: bank } })]).toEqual([1, 1]);
});

test("batches at once with the same keys in opposite orders: each merchant exactly once", async () => {
  const { batch } = await of("races");
  const numbers = Array.from({ length: 40 }, (_, number) => number);
  const results = await Promise.all([0, 1, 2, 3].map((turn) => batch(rows(...(turn % 2 ? numbers : numbers.toReversed())))));
  for (const { summary } of results)
    expect(summary).toMatchObject({ total: 40, duplicates: summary.failed, successful: 40 - summary.failed });
  expect(results.reduce((sum, { createdCount }) => sum + createdCount, 0)).toBe(40);
  expect(await stored("races")).toBe(40);
});

test("in the background: PROCESSING at once, the rows encrypted meanwhile, and the outcome by `merchantsBatch`", async () => {
  const key = await gateway.key({ bank: "later", scopes: ["merchants:write"] });
  const { batch, readBatch, history } = provider(gateway, key);
  const many = Array.from({ length: 150 }, (_, number) => merchantRow(number, { name: `zqlater ${number}` }));
  const sent = await batch([...many, merchantRow(1)], { processing: "BACKGROUND" });
  expect(sent).toMatchObject({ status: "PROCESSING", merchantIds: [], summary: { total: 151, pending: 151 } });
  await vi.waitFor(async () => expect((await readBatch(sent.id)).status).toBe("COMPLETED"), { timeout: 30_000, interval: 200 });
  const done = await readBatch(sent.id);
  expect(done).toMatchObject({ createdCount: 150, summary: { successful: 150, failed: 1, pending: 0 } });
  expect(done.failures).toMatchObject([{ index: 150, code: "DUPLICATE_IN_BATCH", field: "EMAIL", firstIndex: 1 }]);
  expect(await history(done.merchantIds[0])).toMatchObject([{ type: "CREATED", actor: key.split("_")[2] }]);
  expect((await everyRow(gateway)).filter(({ table, text }) => table !== "merchant" && text.includes("zqlater"))).toEqual([]);
});

test("a batch of merchants is none of customers', and the other way round", async () => {
  const key = await gateway.key({ bank: "kinds" });
  const { batch, ask } = provider(gateway, key);
  const merchants = (await batch([...rows(1), {}])).id as string;
  const customers = (await caller(gateway, key).batch([batchRow(1)])).id as string;
  const [asCustomers, asMerchants] = [merchants.replace("mbt_", "bat_"), customers.replace("bat_", "mbt_")];
  expect(await ask(`{ batch(id: "${asCustomers}") { id } }`)).toBeNull();
  expect(await ask(`{ merchantsBatch(id: "${asMerchants}") { id } }`)).toBeNull();
  for (const id of [asCustomers, asMerchants]) expect(await ask(`{ node(id: "${id}") { id } }`)).toBeNull();
  expect(await ask(`{ node(id: "${merchants}") { __typename id } }`)).toEqual({ __typename: "MerchantBatchResult", id: merchants });
  expect(await ask("{ batches { nodes { id } } }")).toEqual({ nodes: [{ id: customers }] });
  const report = `{ migrationReport(from: "${new Date(Date.now() - 3_600_000).toISOString()}", to: "${new Date(Date.now() + 3_600_000).toISOString()}") { figures { batches } } }`;
  expect(await ask(report)).toEqual({ figures: { batches: 1 } });
  // A stream of customers' batches does not know it.
  for (const id of [merchants, asCustomers]) {
    const { body } = await gateway.query(key, `subscription { batchProgress(id: "${id}") { status } }`);
    expect(dataOf(body)).toBeNull();
  }
  // Who sends customers reads no batch of merchants, neither as itself nor by `node`.
  const other = await gateway.key({ bank: "kinds", scopes: ["batches:write", "customers:read:sensitive", "customers:write"] });
  for (const document of [`{ merchantsBatch(id: "${merchants}") { id } }`, `{ node(id: "${merchants}") { id } }`]) {
    expect((await gateway.query(other, document)).body.errors![0]!.extensions).toMatchObject({
      code: "FORBIDDEN",
      requires: "merchants:write",
    });
  }
});
