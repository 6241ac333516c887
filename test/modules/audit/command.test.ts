import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdir, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import pg from "pg";
import { pino } from "pino";
import { issueKey } from "../../../src/access/issue-key.ts";
import { verifyAudit } from "../../../src/audit/verify.ts";
import { buildApp } from "../../../src/app.ts";
import { headText } from "../../../src/audit/entry.ts";
import { EVERY_SCOPE, freshDatabase } from "../../support/gateway.ts";
import { TEST_KEYRING } from "../../support/config.ts";
import { TEST_DATABASE_URL } from "../../support/environment.ts";
import { administer, databaseUrl } from "../../support/global-setup.ts";

const { config, remove } = await freshDatabase();
afterAll(remove);

const environment = {
  PATH: process.env["PATH"],
  DATA_DIR: config.dataDir,
  GATEWAY_KEYRING: Buffer.alloc(32, 7).toString("base64"),
  PORT: "0",
  LOG_LEVEL: "info",
  ...(config.databaseUrl && { DATABASE_URL: config.databaseUrl }),
};

/** Runs the real command line. */
const command = (...args: string[]) => commandWith(environment, ...args);

function commandWith(env: NodeJS.ProcessEnv, ...args: string[]) {
  return spawn(process.execPath, ["src/cli/main.ts", ...args], { env, cwd: join(import.meta.dirname, "../../..") });
}

const run = (...args: string[]) => ended(command(...args));

async function ended(child: ReturnType<typeof command>) {
  let [out, err] = ["", ""];
  child.stdout.on("data", (chunk) => (out += chunk));
  child.stderr.on("data", (chunk) => (err += chunk));
  const [code] = await once(child, "close");
  return { code, out: out.trim(), err: err.trim() };
}

let log = "";
const keep = pino({ level: "info" }, { write: (line: string) => void (log += line) });

/** Opens a gateway in this process on the same database, for as long as `work` takes. */
async function within<T>(work: (app: Awaited<ReturnType<typeof buildApp>>) => Promise<T>): Promise<T> {
  const app = await buildApp(config, { log: keep });
  try {
    return await work(app);
  } finally {
    await app.close();
  }
}

test("a gateway that is killed leaves an audit that is whole, and the next one takes over what it had not linked", async () => {
  const key = await within(async ({ services: { db } }) => {
    const tenant = { id: "alpha", kind: "BANK", name: "Alpha" } as const;
    return (await issueKey(db, { tenant, mode: "SANDBOX", audience: "INTERNAL", scopes: EVERY_SCOPE })).key;
  });
  const gateway = command("start");
  const url = await new Promise<string>((done, fail) => {
    let output = "";
    const read = (chunk: Buffer) => {
      output += chunk;
      const address = /http:\/\/127\.0\.0\.1:\d+/.exec(output);
      if (address) done(address[0]);
    };
    gateway.stdout.on("data", read);
    gateway.stderr.on("data", (chunk: Buffer) => (output += chunk));
    gateway.once("close", () => fail(new Error(output)));
  });
  const create =
    'mutation ($email: String!) { createCustomer(input: { firstname: "A", lastname: "B", country: "NG", email: $email }) { __typename } }';
  const acknowledged: string[] = [];
  // Until it is killed in the middle: what answered, counts.
  await Promise.all(
    Array.from({ length: 40 }, async (_, number) => {
      try {
        const response = await fetch(`${url}/graphql`, {
          method: "POST",
          headers: { authorization: `Bearer ${key}`, "content-type": "application/json", "x-request-id": `r${number}` },
          body: JSON.stringify({ query: create, variables: { email: `a${number}@example.com` } }),
        });
        if (JSON.stringify(await response.json()).includes('"Customer"')) acknowledged.push(`r${number}`);
      } catch {
        // Killed before it answered.
      }
      if (acknowledged.length === 20) gateway.kill("SIGKILL");
    }),
  );
  if (gateway.exitCode === null && gateway.signalCode === null) await once(gateway, "close");
  expect(acknowledged.length).toBeGreaterThanOrEqual(20);

  const { code, out } = await run("audit", "verify");
  expect([code, out]).toEqual([
    0,
    expect.stringMatching(/^The audit is whole: \d+ entries in \d+ chains?, \d+ heads? checked, \d+ not yet linked\.$/),
  ]);
  await within(async ({ services: { db } }) => {
    const found = await db.auditEntry.findMany({ where: { requestId: { in: acknowledged }, action: "WRITE" } });
    expect(found.map(({ requestId }) => requestId).sort()).toEqual(acknowledged.toSorted());
    await expect.poll(async () => (await verifyAudit(db, TEST_KEYRING)).unlinked, { timeout: 50_000, interval: 500 }).toBe(0);
    expect((await verifyAudit(db, TEST_KEYRING)).problems).toEqual([]);
  });
}, 120_000);

test("verify checks the heads of a log as it is, and one that is given", async () => {
  const file = join(config.dataDir, "gateway.log");
  await writeFile(file, log);
  const heads = log.match(/"auditHead":"([^"]+)"/g)!;
  expect(heads.length).toBeGreaterThanOrEqual(2);
  const whole = await run("audit", "verify", "--heads", file, "--json");
  expect(whole.code).toBe(0);
  expect(JSON.parse(whole.out)).toMatchObject({ problems: [], heads: expect.any(Number) });
  const gone = `${crypto.randomUUID()}:9:${"a".repeat(64)}`;
  const cut = await run("audit", "verify", "--head", gone);
  expect(cut).toMatchObject({
    code: 1,
    out: "",
    err: expect.stringContaining(`chain ${gone.slice(0, 36)}: its end was cut off before link 9`),
  });
});

test("verify says what and where, and ends with 1, when a row was changed", async () => {
  const place = await within(async ({ services: { db } }) => {
    const link = (await db.auditLink.findFirst({ where: { seq: 2 } }))!;
    await db.$executeRaw`ALTER TABLE audit_entry DISABLE TRIGGER only_grows`;
    await db.auditEntry.update({ where: { id: link.entryId }, data: { actor: "innocent" } });
    await db.$executeRaw`ALTER TABLE audit_entry ENABLE TRIGGER only_grows`;
    return { at: `chain ${link.chain}, link 2: its entry ${link.entryId}`, head: headText(link) };
  });
  const { code, out, err } = await run("audit", "verify");
  expect([code, out, err]).toEqual([1, "", expect.stringContaining(place.at)]);
});

test("verify refuses in one sentence what it cannot work with", async () => {
  for (const [args, sentence] of [
    [["--head", "nonsense"], "--head is none: it is not chain:seq:hash"],
    [["--heads", "/nowhere/at/all"], "the file /nowhere/at/all cannot be read: ENOENT"],
  ] as const) {
    expect(await run("audit", "verify", ...args)).toMatchObject({ code: 1, out: "", err: expect.stringContaining(sentence) });
  }
});

test("verify makes nothing where there is nothing: no directory, no database, no keyring, no tables", async () => {
  const { DATABASE_URL: url, GATEWAY_KEYRING: _, ...bare } = environment;
  const verify = (changes: NodeJS.ProcessEnv) => ended(commandWith({ ...bare, ...changes }, "audit", "verify"));
  const absent = join(config.dataDir, "mistyped");
  const fix = "check DATABASE_URL, or DATA_DIR";
  for (const GATEWAY_KEYRING of [undefined, environment.GATEWAY_KEYRING]) {
    const { code, out, err } = await verify({ DATA_DIR: absent, GATEWAY_KEYRING });
    expect([code, out]).toEqual([1, ""]);
    expect(err).toContain(`there is no audit here: the data directory ${absent} has no database`);
    expect(err).toContain(fix);
    expect(existsSync(absent)).toBe(false);
  }

  // What a first start that was cut off left: no database, and not for this command to clear away.
  const cutOff = join(config.dataDir, "cut-off");
  await mkdir(join(cutOff, "postgres"), { recursive: true });
  for (const file of ["postgres.unfinished", "postgres/PG_VERSION"]) await writeFile(join(cutOff, file), "");
  expect((await verify({ DATA_DIR: cutOff })).err).toContain("there is no audit here");
  expect((await readdir(cutOff, { recursive: true })).sort()).toEqual(["postgres", "postgres.unfinished", "postgres/PG_VERSION"].sort());

  if (url === undefined) return;
  const without = await verify({ DATA_DIR: absent, DATABASE_URL: url });
  expect(without).toMatchObject({ code: 1, out: "", err: expect.stringContaining("there is no keyring to check with") });
  const name = `customer_gateway_test_${crypto.randomUUID().replaceAll("-", "")}`;
  await administer(TEST_DATABASE_URL!, `CREATE DATABASE ${name}`);
  try {
    const empty = databaseUrl(TEST_DATABASE_URL!, name);
    const { code, out, err } = await verify({ DATA_DIR: absent, DATABASE_URL: empty, GATEWAY_KEYRING: environment.GATEWAY_KEYRING });
    expect([code, out]).toEqual([1, ""]);
    expect(err).toContain(`it is empty: no gateway has written to it. Fix: ${fix}`);
    const client = new pg.Client(empty);
    await client.connect();
    const { rows } = await client.query("SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace");
    await client.end();
    expect(rows).toEqual([]);
  } finally {
    await administer(TEST_DATABASE_URL!, `DROP DATABASE ${name} WITH (FORCE)`);
  }
  expect(existsSync(absent)).toBe(false);
}, 60_000);
