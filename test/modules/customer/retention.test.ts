import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { pino } from "pino";
import { expect, test } from "vitest";
import { buildApp } from "../../../src/app.ts";
import { verifyAudit } from "../../../src/audit/verify.ts";
import type { Mode } from "../../../src/database/generated/enums.ts";
import { removeOldBatches } from "../../../src/modules/batch/batch.retention.job.ts";
import { eraseInactiveCustomers, removeOldTombstones } from "../../../src/modules/customer/customer.retention.job.ts";
import { batchRow, caller, person } from "../../support/customers.ts";
import { openGateway } from "../../support/gateway.ts";
import { ON_POSTGRES } from "../../support/process.ts";
import { webhooksOf } from "../../support/webhooks.ts";
import { flush } from "../audit/support.ts";

const lines: Record<string, unknown>[] = [];
const log = pino({ level: "info", base: null }, { write: (line: string) => void lines.push(JSON.parse(line) as never) });
const gateway = await openGateway({}, { log });
const { services } = gateway.app;
const { db } = services;

const DAYS = 30;
/** What the audit has of a job. */
const entriesOf = (operation: string) => db.auditEntry.findMany({ where: { operation } });
const counted = (job: string) => lines.filter((line) => line["job"] === job && line["msg"] === "retention");

let banks = 0;
/** A bank of its own in one mode. */
async function inBank(mode: Mode = "SANDBOX") {
  const bank = `kept-${(banks += 1)}`;
  const key = await gateway.key({ bank, mode });
  return { bank, mode, key, hooks: webhooksOf(gateway, key), ...caller(gateway, key) };
}

/** Sets times back, by days. */
const age = (table: string, columns: string[], days: number, where: string) =>
  db.$executeRawUnsafe(
    `UPDATE ${table} SET ${columns.map((column) => `${column} = ${column} - interval '${days} days'`).join(", ")} WHERE ${where}`,
  );

test("customers to whom nobody wrote are erased, in both modes, by the gateway; who was written to or is blacklisted stays", async () => {
  const sandbox = await inBank();
  const live = await inBank("LIVE");
  await sandbox.hooks.create({ url: "https://bank.example/", events: ["CUSTOMER_ERASED"], visibility: "STANDARD" });
  const old = await sandbox.create(person("old"));
  const blacklisted = await sandbox.create(person("blacklisted"));
  await sandbox.blacklist({ id: blacklisted.id, blacklisted: true });
  const written = await sandbox.create(person("written"));
  const young = await sandbox.create(person("young"));
  const oldLive = await live.create(person("old"));
  await age("customer", ["created_at", "updated_at"], DAYS + 1, `bank_id LIKE 'kept-%' AND id <> '${young.id}'`);
  await age("customer", ["created_at", "updated_at"], DAYS - 1, `id = '${young.id}'`);
  await sandbox.update({ id: written.id, update: { state: "Kano" } });

  // As two processes would, at the same time.
  await Promise.all([eraseInactiveCustomers(services, DAYS).run(), eraseInactiveCustomers(services, DAYS).run()]);
  expect(await Promise.all([old, blacklisted, written, young].map(async ({ id }) => (await sandbox.find({ id })) !== null))).toEqual([
    false,
    true,
    true,
    true,
  ]);
  expect(await live.find({ id: oldLive.id })).toBeNull();
  const tombstones = await db.erasedCustomer.findMany({ where: { id: { in: [old.id, oldLive.id] } } });
  expect(tombstones).toHaveLength(2);
  for (const tombstone of tombstones) expect(tombstone).toMatchObject({ reason: "RETENTION", actor: "gateway" });
  expect(await db.webhookDelivery.count({ where: { subjectId: old.id, type: "CUSTOMER_ERASED" } })).toBe(1);
  const entries = await db.auditEntry.findMany({ where: { operation: "erase-inactive-customers" } });
  expect(entries.map(({ bankId, mode, actor, customers }) => [bankId, mode, actor, customers]).sort()).toEqual(
    [sandbox, live].map(({ bank, mode }) => [bank, mode, "gateway", 1]).sort(),
  );
  const told = counted("erase-inactive-customers").map(({ erased }) => Number(erased));
  expect(told.reduce((sum, one) => sum + one, 0)).toBe(2);
  await flush(gateway.app);
  expect((await verifyAudit(db, services.keyring)).problems).toEqual([]);
});

test.runIf(ON_POSTGRES)("who is written to while the rule waits stays", async () => {
  const { create, find } = await inBank();
  const { id } = await create(person("just.in.time"));
  await age("customer", ["created_at", "updated_at"], DAYS + 1, `id = '${id}'`);
  const holder = new pg.Client({ connectionString: gateway.config.databaseUrl! });
  await holder.connect();
  await holder.query("BEGIN");
  await holder.query("UPDATE customer SET updated_at = now() WHERE id = $1", [id]);
  const turn = eraseInactiveCustomers(services, DAYS).run();
  await sleep(500);
  await holder.query("COMMIT");
  await holder.end();
  await turn;
  expect(await find({ id })).toMatchObject({ id });
});

test("records of batches that ended long ago go with their failures; those of others, and who was made, stay", async () => {
  const { batch, find, key, bank } = await inBank();
  const BATCH_KEY = { idempotencyKey: "once" };
  const [old, recent, late, working] = [
    await batch([batchRow(1), batchRow(1)], BATCH_KEY),
    await batch([batchRow(2), batchRow(2)]),
    await batch([batchRow(3)]),
    await batch([batchRow(4)]),
  ];
  const uuid = (one: { id: string }) => one.id.slice("bat_".length);
  await age("batch", ["created_at", "completed_at"], DAYS + 1, `id = '${uuid(old)}'`);
  await age("idempotency_key", ["created_at"], DAYS + 1, `key = 'once'`);
  await age("batch", ["created_at", "completed_at"], DAYS - 1, `id = '${uuid(recent)}'`);
  // One that waited for long, and one that still does.
  await age("batch", ["created_at"], DAYS + 1, `id IN ('${uuid(late)}', '${uuid(working)}')`);
  const PROCESSING = `UPDATE batch SET status = 'PROCESSING', completed_at = NULL WHERE id = '${uuid(working)}'`;
  await db.$transaction([db.$executeRawUnsafe(PROCESSING)]);
  await Promise.all([removeOldBatches(services, DAYS).run(), removeOldBatches(services, DAYS).run()]);
  const ids = [old, recent, late, working].map(uuid);
  const left = await db.batch.findMany({ where: { id: { in: ids } } });
  expect(new Set(left.map(({ id }) => id))).toEqual(new Set(ids.slice(1)));
  const failures = await db.batchFailure.findMany({ where: { batchId: { in: ids } } });
  expect(failures.map(({ batchId }) => batchId)).toEqual([uuid(recent)]);
  expect(counted("remove-old-batches").map(({ removed }) => removed)).toEqual([1]);
  expect(await entriesOf("remove-old-batches")).toMatchObject([{ bankId: bank, outcome: "OK", customers: 0, subjects: [uuid(old)] }]);
  expect(await find({ id: old.customerIds[0] })).toMatchObject({ clientRef: "client-1" });
  const { body } = await gateway.query(key, `{ batch(id: "${old.id}") { id } }`);
  expect(body).toMatchObject({ data: { batch: null } });
  // The key has had its time long before its batch: it is a new one, and no way to what is gone.
  const again = await batch([batchRow(1), batchRow(1)], BATCH_KEY);
  expect([again.__typename, again.replayed, again.summary.duplicates]).toEqual(["BatchResult", false, 2]);
});

test("what is left of the erased goes when its time is over; the hashes of who is blacklisted do not", async () => {
  const { create, erase, blacklist, hooks, bank } = await inBank();
  await hooks.create({ url: "https://bank.example/", events: ["CUSTOMER_CREATED", "CUSTOMER_ERASED"], visibility: "STANDARD" });
  const [long, lately, here] = [await create(person("long.ago")), await create(person("lately")), await create(person("here"))];
  await blacklist({ id: long.id, blacklisted: true });
  for (const { id } of [long, lately]) await erase({ id });
  await age("erased_customer", ["at"], DAYS + 1, `id = '${long.id}'`);
  await age("erased_customer", ["at"], DAYS - 1, `id = '${lately.id}'`);
  const left = async ({ id }: { id: string }) => [
    await db.erasedCustomer.count({ where: { id } }),
    await db.customerEvent.count({ where: { customerId: id } }),
    await db.webhookDelivery.count({ where: { subjectId: id } }),
  ];
  expect(await left(long)).toEqual([1, 3, 2]);
  await removeOldTombstones(services, DAYS).run();
  expect(await Promise.all([long, lately, here].map(left))).toEqual([
    [0, 0, 0],
    [1, 2, 2],
    [0, 1, 1],
  ]);
  expect(await db.blacklistedIdentity.count({ where: { bankId: bank } })).toBe(1);
  expect(await create(person("long.ago"))).toMatchObject({ __typename: "InvalidCustomerData" });
  expect(counted("remove-old-tombstones").map(({ removed }) => removed)).toEqual([1]);
  // Counted, and not named.
  expect(await entriesOf("remove-old-tombstones")).toMatchObject([{ bankId: bank, outcome: "OK", customers: 1, subjects: [] }]);
});

test("no rule runs unless it is set, and one that is set runs by itself", async () => {
  const { create, bank, find } = await inBank();
  const { id } = await create(person("forgotten"));
  await age("customer", ["created_at", "updated_at"], 400, `id = '${id}'`);
  if (!ON_POSTGRES) await gateway.app.close();
  else expect(await find({ id })).not.toBeNull();
  const next = await buildApp({ ...gateway.config, retentionDays: { inactiveCustomers: 365, batches: null, tombstones: null } });
  try {
    await expect.poll(() => next.services.db.customer.count({ where: { bankId: bank } }), { timeout: 20_000 }).toBe(0);
  } finally {
    await next.close();
  }
});
