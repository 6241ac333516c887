import { expect, test } from "vitest";
import { removeExpiredKeys } from "../../src/changes/idempotency.ts";
import { BATCH, batchRow, caller, dataOf, person } from "../support/customers.ts";
import { type KeyOptions, openGateway, withoutCost } from "../support/gateway.ts";

const gateway = await openGateway();
const { db } = gateway.app.services;

const HOUR_MS = 60 * 60 * 1000;
const rows = (...numbers: number[]) => numbers.map((number) => batchRow(number));
const stored = (bankId: string) => db.customer.count({ where: { bankId } });

test("the same key and input give the first answer again, byte for byte, but for replayed", async () => {
  const key = await gateway.key({ bank: "same" });
  const input = { customers: [...rows(1, 2), null, batchRow(3, { country: "ZZ" })], idempotencyKey: "k" };
  const first = await gateway.query(key, BATCH, { input });
  // Left out, null and a default's own value are one input.
  for (const again of [
    input,
    { ...input, atomicity: "PARTIAL", dryRun: false },
    { ...input, customers: [batchRow(1, { phone: null }), ...input.customers.slice(1)] },
  ]) {
    const replay = await gateway.query(key, BATCH, { input: again });
    expect(withoutCost(JSON.stringify(replay.body))).toBe(
      withoutCost(JSON.stringify(first.body)).replace('"replayed":false', '"replayed":true'),
    );
  }
  expect(await stored("same")).toBe(2);
  expect(await db.batch.count({ where: { bankId: "same" } })).toBe(1);
});

test("another input is an IdempotencyConflict, and nothing is written", async () => {
  const { batch } = caller(gateway, await gateway.key({ bank: "other" }));
  await batch(rows(1), { idempotencyKey: "k" });
  const others = [
    [rows(2), {}],
    [rows(1, 2), {}],
    [rows(1), { atomicity: "ALL_OR_NOTHING" }],
    [[batchRow(1, { email: "CUSTOMER.1@example.com" })], {}],
  ] as const;
  for (const [customers, options] of others) {
    expect(await batch(customers as unknown[], { ...options, idempotencyKey: "k" })).toMatchObject({
      __typename: "IdempotencyConflict",
      code: "IDEMPOTENCY_CONFLICT",
    });
  }
  expect(await stored("other")).toBe(1);
});

test("createCustomer gives its first customer again, and fails as it failed until it has made one", async () => {
  const { create, update } = caller(gateway, await gateway.key({ bank: "create" }));
  expect(await create({ ...person("ada"), country: "ZZ", idempotencyKey: "k" })).toMatchObject({ __typename: "InvalidCustomerData" });
  const first = await create({ ...person("ada"), idempotencyKey: "k" });
  expect(await create({ ...person("ada"), idempotencyKey: "k" })).toEqual(first);
  expect(await create({ ...person("bob"), idempotencyKey: "k" })).toMatchObject({ __typename: "IdempotencyConflict" });
  // The stored id, as it is now.
  await update({ id: first.id, update: { state: "Kano" } });
  expect(await create({ ...person("ada"), idempotencyKey: "k" })).toMatchObject({ id: first.id, state: "Kano", version: 2 });
  expect(await stored("create")).toBe(1);
});

test("a key is new again after 24 hours, and until then it is not", async () => {
  const { batch } = caller(gateway, await gateway.key({ bank: "expiry" }));
  const age = (ms: number) => db.idempotencyKey.updateMany({ where: { bankId: "expiry" }, data: { createdAt: new Date(Date.now() - ms) } });
  const first = await batch(rows(1), { idempotencyKey: "k" });
  await age(24 * HOUR_MS - 60_000);
  await removeExpiredKeys(db).run();
  expect(await batch(rows(1), { idempotencyKey: "k" })).toEqual({ ...first, replayed: true });
  await age(24 * HOUR_MS + 1000);
  const second = await batch(rows(2), { idempotencyKey: "k" });
  expect(second).toMatchObject({ replayed: false, createdCount: 1 });
  expect(await batch(rows(2), { idempotencyKey: "k" })).toEqual({ ...second, replayed: true });
  await age(24 * HOUR_MS + 1000);
  await removeExpiredKeys(db).run();
  expect(await db.idempotencyKey.count({ where: { bankId: "expiry" } })).toBe(0);
});

test("of 50 sends of one key at once, one runs and the others give its answer", async () => {
  const { batch, create } = caller(gateway, await gateway.key({ bank: "fifty" }));
  const batches = await Promise.all(Array.from({ length: 50 }, () => batch(rows(1, 2, 3), { idempotencyKey: "k" })));
  expect(batches.filter(({ replayed }) => !replayed)).toHaveLength(1);
  const first = batches.find(({ replayed }) => !replayed);
  expect(first.createdCount).toBe(3);
  for (const each of batches) expect({ ...each, replayed: false }).toEqual(first);
  const created = await Promise.all(Array.from({ length: 50 }, () => create({ ...person("fifty"), idempotencyKey: "k" })));
  for (const each of created) expect(each).toEqual(created[0]);
  expect(created[0].__typename).toBe("Customer");
  expect(await stored("fifty")).toBe(4);
});

test("of sends of one key with different inputs at once, one runs and the others conflict", async () => {
  const { batch } = caller(gateway, await gateway.key({ bank: "clash" }));
  const results = await Promise.all([1, 2, 3, 4, 5].map((number) => batch(rows(number), { idempotencyKey: "k" })));
  expect(results.map(({ __typename }) => __typename).sort()).toEqual(["BatchResult", ...Array<string>(4).fill("IdempotencyConflict")]);
  expect(await stored("clash")).toBe(1);
});

test("a replay shows customers under the present caller's visibility", async () => {
  const REPLAY = `mutation ($input: CreateCustomersBatchInput!) { createCustomersBatch(input: $input) { ... on BatchResult {
    replayed customerIds customers { nodes { id accountName email accountNumber redactedFields } }
  } } }`;
  const input = { customers: rows(1), idempotencyKey: "k" };
  const send = async (options: KeyOptions = {}) => {
    const { body } = await gateway.query(await gateway.key({ bank: "replay", ...options }), REPLAY, { input });
    return dataOf(body);
  };
  const [full] = (await send()).customers.nodes;
  expect(full).toMatchObject({ email: "customer.1@example.com", accountNumber: "1000000001", redactedFields: [] });
  const low = await send({ audience: "APP", scopes: ["customers:read", "batches:write"] });
  expect(low).toMatchObject({ replayed: true, customerIds: [full.id] });
  expect(low.customers.nodes).toEqual([
    { id: full.id, accountName: full.accountName, email: null, accountNumber: null, redactedFields: ["EMAIL", "ACCOUNT_NUMBER"] },
  ]);
});
