import { expect, test, vi } from "vitest";
import { analyzeGrowth } from "../../src/database/statistics.ts";
import { batchRow, caller } from "../support/customers.ts";
import { openGateway } from "../support/gateway.ts";

const gateway = await openGateway();
const { db } = gateway.app.services;

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
