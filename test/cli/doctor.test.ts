import { execFile } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, expect, test } from "vitest";
import { issueKey } from "../../src/access/issue-key.ts";
import { buildApp } from "../../src/app.ts";
import { createClient } from "../../src/database/client.ts";
import { serverFindings } from "../../src/cli/doctor-findings.ts";
import type { ServerFacts } from "../../src/database/server-facts.ts";
import { Keyring } from "../../src/crypto/keyring.ts";
import { testConfig, TEST_KEYRING } from "../support/config.ts";
import { batchRow } from "../support/customers.ts";
import { EVERY_SCOPE, freshDatabase } from "../support/gateway.ts";

const onPostgres = process.env["TEST_ON"] === "postgres";
const KEYS = {
  first: Buffer.alloc(32, 7).toString("base64"),
  second: Buffer.alloc(32, 8).toString("base64"),
  other: Buffer.alloc(32, 9).toString("base64"),
};
const idOf = (key: string) => new Keyring([Buffer.from(key, "base64")]).ids[0]!;

const { config, remove } = await freshDatabase();
afterAll(remove);
const ENV = { DATA_DIR: config.dataDir, GATEWAY_KEYRING: KEYS.first, ...(config.databaseUrl && { DATABASE_URL: config.databaseUrl }) };

/** The policy of a table with a bank's rows, as the migrations say it. */
const OWN = "bank_id = current_setting('gateway.bank', true) AND mode = nullif(current_setting('gateway.mode', true), '')::mode";

/** Runs the real command in an environment of its own. */
async function doctor(env: Record<string, string>, ...options: string[]): Promise<{ code: number; output: string }> {
  return new Promise((done) => {
    execFile(
      process.execPath,
      ["src/cli/main.ts", "doctor", ...options],
      { env: { PATH: process.env["PATH"], ...env } },
      (error, stdout, stderr) => done({ code: error ? Number(error.code) : 0, output: stdout + stderr }),
    );
  });
}

/** What it found, by check. */
async function findings(changes: Record<string, string> = {}) {
  const { code, output } = await doctor({ ...ENV, ...changes }, "--json");
  for (const secret of [...Object.values(KEYS), "hunter2"]) expect(output).not.toContain(secret);
  expect(output).toMatch(/^\[/);
  const found = JSON.parse(output) as { check: string; status: string; says: string; fix?: string }[];
  for (const { status, fix } of found) expect(fix !== undefined).toBe(status !== "ok");
  expect(code).toBe(found.some(({ status }) => status === "problem") ? 1 : 0);
  return Object.fromEntries(found.map(({ check, ...finding }) => [check, finding]));
}

const statuses = (found: Record<string, { status: string }>) =>
  Object.fromEntries(Object.entries(found).map(([check, { status }]) => [check, status]));

/** Ends before the command looks: one gateway at a time uses the embedded database. */
async function withGateway<Result>(use: (app: Awaited<ReturnType<typeof buildApp>>) => Promise<Result>): Promise<Result> {
  const app = await buildApp(config);
  try {
    return await use(app);
  } finally {
    await app.close();
  }
}

test("a healthy gateway has one line a check, and asks for the disk's encryption", async () => {
  const found = await findings();
  expect(statuses(found)).toEqual({
    variables: "ok",
    keyring: "ok",
    [onPostgres ? "database" : "data directory"]: "ok",
    "server version": "ok",
    schema: "ok",
    extensions: "ok",
    connection: "ok",
    ...(onPostgres && { connections: "ok" }),
    "row-level security": "ok",
    "audit triggers": "ok",
    "encrypted values": "ok",
    "blacklist hashes": "ok",
    "audit entries": "ok",
    disk: "warning",
  });
  expect(found["disk"]!.says).toMatch(
    /^account numbers and the notes of blacklist entries are encrypted by the gateway; every other column/,
  );
  const { code, output } = await doctor(ENV);
  expect(code).toBe(0);
  expect(output.trimEnd().split("\n")).toHaveLength(Object.keys(found).length);
  expect(output).toMatch(/^ok {7}variables: well-formed, for development\.$/m);
  expect(output).toMatch(/^warning {2}disk: .*\. Fix: see that both are encrypted\.$/m);
});

test("values and hashes are counted by key id, and keys that are missing are a problem", { timeout: 120_000 }, async () => {
  const [old, next] = [idOf(KEYS.first), idOf(KEYS.second)];
  await withGateway(async (app) => {
    const { key } = await issueKey(app.services.db, {
      tenant: { id: "alpha", kind: "BANK", name: "alpha" },
      mode: "SANDBOX",
      audience: "INTERNAL",
      scopes: EVERY_SCOPE,
    });
    const query = `mutation ($rows: [BatchCustomerInput]!) { createCustomersBatch(input: { customers: $rows }) { ... on BatchResult { customerIds } } }`;
    const ask = async (body: object) =>
      (
        await app.fetch(
          new Request("http://gateway.test/graphql", {
            method: "POST",
            headers: { "content-type": "application/json", authorization: `Bearer ${key}` },
            body: JSON.stringify(body),
          }),
        )
      ).json();
    const { data } = await ask({ query, variables: { rows: [batchRow(1), batchRow(2)] } });
    const [id] = data.createCustomersBatch.customerIds;
    await ask({ query: `mutation { setBlacklist(input: { id: "${id}", blacklisted: true, note: "why" }) { __typename } }` });
  });
  // The demo bank of the embedded database: 300 account numbers, 6 notes, 30 devices with their hashes, and by what 200 who
  // consented are found: as many e-mails, 20 devices.
  const values = onPostgres ? 3 : 3 + 300 + 6 + 2 * 30 + 200 + 20;
  const found = await findings();
  expect(found["encrypted values"]).toMatchObject({ status: "ok", says: `${values} under ${old}` });
  expect(found["blacklist hashes"]!.says).toMatch(new RegExp(`^\\d+ under ${old}$`));

  const rotating = await findings({ GATEWAY_KEYRING: `${KEYS.second},${KEYS.first}` });
  expect(rotating["encrypted values"]).toMatchObject({
    status: "warning",
    says: `${values} under ${old}`,
    fix: expect.stringContaining(`keep ${old} until nothing stands under it`),
  });
  expect(rotating["blacklist hashes"]).toMatchObject({ status: "warning", fix: expect.stringContaining(`never drop ${old}`) });
  const missing = await findings({ GATEWAY_KEYRING: KEYS.second });
  expect(missing["encrypted values"]).toMatchObject({ status: "problem", says: expect.stringContaining(`does not have ${old}`) });
  for (const check of ["blacklist hashes", "audit entries"]) expect(missing[check]!.status).toBe("problem");
  const kept = await findings({ GATEWAY_KEYRING: `${KEYS.second},kept:${KEYS.first}` });
  expect(kept["keyring"]!.says).toContain(`kept for hashes alone: ${old}`);
  expect(kept["encrypted values"]!.status).toBe("problem");
  for (const check of ["blacklist hashes", "audit entries"]) expect(kept[check]!.status).toBe("ok");
  expect((await findings({ GATEWAY_KEYRING: `${KEYS.first},${KEYS.second}` }))["encrypted values"]).toMatchObject({
    status: "ok",
    says: expect.stringContaining(`nothing stands under ${next}`),
  });
});

test("what is malformed ends it at once, without a value", async () => {
  expect(await findings({ PORT: "hunter2" })).toEqual({
    variables: {
      status: "problem",
      says: "the variable PORT is malformed: it must be a whole number from 0 to 65535",
      fix: expect.any(String),
    },
  });
  const found = await findings({ GATEWAY_KEYRING: `${KEYS.first},hunter2` });
  expect(Object.keys(found)).toEqual(["variables"]);
  const { DATABASE_URL: _, ...rest } = ENV as Record<string, string>;
  expect(JSON.parse((await doctor({ ...rest, NODE_ENV: "production" }, "--json")).output)).toMatchObject([
    { check: "variables", status: "problem", says: expect.stringContaining("DATABASE_URL") },
  ]);
});

test.runIf(!onPostgres)("the embedded database: in use, not there yet, without its keyring", async () => {
  const found = await withGateway(() => findings());
  expect(found["data directory"]).toMatchObject({ status: "problem", says: expect.stringContaining("another process is using it") });
  expect((await findings({ DATA_DIR: `${config.dataDir}/none`, GATEWAY_KEYRING: "" }))["data directory"]!.says).toContain(
    "has no database yet",
  );
  expect((await findings({ GATEWAY_KEYRING: "" }))["encrypted values"]).toMatchObject({
    status: "problem",
    says: "there are some, and no keyring",
  });
});

test("an issuer whose keys cannot be had, and a bank that there is not, are problems", { timeout: 60_000 }, async () => {
  const issuer = (bank: string, jwks: string) => ({
    issuer: `https://${bank}.example`,
    audience: "customer-gateway",
    jwks,
    bank: { value: bank },
    mode: { value: "sandbox" },
    scopes: { value: "customers:read" },
  });
  const serve = async () => {
    const server = createServer((_request, response) => void response.end('{"keys":[]}')).listen(0, "127.0.0.1");
    await once(server, "listening");
    return { server, jwks: `http://127.0.0.1:${(server.address() as AddressInfo).port}/keys` };
  };
  const [{ server, jwks }, gone] = [await serve(), await serve()];
  gone.server.close();
  try {
    const found = await findings({ JWT_ISSUERS: JSON.stringify([issuer("nowhere", jwks), issuer("neither", gone.jwks)]) });
    expect(found["issuer 1"]).toMatchObject({ status: "ok" });
    expect(found["issuer 2"]).toMatchObject({ status: "problem", says: "its keys cannot be had: ECONNREFUSED" });
    expect(found["banks of JWT_ISSUERS"]).toMatchObject({ status: "problem", says: "there is no nowhere, neither" });
  } finally {
    server.close();
  }
});

test.runIf(onPostgres)("PostgreSQL: not there, not this version's, not protected", { timeout: 120_000 }, async () => {
  const url = new URL(config.databaseUrl!);
  const elsewhere = (changes: Partial<URL>) => Object.assign(new URL(url), changes).href;
  expect((await findings({ DATABASE_URL: "postgres://somebody:hunter2@127.0.0.1:1/none" }))["database"]).toMatchObject({
    status: "problem",
    says: expect.stringContaining("ECONNREFUSED"),
  });
  expect((await findings({ DATABASE_URL: elsewhere({ pathname: "/no_such_database" }) }))["database"]!.says).toContain("does not exist");

  const production = { NODE_ENV: "production" };
  expect(statuses(await findings(production))).toMatchObject({ connection: "ok", "row-level security": "ok" });
  const many = await findings({ WORKERS: "64" });
  expect(many["connections"]).toMatchObject({
    status: "warning",
    says: expect.stringMatching(/^960 at most for 64 processes, of \d+ that/),
  });
  expect(many["shared limits"]).toMatchObject({ status: "warning", fix: "set REDIS_URL" });
  expect((await findings({ ...production, ROW_LEVEL_SECURITY: "off" }))["row-level security"]).toMatchObject({
    status: "problem",
    says: "off",
  });
  // An address that the gateway cannot know to be this machine's.
  const remote = elsewhere({ hostname: "0.0.0.0" });
  expect((await findings({ ...production, DATABASE_URL: remote }))["connection"]).toMatchObject({
    status: "problem",
    says: "not encrypted",
  });
  expect((await findings({ DATABASE_URL: remote }))["connection"]!.status).toBe("warning");

  const db = createClient({ connectionString: url.href });
  const user = `doctor_test_${process.pid}`;
  try {
    await db.$executeRawUnsafe(`CREATE ROLE ${user} LOGIN PASSWORD 'hunter2'`);
    await db.$executeRawUnsafe(`GRANT SELECT ON ALL TABLES IN SCHEMA public TO ${user}`);
    const stranger = await findings({ ...production, DATABASE_URL: elsewhere({ username: user, password: "hunter2" }) });
    expect(stranger["row-level security"]).toMatchObject({ status: "problem", says: "on, and this user may not take its role" });

    await db.$executeRaw`ALTER TABLE customer DISABLE ROW LEVEL SECURITY`;
    expect((await findings(production))["row-level security"]).toMatchObject({ status: "problem", says: "switched off on customer" });
    await db.$executeRaw`ALTER TABLE customer ENABLE ROW LEVEL SECURITY`;

    for (const [table, change, undo] of [
      ["customer", "ALTER POLICY own_bank_and_mode ON customer USING (true)", `ALTER POLICY own_bank_and_mode ON customer USING (${OWN})`],
      ["api_key", "CREATE POLICY wide ON api_key USING (true)", "DROP POLICY wide ON api_key"],
      ["batch", "ALTER POLICY own_bank_and_mode ON batch TO PUBLIC", "ALTER POLICY own_bank_and_mode ON batch TO customer_gateway_tenant"],
    ] as const) {
      await db.$executeRawUnsafe(change);
      const says = `on, and policies are not the migrations' on ${table}`;
      expect((await findings(production))["row-level security"]).toMatchObject({ status: "problem", says });
      await db.$executeRawUnsafe(undo);
    }
    for (const name of ["customer_search", "another"]) {
      const [kept] = await db.$queryRaw<{ text: string }[]>`SELECT pg_get_functiondef('customer_search'::regproc) AS text`;
      const parameters = "(bank text, of_mode mode, patterns text[], most integer)";
      await db.$executeRawUnsafe(
        `CREATE OR REPLACE FUNCTION ${name}${parameters} RETURNS SETOF uuid LANGUAGE sql SECURITY DEFINER AS 'SELECT id FROM customer'`,
      );
      expect((await findings(production))["row-level security"]).toMatchObject({
        status: "problem",
        says: expect.stringMatching(`: ${name}$`),
      });
      await db.$executeRawUnsafe(name === "another" ? `DROP FUNCTION another` : kept!.text);
    }
    await db.$executeRaw`ALTER TABLE audit_entry DISABLE TRIGGER only_grows`;
    await db.$executeRaw`DROP TRIGGER only_grows ON audit_link`;
    const unguarded = await findings(production);
    expect(unguarded["audit triggers"]).toMatchObject({
      status: "problem",
      says: expect.stringMatching(/changed on audit_entry, audit_link$/),
    });
    expect(unguarded["row-level security"]!.status).toBe("ok");

    await db.$executeRaw`DELETE FROM _prisma_migrations WHERE migration_name = (SELECT max(migration_name) FROM _prisma_migrations)`;
    const older = await findings();
    expect(older["schema"]).toMatchObject({ status: "problem", fix: expect.stringContaining("npm run migrate") });
    expect(older).not.toHaveProperty("encrypted values");
    await db.$executeRaw`DROP EXTENSION btree_gin CASCADE`;
    expect((await findings())["extensions"]).toMatchObject({ status: "problem", says: "not installed: btree_gin" });
  } finally {
    await db.$executeRawUnsafe(`DROP OWNED BY ${user}`);
    await db.$executeRawUnsafe(`DROP ROLE ${user}`);
    await db.$disconnect();
  }
});

test("what each fact of a server means", () => {
  const facts: ServerFacts = {
    version: "16.1",
    majorVersion: 16,
    schema: "current",
    missingExtensions: [],
    tls: "TLSv1.3",
    isLocal: false,
    statementTimeoutMs: 0,
    maxConnections: 97,
    mayTakeRole: true,
    guards: { unprotectedTables: [], changedPolicies: [], strangeFunctions: [], missingTriggers: [] },
    unknownBanks: [],
    sealed: null,
  };
  const found = (changes: Partial<ServerFacts>, sslmode = "verify-full") => {
    const production = testConfig({
      production: true,
      databaseUrl: `postgres://u:hunter2@db.example/x?sslmode=${sslmode}`,
      keyring: TEST_KEYRING,
    });
    return statuses(
      Object.fromEntries(serverFindings(production, { ...facts, ...changes }).map(({ check, ...finding }) => [check, finding])),
    );
  };
  expect(Object.values(found({}))).toEqual(["ok", "ok", "ok", "ok", "ok", "ok"]);
  expect(found({}, "no-verify")).toMatchObject({ connection: "warning" });
  expect(found({ tls: null })).toMatchObject({ connection: "problem" });
  expect(found({ tls: null, isLocal: true })).toMatchObject({ connection: "ok" });
  expect(found({ majorVersion: 14 })).toMatchObject({ "server version": "problem" });
  for (const schema of ["older", "newer", "foreign"] as const) expect(found({ schema })).toMatchObject({ schema: "problem" });
  expect(found({ schema: "empty" })).toMatchObject({ schema: "warning" });
  expect(found({}, "verify-full&pgbouncer=true")).toMatchObject({ "time limits": "warning" });
  expect(found({ statementTimeoutMs: 9000 }, "verify-full&pgbouncer=true")).toMatchObject({ "time limits": "ok" });
  expect(found({ schema: "empty", missingExtensions: ["pg_trgm"] })).toMatchObject({ extensions: "problem" });
});
