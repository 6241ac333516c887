import { chmodSync, existsSync, mkdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Embedded, openEmbedded } from "../../src/database/embedded.ts";
import { temporaryDir, withClient } from "./backends.ts";
import { killHard, printed, startChild } from "./child.ts";

const scratch = temporaryDir();
let embedded: Embedded;
let pool: pg.Pool;
beforeAll(async () => {
  embedded = await openEmbedded({ dataDir: scratch.dir });
  // More connections than the gateway uses: a job queue or a tool may bring its own.
  pool = new pg.Pool({ ...embedded.connection, max: 8 });
  pool.on("error", () => {});
  await pool.query("CREATE TABLE note (text text)");
}, 60_000);
afterAll(async () => {
  await pool.end();
  await embedded.close();
  scratch.remove();
});

const notes = async () => (await pool.query("SELECT text FROM note ORDER BY text")).rows.map((row) => row.text);

describe("the embedded database", { timeout: 60_000 }, () => {
  it("lets only its user at the socket", () => {
    const host = embedded.connection.host ?? "";
    expect(statSync(host).mode & 0o777).toBe(0o700);
  });

  it("lets only its user at the files, also where the directory is there already and open to all", async () => {
    const open = temporaryDir();
    chmodSync(open.dir, 0o755);
    const database = join(open.dir, "postgres");
    const modeAfterOpening = async () => {
      await (await openEmbedded({ dataDir: open.dir })).close();
      return statSync(database).mode & 0o777;
    };
    expect(await modeAfterOpening()).toBe(0o700);
    chmodSync(database, 0o755);
    expect(await modeAfterOpening()).toBe(0o700);
    open.remove();
  });

  it("keeps statements of many connections apart, also those that arrive in pieces", async () => {
    const big = "z".repeat(300_000);
    const statements: [string, (n: number) => unknown[]][] = [
      ["SELECT $1::int AS n, 'small' AS kind", (n) => [n]],
      ["SELECT $1::int AS n, 'big' AS kind, length($2) AS length", (n) => [n, big]],
      ["SELECT $1::int AS n, 'also big' AS kind, length($2) AS length", (n) => [n, big]],
      ["SELECT $1::int / 0 AS n, length($2) AS length", (n) => [n, big]],
    ];
    const run = async (n: number) => {
      const [sql, values] = statements[n % 4]!;
      const row = await pool.query(sql, values(n)).then(
        (result) => `${result.rows[0].n} ${result.rows[0].kind}`,
        (error: Error) => error.message,
      );
      return row;
    };
    const wanted = (n: number) => [`${n} small`, `${n} big`, `${n} also big`, "division by zero"][n % 4];
    const numbers = Array.from({ length: 200 }, (_, n) => n);
    expect(await Promise.all(numbers.map(run))).toEqual(numbers.map(wanted));
  });

  it("makes others wait while a transaction is open", async () => {
    const one = await pool.connect();
    await one.query("BEGIN");
    await one.query("INSERT INTO note VALUES ('within')");
    let other: string[] | undefined;
    const reading = notes().then((found) => (other = found));
    await new Promise((done) => setTimeout(done, 100));
    expect(other).toBeUndefined();
    await one.query("ROLLBACK");
    one.release();
    await reading;
    expect(other).toEqual([]);
  });

  it("rolls back what a client leaves behind, within a transaction or within a statement", async () => {
    const parse = Buffer.from("P\0\0\0\0\0SELECT 1\0\0\0", "latin1");
    parse.writeInt32BE(parse.length - 1, 1);
    for (const leaveHalfDone of [false, true]) {
      const client = new pg.Client(embedded.connection);
      client.on("error", () => {});
      await client.connect();
      await client.query("BEGIN");
      await client.query("INSERT INTO note VALUES ('left behind')");
      const { stream } = (client as unknown as { connection: { stream: import("node:net").Socket } }).connection;
      if (leaveHalfDone) await new Promise((done) => stream.write(parse, done));
      stream.destroy();
      expect(await notes()).toEqual([]);
    }
  });

  it("reports a failed statement and goes on", async () => {
    await expect(pool.query("SELECT * FROM nothing")).rejects.toMatchObject({ code: "42P01" });
    await expect(pool.query("INSERT INTO note VALUES ($1, $2)", [1, 2])).rejects.toMatchObject({ code: "42601" });
    expect(await notes()).toEqual([]);
  });

  it("does not take statement_timeout from a connection", async () => {
    await withClient({ ...embedded.connection, statement_timeout: 1 }, async (client) => {
      expect((await client.query("SHOW statement_timeout")).rows).toEqual([{ statement_timeout: "0" }]);
    });
  });
});

describe("opening the embedded database", { timeout: 60_000 }, () => {
  it("keeps what was committed before kill -9", async () => {
    const { dir, remove } = temporaryDir();
    const child = startChild(`
      const { claimDataDir } = await src("database/data-dir.ts");
      const { openEmbedded } = await src("database/embedded.ts");
      const { default: pg } = await import(${JSON.stringify(import.meta.resolve("pg"))});
      claimDataDir(${JSON.stringify(dir)});
      const client = new pg.Client((await openEmbedded({ dataDir: ${JSON.stringify(dir)} })).connection);
      await client.connect();
      await client.query("CREATE TABLE t (n int)");
      await client.query("INSERT INTO t VALUES (1)");
      await client.query("BEGIN");
      await client.query("INSERT INTO t VALUES (2)");
      console.log("written");`);
    await printed(child, "written");
    await killHard(child);
    const again = await openEmbedded({ dataDir: dir });
    const rows = await withClient(again.connection, async (client) => (await client.query("SELECT n FROM t")).rows);
    expect(rows).toEqual([{ n: 1 }]);
    await again.close();
    expect(existsSync(again.connection.host ?? "")).toBe(false);
    remove();
  });

  it("closes with a transaction open, twice, and opens again", async () => {
    const { dir, remove } = temporaryDir();
    const first = await openEmbedded({ dataDir: dir });
    const client = new pg.Client(first.connection);
    client.on("error", () => {});
    await client.connect();
    await client.query("CREATE TABLE t (n int)");
    await client.query("BEGIN");
    await client.query("INSERT INTO t VALUES (1)");
    await Promise.all([first.close(), first.close()]);
    const again = await openEmbedded({ dataDir: dir });
    const rows = await withClient(again.connection, async (other) => (await other.query("SELECT n FROM t")).rows);
    expect(rows).toEqual([]);
    await again.close();
    remove();
  });

  it("says so when the files are no database", async () => {
    const { dir, remove } = temporaryDir();
    mkdirSync(join(dir, "postgres"));
    writeFileSync(join(dir, "postgres", "PG_VERSION"), "9.6\n");
    await expect(openEmbedded({ dataDir: dir })).rejects.toThrow(/cannot be opened: .+ Fix: restore the directory/s);
    remove();
  });
});
