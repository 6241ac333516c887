import { expect, test } from "vitest";
import { person, caller } from "../support/customers.ts";
import { openGateway } from "../support/gateway.ts";
import type { Tenancy } from "../../src/database/tenant-database.ts";
import { readRows } from "../../src/database/read-rows.ts";
import { createTenantDatabase } from "../../src/database/tenant-database.ts";
import { withinScope } from "../../src/database/scoped-query.ts";

/** One connection, so that whatever a statement left behind would meet the next one. */
const gateway = await openGateway(({ databaseUrl }) => (databaseUrl === null ? {} : { databaseUrl: `${databaseUrl}?connection_limit=1` }));
const { db } = gateway.app.services;
const tenantDatabase = createTenantDatabase(db, true);
const tenancy = (bank: string): Tenancy => ({ tenantId: bank, tenantKind: "BANK", mode: "SANDBOX" });
for (const bank of ["one", "two"]) await caller(gateway, await gateway.key({ bank })).create(person(bank));

const FIND_ALL = { select: { email: true } } as const;
const emails = (rows: { email: string }[]) => rows.map(({ email }) => email);
/** What the pool's own statements are run as. */
const outside = () =>
  db.$queryRaw`SELECT current_user <> session_user AS narrowed, coalesce(current_setting('gateway.bank', true), '') AS bank`;
const OUTSIDE = [{ narrowed: false, bank: "" }];

test("a statement without a condition sees its bank's rows, in one message, and leaves nothing behind", async () => {
  for (const bank of ["one", "two", "one"]) {
    gateway.statements.length = 0;
    const scoped = tenantDatabase(tenancy(bank));
    expect(emails(await scoped.customer.findMany(FIND_ALL))).toEqual([`${bank}@example.com`]);
    expect(emails(await scoped.$queryRaw`SELECT email FROM customer`)).toEqual([`${bank}@example.com`]);
    expect(await readRows(scoped, { text: "SELECT email FROM customer", values: [] })).toEqual([[`${bank}@example.com`]]);
    expect(await scoped.customer.count()).toBe(1);
    expect(await scoped.$queryRaw`SELECT current_user::text AS role`).toEqual([{ role: "customer_gateway_tenant" }]);
    // Neither BEGIN nor set_config is among them, nor COMMIT.
    expect(gateway.statements.filter((sql) => /customer|role/.test(sql))).toHaveLength(5);
    expect(await outside()).toEqual(OUTSIDE);
  }
  expect(await db.customer.count({ where: { bankId: { in: ["one", "two"] } } })).toBe(2);
});

test("many banks' statements at once, each sees its own; findUnique too, which Prisma makes one statement of", async () => {
  const rows = await db.customer.findMany({ where: { bankId: { in: ["one", "two"] } }, select: { bankId: true, id: true } });
  const ids = Object.fromEntries(rows.map(({ bankId, id }) => [bankId, id]));
  const answers = await Promise.all(
    Array.from({ length: 60 }, async (_, index) => {
      const bank = index % 2 === 0 ? "one" : "two";
      const scoped = tenantDatabase(tenancy(bank));
      const key = { bankId: bank, mode: "SANDBOX", id: ids[bank]! } as const;
      const other = { ...key, bankId: bank === "one" ? "two" : "one", id: ids[bank === "one" ? "two" : "one"]! };
      const [all, own, foreign] = await Promise.all([
        scoped.customer.findMany(FIND_ALL),
        scoped.customer.findUnique({ where: { bankId_mode_id: key }, ...FIND_ALL }),
        scoped.customer.findUnique({ where: { bankId_mode_id: other }, ...FIND_ALL }),
      ]);
      return { bank, seen: [emails(all), own?.email, foreign] };
    }),
  );
  for (const { bank, seen } of answers) expect(seen).toEqual([[`${bank}@example.com`], `${bank}@example.com`, null]);
  expect(await outside()).toEqual(OUTSIDE);
});

test("a statement that fails, by its text or while it runs, leaves the connection usable and without the scope", async () => {
  const scoped = tenantDatabase(tenancy("one"));
  await expect(scoped.$queryRaw`SELECT nothing FROM customer`).rejects.toThrow(/nothing/);
  await expect(scoped.$queryRaw`SELECT 1 / (count(*) - count(*)) FROM customer`).rejects.toThrow(/zero/);
  await expect(scoped.$queryRaw`DELETE FROM customer_event RETURNING version`).rejects.toThrow(/denied/);
  expect(await outside()).toEqual(OUTSIDE);
  expect(emails(await scoped.customer.findMany(FIND_ALL))).toEqual(["one@example.com"]);
});

test("a transaction is refused within the scope of a statement: it would have none", async () => {
  const scope = { bank: "one", mode: "SANDBOX", operator: "off" } as const;
  const inTurn = () => db.$transaction([db.customer.count(), db.customer.count()]);
  const atWill = () => db.$transaction((tx) => tx.customer.count());
  for (const run of [inTurn, atWill]) await expect(withinScope<unknown>(scope, async () => run())).rejects.toThrow(/in the scope/);
  expect(await outside()).toEqual(OUTSIDE);
});
