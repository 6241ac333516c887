import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createClient, type Database, transaction } from "../../src/database/client.ts";
import { databaseFault } from "../../src/database/fault.ts";
import { readRows } from "../../src/database/read-rows.ts";
import { ADMIN_URL, BACKENDS, type TestDatabase, serverDatabase, withClient } from "./backends.ts";

let database: TestDatabase;
let db: Database;
const tenant = (id: string) => ({ id, kind: "BANK" as const, name: id });
const CREATE = [
  `CREATE TYPE "tenant_kind" AS ENUM ('BANK', 'PROVIDER', 'MERCHANT', 'OPERATOR')`,
  `CREATE TABLE "tenant" (id text PRIMARY KEY, kind "tenant_kind" NOT NULL, name text NOT NULL, provider_id text, created_at timestamptz(3) NOT NULL DEFAULT now())`,
];
const start = async (open: () => Promise<TestDatabase>) => {
  database = await open();
  db = createClient(database.connection);
  for (const sql of CREATE) await db.$executeRawUnsafe(sql);
};
afterEach(async () => {
  await db.$disconnect();
  await database.drop();
});

describe.each(BACKENDS)("the client on %s", { timeout: 60_000 }, (_name, open) => {
  beforeEach(() => start(open), 60_000);

  it("commits what a transaction did, and nothing when it throws", async () => {
    expect(await transaction(db, (tx) => tx.tenant.create({ data: tenant("a") }))).toMatchObject({ id: "a" });
    const thrown = new Error("no");
    const failing = transaction(db, async (tx) => {
      await tx.tenant.create({ data: tenant("b") });
      throw thrown;
    });
    await expect(failing).rejects.toBe(thrown);
    expect(await db.tenant.findMany({ select: { id: true } })).toEqual([{ id: "a" }]);
  });

  it("shows every statement to onQuery", async () => {
    const seen: string[] = [];
    await db.$disconnect();
    db = createClient(database.connection, { onQuery: (sql) => seen.push(sql) });
    await db.tenant.findMany();
    expect(seen).toEqual([expect.stringMatching(/^SELECT .* FROM "public"."tenant"/)]);
  });

  it.each(["40001", "40P01"])("tries again after %s in a raw statement, three times in all", async (code) => {
    let tries = 0;
    const failing = transaction(db, async (tx) => {
      tries += 1;
      await tx.$executeRawUnsafe(`DO $$ BEGIN RAISE EXCEPTION 'conflict' USING ERRCODE = '${code}'; END $$`);
    });
    await expect(failing).rejects.toThrow();
    expect(tries).toBe(3);
  });

  it("does not try again after other failures", async () => {
    let tries = 0;
    const failing = transaction(db, async (tx) => {
      tries += 1;
      await tx.$executeRawUnsafe("SELECT 1 / 0");
    });
    await expect(failing).rejects.toThrow();
    expect(tries).toBe(1);
  });
});

describe.skipIf(ADMIN_URL === undefined)("transactions on PostgreSQL", { timeout: 60_000 }, () => {
  beforeEach(() => start(serverDatabase));

  it.each(["by Prisma", "raw"])("survive a real deadlock, %s", async (how) => {
    await db.tenant.createMany({ data: [tenant("a"), tenant("b")] });
    let tries = 0;
    const rename = (order: string[], suffix: string) =>
      transaction(db, async (tx) => {
        tries += 1;
        for (const id of order) {
          if (how === "raw") await tx.$executeRaw`UPDATE tenant SET name = ${suffix} WHERE id = ${id}`;
          else await tx.tenant.update({ where: { id }, data: { name: suffix } });
          await tx.$executeRaw`SELECT pg_sleep(0.5)`;
        }
      });
    await Promise.all([rename(["a", "b"], "1"), rename(["b", "a"], "2")]);
    expect(tries).toBe(3);
    // Whichever came last, it came last on both rows.
    const [one, other] = await db.tenant.findMany();
    expect(one?.name).toBe(other?.name);
  });

  it("try again when it is the COMMIT that conflicts", async () => {
    await db.$executeRawUnsafe(
      `CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'late' USING ERRCODE = '40001'; END $$`,
    );
    await db.$executeRawUnsafe(
      `CREATE CONSTRAINT TRIGGER late AFTER INSERT ON tenant DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION refuse()`,
    );
    let tries = 0;
    const failing = transaction(db, (tx) => {
      tries += 1;
      return tx.tenant.create({ data: tenant("a") });
    });
    await expect(failing).rejects.toThrow();
    expect(tries).toBe(3);
  });

  it("run at READ COMMITTED with limits on every connection", async () => {
    const [row] = await transaction(
      db,
      (tx) => tx.$queryRaw<unknown[]>`SELECT current_setting('transaction_isolation') AS level,
      current_setting('statement_timeout') AS statement, current_setting('idle_in_transaction_session_timeout') AS idle`,
    );
    expect(row).toEqual({ level: "read committed", statement: "10s", idle: "30s" });
  });

  it("wait for a connection no longer than they are told", async () => {
    await db.$disconnect();
    db = createClient(database.connection, { max: 1, connectionTimeoutMs: 1000 });
    const slow = db.$queryRaw`SELECT 1 AS one FROM pg_sleep(4)`.then((rows) => rows);
    await expect(Promise.all([slow, db.tenant.count()])).rejects.toThrow(/timeout/);
    await slow;
  });

  it("say what a failure was: not to be had, too slow, or another", async () => {
    const faultOf = (promise: Promise<unknown>) => promise.then(() => "none", databaseFault);
    await db.$disconnect();
    db = createClient(database.connection, { max: 1, connectionTimeoutMs: 1000, statementTimeoutMs: 6000 });
    const read = (text: string) => readRows(db, { text, values: [] });
    const slow = faultOf(db.$queryRaw`SELECT 1 AS one FROM pg_sleep(20)`);
    expect(await faultOf(db.tenant.count())).toBe("UNAVAILABLE");
    expect(await faultOf(read("SELECT 1"))).toBe("UNAVAILABLE");
    expect(await faultOf(db.$queryRaw`SELECT 1`)).toBe("UNAVAILABLE");
    expect(await faultOf(transaction(db, (tx) => tx.tenant.count(), { maxWaitMs: 100 }))).toBe("UNAVAILABLE");
    expect(await slow).toBe("TIMEOUT");
    expect(await faultOf(read("SELECT pg_sleep(20)"))).toBe("TIMEOUT");
    expect(await faultOf(read("SELECT 1 / 0"))).toBe(null);
    expect(
      await faultOf(
        transaction(db, (tx) => tx.$queryRaw`SELECT 1 AS one FROM pg_sleep(0.5)`.then(() => tx.tenant.count()), { timeoutMs: 200 }),
      ),
    ).toBe("TIMEOUT");
    expect(await faultOf(db.$queryRaw`SELECT 1 / 0`)).toBe(null);
    expect(await faultOf(db.tenant.create({ data: { ...tenant("x"), id: null as never } }))).toBe(null);
    await db.$disconnect();
    db = createClient(database.connection);
    const ended = faultOf(db.$queryRaw`SELECT 1 AS one FROM pg_sleep(9)`);
    await withClient(database.connection, (client) =>
      // Looked for until it runs: on a busy machine a connection opens late.
      vi.waitFor(
        async () =>
          expect(
            await client.query(
              "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE '%pg_sleep(9)' AND state = 'active'",
            ),
          ).toMatchObject({ rowCount: 1 }),
        { timeout: 8_000 },
      ),
    );
    expect(await ended).toBe("UNAVAILABLE");
    const nowhere = createClient({ connectionString: "postgres://nobody@127.0.0.1:1/none" });
    expect(await faultOf(nowhere.tenant.count())).toBe("UNAVAILABLE");
    expect(await faultOf(nowhere.$queryRaw`SELECT 1`)).toBe("UNAVAILABLE");
  });
});
