import { expect, test, vi } from "vitest";
import { buildApp } from "../../../src/app.ts";
import { BATCH, batchRow, caller, dataOf, everyRow } from "../../support/customers.ts";
import { openGateway } from "../../support/gateway.ts";

const gateway = await openGateway();
const { db } = gateway.app.services;
const inBank = async (bank: string) => ({ key: await gateway.key({ bank }), ...caller(gateway, await gateway.key({ bank })) });

const READ = BATCH.replace(/mutation[^{]*\{\s*createCustomersBatch\(input: \$input\)/, "query ($id: ID!) { batch(id: $id)").replace(
  /\.\.\. on Error[^}]*}\s*\.\.\. on InvalidBatch[^}]*}/,
  "",
);

/** What stands in the batch's record when a worker is through with it. */
async function completed(key: string, id: string) {
  return vi.waitFor(
    async () => {
      const batch = dataOf((await gateway.query(key, READ, { id })).body);
      expect(batch.summary.pending).toBe(0);
      expect(batch.status).not.toBe("PROCESSING");
      return batch;
    },
    { timeout: 30_000, interval: 50 },
  );
}

/** Rows with every kind of failure among them; `number` keeps two sets apart. */
function mixedRows(number: number, count: number) {
  return Array.from({ length: count }, (_, index) => {
    const row = batchRow(number + index);
    if (index % 10 === 3) return { ...row, lastname: " " };
    if (index % 10 === 5) return { ...row, email: "nowhere" };
    if (index % 10 === 7) return { ...row, reference: `ref-${number + index - 1}` };
    return index % 50 === 9 ? null : row;
  });
}

/** What does not tell one batch from another. */
const plain = ({ id: _id, customerIds, createdAt: _at, completedAt: _end, ...rest }: any) => ({ ...rest, created: customerIds.length });

test.each(["PARTIAL", "ALL_OR_NOTHING"])(
  "%s: PROCESSING at once, and then what the same rows come to without a worker",
  async (atomicity) => {
    const here = await inBank(`background-${atomicity.toLowerCase()}`);
    const there = await inBank(`foreground-${atomicity.toLowerCase()}`);
    const rows = mixedRows(0, 330);
    const sent = await here.batch(rows, { processing: "BACKGROUND", atomicity });
    expect(sent).toMatchObject({ status: "PROCESSING", completedAt: null, failures: [], customerIds: [], createdCount: 0 });
    expect(sent.summary).toEqual({ total: 330, successful: 0, failed: 0, duplicates: 0, invalidData: 0, pending: 330, rolledBack: 0 });
    const done = await completed(here.key, sent.id);
    expect(done.completedAt >= done.createdAt).toBe(true);
    expect(plain(done)).toEqual(plain(await there.batch(rows, { atomicity })));
    const stored = await db.customer.findMany({ where: { bankId: `background-${atomicity.toLowerCase()}` }, select: { id: true } });
    expect(stored.map(({ id }) => id).sort()).toEqual(done.customerIds.toSorted());
    // All good rows, none refused.
    const good = await here.batch(
      Array.from({ length: 7 }, (_, index) => batchRow(5000 + index)),
      { processing: "BACKGROUND", atomicity },
    );
    expect(await completed(here.key, good.id)).toMatchObject({ status: "COMPLETED", createdCount: 7 });
  },
);

test("`Prefer: respond-async` means the same; a dry run writes nobody; an empty batch is refused at once", async () => {
  const { key, batch } = await inBank("prefer");
  const prefer = caller(gateway, key, { Prefer: "wait=5, respond-async" });
  const sent = await prefer.batch([batchRow(1)]);
  expect(sent.status).toBe("PROCESSING");
  expect(await completed(key, sent.id)).toMatchObject({ status: "COMPLETED", createdCount: 1 });
  const [keyed, other] = [{ idempotencyKey: "prefers" }, [batchRow(3)]];
  const { id } = await prefer.batch(other, keyed);
  expect(await batch(other, { ...keyed, processing: "BACKGROUND" })).toMatchObject({ id, replayed: true });
  await completed(key, id);
  const dry = await batch([batchRow(1), batchRow(2)], { processing: "BACKGROUND", dryRun: true });
  const tried = await completed(key, dry.id);
  expect(tried).toMatchObject({ dryRun: true, createdCount: 0, summary: { successful: 1, duplicates: 1 } });
  expect(await db.customer.count({ where: { bankId: "prefer" } })).toBe(2);
  expect(await prefer.batch([])).toMatchObject({ __typename: "InvalidBatch" });
  expect(await caller(gateway, key, { Prefer: "no-respond-async" }).batch([batchRow(9)])).toMatchObject({ status: "COMPLETED" });
});

test("50 parallel sends of one key are one execution", async () => {
  const { key, batch } = await inBank("fifty");
  const options = { processing: "BACKGROUND", idempotencyKey: "one" };
  const rows = mixedRows(0, 120);
  const answers = await Promise.all(Array.from({ length: 50 }, () => batch(rows, options)));
  expect(new Set(answers.map(({ id }) => id)).size).toBe(1);
  expect(answers.filter(({ replayed }) => !replayed)).toHaveLength(1);
  const done = await completed(key, answers[0]!.id);
  expect(await db.customer.count({ where: { bankId: "fifty" } })).toBe(done.createdCount);
  expect(await batch(rows, options)).toEqual({ ...done, __typename: "BatchResult", replayed: true });
  expect(await batch(mixedRows(1, 120), options)).toMatchObject({ __typename: "IdempotencyConflict" });
});

test("rows lie encrypted until they are processed, and are gone then; a lost queue delays a batch and no more", async () => {
  const { key, batch } = await inBank("sealed");
  // As if nobody had been told: only the batch's record knows.
  const send = vi.spyOn(gateway.app.services.queue, "send").mockImplementation(async () => {});
  const sent = await batch([{ ...batchRow(424242), address: "Sealed Street" }], { processing: "BACKGROUND" });
  const rows = await everyRow(gateway);
  expect(rows.filter(({ table }) => table === "batch_payload")).toHaveLength(1);
  for (const secret of ["Sealed Street", "customer.424242@example.com", "5365616c656420537472656574"])
    expect(rows.filter(({ text }) => text.includes(secret))).toEqual([]);
  send.mockRestore();
  await completed(key, sent.id);
  expect((await everyRow(gateway)).filter(({ table }) => table === "batch_payload")).toEqual([]);
  const jobs = await db.$queryRaw<{ text: string }[]>`SELECT job::text AS text FROM jobs.job`;
  expect(jobs.filter(({ text }) => text.includes("example.com"))).toEqual([]);
});

test("history and audit name the key that sent the rows, also when it has ended since", async () => {
  const { key, batch } = await inBank("sender");
  const [, , keyId] = key.split("_");
  const rows = Array.from({ length: 120 }, (_, index) => batchRow(index));
  const sender = await gateway.key({ bank: "sender" });
  const sent = await caller(gateway, sender).batch(rows, { processing: "BACKGROUND" });
  await db.apiKey.update({ where: { id: sender.split("_")[2]! }, data: { revokedAt: new Date() } });
  await completed(key, sent.id);
  const events = await db.customerEvent.groupBy({ by: ["actor"], where: { bankId: "sender" }, _count: true });
  expect(events).toEqual([{ actor: sender.split("_")[2], _count: 120 }]);
  const entries = await db.auditEntry.findMany({ where: { bankId: "sender", action: "WRITE", operation: "createCustomersBatch" } });
  expect(entries.map(({ actor, customers }) => [actor, customers]).sort()).toEqual(
    [0, 100, 20].map((customers) => [sender.split("_")[2], customers]).sort(),
  );
  expect(keyId).not.toBe(sender.split("_")[2]);
  expect(await batch(rows)).toMatchObject({ createdCount: 0 });
});

test.runIf(process.env["TEST_ON"] === "postgres")(
  "two gateways at work on the same batches process each row once",
  { timeout: 120_000 },
  async () => {
    const other = await buildApp(gateway.config);
    try {
      const { key, batch } = await inBank("two");
      const sent = await Promise.all(
        Array.from({ length: 20 }, (_, number) => batch(mixedRows(number * 1000, 300), { processing: "BACKGROUND" })),
      );
      const done = [];
      for (const { id } of sent) done.push(await completed(key, id));
      const ids = done.flatMap(({ customerIds }) => customerIds);
      expect(new Set(ids).size).toBe(ids.length);
      expect(await db.customer.count({ where: { bankId: "two" } })).toBe(ids.length);
      for (const { summary } of done) expect(summary).toEqual(done[0].summary);
      expect(await db.batchFailure.count({ where: { bankId: "two" } })).toBe(done.reduce((sum, { summary }) => sum + summary.failed, 0));
    } finally {
      await other.close();
    }
  },
);
