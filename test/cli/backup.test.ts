import { cpSync, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import { createHash } from "node:crypto";
import pg from "pg";
import { describe, expect, it } from "vitest";
import { openEmbedded } from "../../src/database/embedded.ts";
import { TEST_DATABASE_URL } from "../support/environment.ts";
import { batchRow } from "../support/customers.ts";
import { administer } from "../support/global-setup.ts";
import {
  command,
  emptyDatabase,
  type Ending,
  type Env,
  freshDir,
  freshEnv,
  keyFor,
  ON_POSTGRES,
  send,
  startGateway,
} from "../support/process.ts";

const BATCH = `mutation ($input: CreateCustomersBatchInput!) {
  createCustomersBatch(input: $input) { __typename ... on BatchResult { id status customerIds } ... on Error { message } } }`;
const BLACKLIST = `mutation ($id: ID!) { setBlacklist(input: { id: $id, blacklisted: true, note: "why" }) { __typename } }`;
const ONE = `query ($emails: [String!]) { customers(first: 1, filter: { emails: $emails }) { nodes { id accountNumber } } }`;

/** Runs a command to its end. */
const run = (env: Env, ...args: string[]): Promise<Ending> => command(args, env).ended;

/** Runs `use` on a connection to a database that nobody else holds. */
async function connected<Result>({ DATA_DIR, DATABASE_URL }: Env, use: (client: pg.Client) => Promise<Result>): Promise<Result> {
  const embedded = DATABASE_URL === undefined ? await openEmbedded({ dataDir: DATA_DIR! }) : null;
  const client = new pg.Client(embedded?.connection ?? { connectionString: DATABASE_URL });
  await client.connect();
  try {
    return await use(client);
  } finally {
    await client.end();
    await embedded?.close();
  }
}

/** Every row of every table in `public`, as PostgreSQL writes it: a reading that the command has no part in. */
async function everything(env: Env): Promise<Record<string, string[]>> {
  return connected(env, async (client) => {
    await client.query("SET timezone = 'UTC'");
    const { rows: tables } = await client.query<{ name: string }>(
      "SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public' AND tablename <> '_prisma_migrations' ORDER BY 1",
    );
    const found: Record<string, string[]> = {};
    for (const { name } of tables) {
      const { rows } = await client.query<{ row: string }>(`SELECT t::text AS row FROM "${name}" t ORDER BY t::text COLLATE "C"`);
      found[name] = rows.map(({ row }) => row);
    }
    return found;
  });
}

/** A database without tables of the same kind as the run's, or of the other; with the keyring of `freshEnv`. */
async function emptyEnv(onPostgres = ON_POSTGRES): Promise<Env> {
  const { GATEWAY_KEYRING } = await freshEnv();
  return { DATA_DIR: freshDir(), GATEWAY_KEYRING: GATEWAY_KEYRING!, ...(onPostgres && { DATABASE_URL: await emptyDatabase() }) };
}

/** A database that a gateway has worked on: customers, a blacklist, failures, and a batch in the background that is not yet done. */
async function usedEnv(): Promise<Env> {
  const env = await freshEnv();
  const key = await keyFor(env);
  const gateway = await startGateway(env);
  const rows = Array.from({ length: 40 }, (_, index) => batchRow(index));
  const odd = batchRow(900, { accountName: 'Ὀδυσσεύς "the\\quoted"', address: "a\nb\t[{}]\u2028", middlename: "null" });
  const { data } = await send(gateway.url, key, BATCH, { input: { customers: [...rows, odd, rows[0]!], idempotencyKey: "first" } });
  expect(data.createCustomersBatch).toMatchObject({ status: "COMPLETED" });
  await send(gateway.url, key, BLACKLIST, { id: data.createCustomersBatch.customerIds[3] });
  const later = Array.from({ length: 500 }, (_, index) => batchRow(1000 + index));
  await send(gateway.url, key, BATCH, { input: { customers: later, processing: "BACKGROUND" } });
  await gateway.end("SIGTERM");
  return env;
}

/** What a command put beside a file. */
const beside = (file: string) => readdirSync(dirname(file)).filter((name) => name.includes(".part"));

/** A path for a backup, in a directory that is removed with the test. */
function place(): string {
  const dir = freshDir();
  return join(dirname(dir), "bank.backup");
}

/** A backup with other lines, and with the checksum of those. */
function rewritten(file: string, change: (text: string) => string): Buffer {
  const lines = change(gunzipSync(readFileSync(file)).toString())
    .trimEnd()
    .split("\n")
    .slice(0, -1);
  const body = lines.map((line) => `${line}\n`).join("");
  return gzipSync(`${body}${JSON.stringify({ sha256: createHash("sha256").update(body).digest("hex") })}\n`);
}

const targets: [string, boolean][] = TEST_DATABASE_URL
  ? [
      ["PostgreSQL", true],
      ["embedded", false],
    ]
  : [["embedded", false]];

// Each case starts a dozen processes or more.
describe("backup and restore", { timeout: 240_000 }, () => {
  it.each(targets)(
    "carry every row of every table to %s, and keys, values, audit and waiting batches work there",
    async (_, toPostgres) => {
      const env = await usedEnv();
      const before = await everything(env);
      const file = place();
      writeFileSync(file, "old", { mode: 0o644 });
      const made = await run(env, "backup", file, "--json");
      expect(made).toMatchObject({ code: 0, stderr: "" });
      const counts = Object.fromEntries(Object.entries(before).map(([name, rows]) => [name, rows.length]));
      expect(JSON.parse(made.stdout)).toEqual({ file, rows: counts });
      expect(counts).toMatchObject({ blacklist_entry: expect.any(Number) as number, batch_failure: 1 });
      expect(counts["batch_payload"]).toBeLessThanOrEqual(1);
      expect(statSync(file).mode & 0o777).toBe(0o600);
      expect(beside(file)).toEqual([]);
      // What seals is not in it.
      const text = gunzipSync(readFileSync(file)).toString();
      expect(text).not.toContain(env["GATEWAY_KEYRING"]!);
      expect(text).not.toContain(Buffer.from(env["GATEWAY_KEYRING"]!, "base64").toString("hex"));

      const target = await emptyEnv(toPostgres);
      expect(await run(target, "restore", file, "--json")).toMatchObject({
        code: 0,
        stderr: "",
        stdout: `${JSON.stringify({ file, rows: JSON.parse(made.stdout).rows })}\n`,
      });
      expect(await everything(target)).toEqual(before);
      expect(await run(target, "audit", "verify")).toMatchObject({
        code: 0,
        stdout: expect.stringMatching(/^The audit is whole/) as string,
      });

      // Else a start on the embedded database takes it for a new one, and makes the demo bank's keys.
      if (!ON_POSTGRES) cpSync(join(env["DATA_DIR"]!, "dev-keys.json"), join(target["DATA_DIR"]!, "dev-keys.json"));
      else if (!toPostgres) return;
      const key = ON_POSTGRES ? await keyFor(target) : await keyFor({ DATA_DIR: env["DATA_DIR"]! });
      const gateway = await startGateway(target);
      const email = (batchRow(1) as { email: string }).email;
      const { data } = await send(gateway.url, key, ONE, { emails: [email] });
      expect(data.customers.nodes).toEqual([
        { id: expect.any(String) as string, accountNumber: (batchRow(1) as { accountNumber: string }).accountNumber },
      ]);
      // The batch queues itself again, from its rows.
      const last = { emails: [(batchRow(1499) as { email: string }).email] };
      await expect.poll(async () => (await send(gateway.url, key, ONE, last)).data.customers.nodes).toHaveLength(1);
      await gateway.end("SIGTERM");
      expect(await run(target, "audit", "verify")).toMatchObject({ code: 0 });
    },
  );

  it("stand at one moment while others write, and a sequence goes on after the last number", { skip: !ON_POSTGRES }, async () => {
    const [env, target] = [await usedEnv(), await emptyEnv()];
    const extra = `CREATE TABLE ticket (id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, twice integer GENERATED ALWAYS AS (2 * id) STORED,
      data jsonb, list text[], amount numeric, ratio float8)`;
    await connected(env, async (client) => {
      await client.query(extra);
      const values = `('null', '{"a,b",NULL}', 12345678901234567890.123, 0.1::float8 + 0.2), (NULL, '{}', 'NaN', 'Infinity')`;
      await client.query(`INSERT INTO ticket (data, list, amount, ratio) VALUES ${values}`);
    });
    const before = await everything(env);
    const file = place();
    // Somebody writes and has not committed; nobody waits for anybody.
    await connected(env, async (client) => {
      await client.query("BEGIN; INSERT INTO ticket (amount) VALUES (1)");
      expect(await run(env, "backup", file)).toMatchObject({ code: 0 });
      await client.query("ROLLBACK");
    });
    expect(await run(target, "migrate")).toMatchObject({ code: 0 });
    expect(await run(target, "restore", file)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("added tables or columns") as string,
    });
    await connected(target, (client) => client.query(extra));
    expect(await run(target, "restore", file)).toMatchObject({ code: 0 });
    expect(await everything(target)).toEqual(before);
    const { rows } = await connected(target, (client) => client.query<{ id: number }>("INSERT INTO ticket DEFAULT VALUES RETURNING id"));
    expect(rows).toEqual([{ id: 4 }]);
  });

  it("refuse a user whom rows are hidden from", { skip: !ON_POSTGRES }, async () => {
    const env = await usedEnv();
    const user = `reader_${crypto.randomUUID().replaceAll("-", "")}`;
    await administer(env["DATABASE_URL"]!, `CREATE ROLE ${user} LOGIN PASSWORD 'reader'; GRANT pg_read_all_data TO ${user}`);
    try {
      const address = Object.assign(new URL(env["DATABASE_URL"]!), { username: user, password: "reader" });
      const file = place();
      expect(await run({ ...env, DATABASE_URL: address.href }, "backup", file)).toMatchObject({
        code: 1,
        stderr: expect.stringContaining(
          "this user may not touch every row of every table. Fix: name in DATABASE_URL the user who owns",
        ) as string,
      });
      expect([existsSync(file), beside(file)]).toEqual([false, []]);
    } finally {
      await administer(env["DATABASE_URL"]!, `DROP OWNED BY ${user}; DROP ROLE ${user}`);
    }
  });

  it("refuse a file that is damaged, cut off, another's or of another version, and a database that is not empty", async () => {
    const env = await freshEnv();
    const [file, bad] = [place(), place()];
    expect(await run(env, "backup", file)).toMatchObject({ code: 0 });
    const whole = readFileSync(file);
    const target = await emptyEnv();
    const refused = async (content: Buffer | string, words: RegExp) => {
      writeFileSync(bad, content);
      expect(await run(target, "restore", bad)).toEqual({ code: 1, stdout: "", stderr: expect.stringMatching(words) as string });
    };
    for (const at of [20, Math.floor(whole.length / 2), whole.length - 6]) {
      const damaged = Buffer.from(whole);
      damaged[at]! ^= 0x10;
      await refused(damaged, /cannot be restored: it is .*damaged/);
    }
    for (const length of [1, 40, Math.floor(whole.length / 2), whole.length - 1])
      await refused(whole.subarray(0, length), /it is cut off before its end/);
    const lines = gunzipSync(whole).toString();
    await refused(gzipSync(lines.replace('"rows":{', '"rows":{"more":1,')), /damaged: its checksum is another/);
    await refused(gzipSync(lines.slice(0, lines.lastIndexOf("{"))), /cut off/);
    await refused(gzipSync(`${lines}[]\n`), /damaged/);
    for (const other of ["", gzipSync(""), "id,name\n1,Ada\n", gzipSync("id,name\n1,Ada\n"), gzipSync("{}\n")])
      await refused(other, /it is (no backup of the gateway|cut off)/);
    await refused(gzipSync(lines.replace("backup 1", "backup 2")), /its format is one that this version does not know/);
    await refused(
      rewritten(file, (text) => text.replace(/,\{"name":"\d+_document_states"[^}]*\}/, "")),
      /its schema is that of an older version of the gateway/,
    );
    await refused(
      rewritten(file, (text) => text.replace('"migrations":[', '"migrations":[{"name":"29990101000000_later","checksum":"0"},')),
      /its schema is that of a newer version/,
    );
    // Nothing of all this has touched the database.
    if (!ON_POSTGRES) expect(existsSync(target["DATA_DIR"]!)).toBe(false);
    // Rows that the ending does not count are taken back.
    await refused(
      rewritten(file, (text) => text.replace(/"tenant":\d+/, '"tenant":77')),
      /not whole, and nothing was written/,
    );
    expect(Object.values(await everything(target)).flat()).toEqual([]);
    expect(await run(target, "restore", join(dirname(bad), "none"))).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("cannot be read: ENOENT") as string,
    });
    expect(await run(target, "restore", dirname(bad))).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("cannot be read: EISDIR") as string,
    });

    if (ON_POSTGRES) await keyFor(target);
    else expect(await run(target, "restore", file)).toMatchObject({ code: 0 });
    const held = await everything(target);
    expect(await run(target, "restore", file)).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/not empty: there are rows in .*tenant/) as string,
    });
    expect(await everything(target)).toEqual(held);
  });

  it("say what cannot be written or read, and which key is missing", async () => {
    const env = await usedEnv();
    for (const path of [join(dirname(place()), "no", "such"), "/dev/null"])
      expect(await run(env, "backup", path)).toMatchObject({
        code: 1,
        stderr: expect.stringMatching(/cannot be written: (ENOENT|it is no file)/) as string,
      });
    const empty = await emptyEnv();
    expect(await run(empty, "backup", place())).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/it is empty|has no database/) as string,
    });
    expect(existsSync(empty["DATA_DIR"]!)).toBe(false);
    const file = place();
    expect(await run(env, "backup", file)).toMatchObject({ code: 0 });
    const other = { ...(await emptyEnv()), GATEWAY_KEYRING: Buffer.alloc(32, 9).toString("base64") };
    expect(await run(other, "restore", file)).toMatchObject({
      code: 0,
      stderr: expect.stringMatching(/encrypted values: .*the keyring does not have/) as string,
    });
    expect(await run(other, "doctor")).toMatchObject({
      code: 1,
      stdout: expect.stringMatching(/encrypted values: .*the keyring does not have/) as string,
    });
  });

  it("leave nothing when they are stopped or killed", async () => {
    const env = await freshEnv();
    await connected(env, async (client) => {
      await client.query("INSERT INTO tenant (id, kind, name) VALUES ('many', 'BANK', 'many')");
      await client.query(`INSERT INTO idempotency_key (bank_id, mode, mutation, key, input_hash, result_id, created_at)
        SELECT 'many', 'LIVE', 'm', n::text, sha256(n::text::bytea), gen_random_uuid(), now() FROM generate_series(1, 60000) n`);
    });
    const file = place();
    // Once it has begun to write.
    for (const signal of ["SIGTERM", "SIGKILL"] as const) {
      const backup = command(["backup", file], env);
      await expect.poll(() => beside(file).length, { interval: 5 }).toBe(1);
      expect(await backup.end(signal)).toMatchObject(
        signal === "SIGTERM" ? { code: 3, stderr: expect.stringContaining("nothing is left") as string } : { code: null },
      );
      expect(existsSync(file)).toBe(false);
      expect(beside(file)).toHaveLength(signal === "SIGTERM" ? 0 : 1);
    }
    expect(await run(env, "backup", file)).toMatchObject({ code: 0 });
    const target = await emptyEnv();
    for (const signal of ["SIGTERM", "SIGKILL"] as const) {
      const restore = command(["restore", file], target);
      if (ON_POSTGRES) await expect.poll(() => isFilling(target), { interval: 5 }).toBe(true);
      else await onceSocket(target);
      await new Promise((done) => setTimeout(done, 300));
      const { code } = await restore.end(signal);
      expect(code).toBe(signal === "SIGTERM" ? 3 : null);
      if (!ON_POSTGRES) continue;
      await expect.poll(() => isFilling(target)).toBe(false);
      expect(Object.values(await everything(target)).flat()).toEqual([]);
    }
    expect(await run(target, "restore", file)).toMatchObject({ code: 0 });
    expect(await everything(target)).toEqual(await everything(env));
  });
});

/** Whether a restore is at work in a database. */
async function isFilling(env: Env): Promise<boolean> {
  return connected(env, async (client) => {
    const { rows } = await client.query(
      "SELECT FROM pg_stat_activity WHERE application_name = 'customer-gateway backup' AND datname = current_database()",
    );
    return rows.length > 0;
  });
}

/** The embedded database cannot be looked into from outside; its files are there when it is. */
async function onceSocket({ DATA_DIR }: Env): Promise<void> {
  await expect.poll(() => existsSync(join(DATA_DIR!, "postgres", "PG_VERSION")), { interval: 5 }).toBe(true);
}

describe.skipIf(!TEST_DATABASE_URL || ON_POSTGRES)("move", { timeout: 240_000 }, () => {
  it("brings the embedded database to PostgreSQL in one command; the old one and its keys stay as they were", async () => {
    const { DATA_DIR } = await usedEnv();
    // Development's keyring lies beside the data.
    const from: Env = { DATA_DIR: DATA_DIR! };
    writeFileSync(join(DATA_DIR!, "keyring"), Buffer.alloc(32, 7).toString("base64"), { mode: 0o600 });
    const before = await everything(from);
    const to: Env = { ...from, DATABASE_URL: await emptyDatabase() };
    expect(await run(from, "move")).toMatchObject({ code: 1, stderr: expect.stringContaining("DATABASE_URL is not set") as string });
    expect(await run({ ...to, DATA_DIR: freshDir() }, "move")).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("has no database") as string,
    });

    const running = await startGateway(from);
    expect(await run(to, "move")).toMatchObject({ code: 1, stderr: expect.stringContaining("another process is using it") as string });
    await running.end("SIGTERM");

    const now = await everything(from);
    expect(Object.keys(now)).toEqual(Object.keys(before));
    expect(await run(to, "move")).toMatchObject({
      code: 0,
      stderr: "",
      stdout: expect.stringMatching(/rows of 22 tables are moved/) as string,
    });
    expect(await everything(to)).toEqual(now);
    expect(await everything(from)).toEqual(now);
    expect(await run(to, "audit", "verify")).toMatchObject({ code: 0 });
    expect(await run(to, "move")).toMatchObject({ code: 1, stderr: expect.stringContaining("the database is not empty") as string });

    const gateway = await startGateway(to);
    const keys = JSON.parse(readFileSync(join(DATA_DIR!, "dev-keys.json"), "utf8")) as Record<string, string>;
    const { data } = await send(
      gateway.url,
      keys["internal"]!,
      `{ customers(first: 1, filter: { emails: ["${(batchRow(1) as { email: string }).email}"] }) { nodes { accountNumber } } }`,
    );
    expect(data.customers.nodes).toEqual([{ accountNumber: (batchRow(1) as { accountNumber: string }).accountNumber }]);
    expect((await send(gateway.url, keys["app"]!, `{ viewer { __typename } }`)).errors).toBeUndefined();
  });
});
