import { expect, test, vi } from "vitest";
import { analyzeGrowth } from "../../src/database/statistics.ts";
import { batchRow, caller } from "../support/customers.ts";
import { openGateway } from "../support/gateway.ts";

const gateway = await openGateway();
const { db } = gateway.app.services;

test("of who was erased nothing stays in the planner's statistics", { timeout: 120_000 }, async () => {
  const key = await gateway.key({ bank: "erasing" });
  const { batch, erase, create } = caller(gateway, key);
  for (let number = 0; number < 3; number++) await batch(Array.from({ length: 500 }, (_, index) => batchRow(number * 500 + index)));
  const { id } = await create({ firstname: "Zzz", lastname: "Zzzerased", country: "NG", email: "zzzerased@example.com" });
  const job = analyzeGrowth(db, 0);
  const known = async () => {
    await job.run();
    const [{ texts }] = (await db.$queryRaw<{ texts: string }[]>`
      SELECT coalesce(string_agg(concat(most_common_vals, histogram_bounds), ''), '') AS texts FROM pg_stats WHERE tablename = 'customer'`) as [
      { texts: string },
    ];
    return /zzzerased/i.test(texts);
  };
  // The last in every order, so that it ends each histogram. PostgreSQL counts changes up to some seconds late.
  await expect.poll(known, { timeout: 60_000, interval: 500 }).toBe(true);
  await erase({ id });
  await expect.poll(known, { timeout: 60_000, interval: 500 }).toBe(false);

  // How old statistics are PostgreSQL forgets in a crash, and the embedded database at each start: then they are made anew, once.
  const again = await create({ firstname: "Zzz", lastname: "Zzzerased", country: "NG", email: "zzzerased@example.com" });
  await expect.poll(known, { timeout: 60_000, interval: 500 }).toBe(true);
  await erase({ id: again.id });
  await db.$queryRaw`SELECT pg_stat_reset()::text`;
  const hourly = analyzeGrowth(db);
  gateway.statements.length = 0;
  await hourly.run();
  expect(gateway.statements).toContain('ANALYZE "customer"');
  const texts = await db.$queryRaw`SELECT histogram_bounds::text AS texts FROM pg_stats WHERE tablename = 'customer'`;
  expect(JSON.stringify(texts)).not.toMatch(/zzzerased/i);
  gateway.statements.length = 0;
  await hourly.run();
  expect(gateway.statements.filter((sql) => sql.startsWith("ANALYZE"))).toEqual([]);
});

test("the planner hears of a bank that grows, and is not told again of what it knows", { timeout: 120_000 }, async () => {
  const { batch } = caller(gateway, await gateway.key({ bank: "growing" }));
  for (let number = 0; number < 4; number++) await batch(Array.from({ length: 500 }, (_, index) => batchRow(number * 500 + index)));
  const job = analyzeGrowth(db);
  const analyzed = () => gateway.statements.filter((sql) => sql.startsWith("ANALYZE"));
  const known = async () => {
    await job.run();
    const rows = await db.$queryRaw<{ name: string; banks: string }[]>`
      SELECT tablename::text AS name, most_common_vals::text AS banks FROM pg_stats
      WHERE tablename IN ('customer', 'customer_event') AND attname = 'bank_id' ORDER BY 1`;
    expect(rows.filter(({ banks }) => banks.includes("growing")).map(({ name }) => name)).toEqual(["customer", "customer_event"]);
  };
  await vi.waitFor(known, { timeout: 60_000, interval: 500 });
  // PostgreSQL counts a connection's changes up to some seconds after they were made: some may still follow, once.
  await vi.waitFor(
    async () => {
      gateway.statements.length = 0;
      await job.run();
      expect(analyzed()).toEqual([]);
    },
    { timeout: 60_000, interval: 2_000 },
  );
  for (let turn = 0; turn < 5; turn++) await job.run();
  expect(analyzed()).toEqual([]);
  const plan = await db.$queryRaw<object[]>`
    EXPLAIN (FORMAT JSON) SELECT 1 FROM customer WHERE bank_id = 'growing' AND mode = 'SANDBOX' AND id = '00000000-0000-4000-8000-000000000000'`;
  expect(JSON.stringify(plan)).toContain("customer_pkey");
});
