import { createHash } from "node:crypto";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ensureSchema, migrate, schemaState } from "../../src/database/migrate.ts";
import { type Migration, readMigrations } from "../../src/database/migrations-folder.ts";
import { ADMIN_URL, BACKENDS, serverDatabase, type TestDatabase, withClient } from "./backends.ts";
import { killHard, printed, startChild } from "./child.ts";

const migration = (name: string, sql: string): Migration => ({
  name,
  sql,
  checksum: createHash("sha256").update(sql).digest("hex"),
});
// Semicolons where no statement ends: a script must not be cut at them.
const ONE = migration("20260101000000_one", "-- first; of two\nCREATE TABLE one (n int DEFAULT length(';'));\nCREATE TABLE one_b (n int);");
const TWO = migration("20260102000000_two", "CREATE TABLE two (n int);");
const BROKEN = migration("20260103000000_broken", "CREATE TABLE three (n int);\nCREATE TABLE one (n int);");

describe.each(BACKENDS)("migrations on %s", { timeout: 60_000 }, (_name, open) => {
  let database: TestDatabase;
  beforeEach(async () => {
    database = await open();
  }, 60_000);
  afterEach(() => database.drop());
  const state = (migrations: Migration[]) => withClient(database.connection, (client) => schemaState(client, migrations));
  const apply = (migrations: Migration[]) => withClient(database.connection, (client) => migrate(client, migrations));
  const run = (sql: string) => withClient(database.connection, async (client) => (await client.query(sql)).rows);

  it("applies this version's folder and records it as Prisma does", async () => {
    const folder = readMigrations();
    expect(await ensureSchema(database.connection, { autoMigrate: "if-empty" })).toEqual(folder.map(({ name }) => name));
    const recorded = await run(`SELECT migration_name AS name, checksum, applied_steps_count AS steps, logs,
      finished_at IS NOT NULL AS finished FROM _prisma_migrations ORDER BY started_at`);
    expect(recorded).toEqual(folder.map(({ name, checksum }) => ({ name, checksum, steps: 1, logs: null, finished: true })));
    expect(await state(folder)).toBe("current");
    expect(await ensureSchema(database.connection, { autoMigrate: "if-empty" })).toEqual([]);
  });

  it("tells empty, older, current and newer apart", async () => {
    expect(await state([ONE])).toBe("empty");
    expect(await apply([ONE])).toEqual([ONE.name]);
    expect(await state([ONE])).toBe("current");
    expect(await state([ONE, TWO])).toBe("older");
    await expect(ensureSchema(database.connection, { autoMigrate: "if-empty" }, [ONE, TWO])).rejects.toThrow(
      /older version of the gateway\. Fix: take a backup and run `npm run migrate`/,
    );
    expect(await ensureSchema(database.connection, { autoMigrate: "always" }, [ONE, TWO])).toEqual([TWO.name]);
    expect(await state([ONE])).toBe("newer");
    await expect(ensureSchema(database.connection, { autoMigrate: "always" }, [ONE])).rejects.toThrow(/newer version/);
  });

  it("leaves the database of another program alone", async () => {
    await run("CREATE TABLE theirs (n int)");
    expect(await state([ONE])).toBe("foreign");
    await expect(ensureSchema(database.connection, { autoMigrate: "always" }, [ONE])).rejects.toThrow(
      /tables that are not the gateway's\. Fix: point DATABASE_URL at an empty database/,
    );
    await expect(apply([ONE])).rejects.toThrow(/not the gateway's/);
    await run("DROP TABLE theirs");
    await apply([TWO]);
    expect(await state([ONE])).toBe("foreign");
  });

  it("undoes a migration that fails, whole, and keeps those before it", async () => {
    await expect(apply([ONE, TWO, BROKEN])).rejects.toThrow(
      /20260103000000_broken failed and was undone: .*relation "one" already exists.*Fix: /,
    );
    expect(await run("SELECT to_regclass('two') AS two, to_regclass('three') AS three")).toEqual([{ two: "two", three: null }]);
    expect(await state([ONE, TWO, BROKEN])).toBe("older");
    expect(await apply([ONE, TWO])).toEqual([]);
  });

  it("refuses a migration that was begun and never finished, and one that was changed", async () => {
    await apply([ONE, TWO]);
    expect(await state([ONE, TWO])).toBe("current");
    await expect(state([ONE, { ...TWO, checksum: "0" }])).rejects.toThrow(/two\/migration\.sql was changed after/);
    await run(`UPDATE _prisma_migrations SET finished_at = NULL WHERE migration_name = '${TWO.name}'`);
    await expect(state([ONE, TWO])).rejects.toThrow(/20260102000000_two was begun and never finished\. Fix: /);
  });
});

describe.skipIf(ADMIN_URL === undefined)("migrating a shared PostgreSQL", { timeout: 60_000 }, () => {
  let database: TestDatabase;
  beforeEach(async () => {
    database = await serverDatabase();
  });
  afterEach(() => database.drop());

  it("is done once when several start at the same time", async () => {
    const starts = Array.from({ length: 4 }, () => ensureSchema(database.connection, { autoMigrate: "if-empty" }));
    const applied = await Promise.all(starts);
    expect(applied.flat().sort()).toEqual(readMigrations().map(({ name }) => name));
  });

  it("leaves nothing half done when killed midway", async () => {
    const slow = [ONE, migration("20260102000000_slow", "CREATE TABLE slow (n int);\nSELECT pg_sleep(60);")];
    const child = startChild(`
      const { ensureSchema } = await src("database/migrate.ts");
      setTimeout(() => console.log("midway"), 1500);
      await ensureSchema(${JSON.stringify(database.connection)}, { autoMigrate: "always" }, ${JSON.stringify(slow)});`);
    await printed(child, "midway");
    await killHard(child);
    await withClient(database.connection, async (client) => {
      // The server notices the lost client only when the statement is over.
      await client.query(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(60)%' AND pid <> pg_backend_pid() AND datname = current_database()",
      );
      expect(await schemaState(client, [ONE, TWO])).toBe("older");
      expect(await migrate(client, [ONE, TWO])).toEqual([TWO.name]);
      expect((await client.query("SELECT to_regclass('slow') AS slow")).rows).toEqual([{ slow: null }]);
    });
  });

  it("says that the server cannot be reached", async () => {
    const nowhere = { connectionString: "postgres://someone:secret@127.0.0.1:1/nothing" };
    const failure = await ensureSchema(nowhere, { autoMigrate: "if-empty" }).catch((error: Error) => error);
    expect(String(failure)).toMatch(/the database cannot be reached: .*ECONNREFUSED.*Fix: check that PostgreSQL runs/);
    expect(String(failure)).not.toContain("secret");
  });
});
