import { once } from "node:events";
import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import pg from "pg";
import { describe, expect, it, onTestFinished } from "vitest";
import { openEmbedded } from "../../src/database/embedded.ts";
import { migrate } from "../../src/database/migrate.ts";
import { readMigrations } from "../../src/database/migrations-folder.ts";
import { generateKeyringSecret } from "../../src/crypto/keyring.ts";
import { TEST_DATABASE_URL } from "../support/environment.ts";
import { administer } from "../support/global-setup.ts";
import { command, emptyDatabase, type Env, freshDir, freshEnv, keyFor, ON_POSTGRES, send, startGateway } from "../support/process.ts";

/** One sentence with its fix, on standard error; nothing else. */
async function refused(env: Env, words: RegExp): Promise<void> {
  const { code, stdout, stderr } = await command(["start"], { PORT: "0", ...env }).ended;
  expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
  expect(stderr).toMatch(/^[^\n]+: [^\n]+\. Fix: [^\n]+\.\n$/);
  expect(stderr).toMatch(words);
  expect(stderr).not.toMatch(/hunter2/);
}

async function serves(env: Env): Promise<void> {
  const gateway = await startGateway(env);
  const { data } = await send(gateway.url, await keyFor(env), "{ customers(first: 1) { totalCount } }");
  expect(data.customers.totalCount).toBe(env["DATABASE_URL"] ? 0 : 300);
  expect(await gateway.end("SIGTERM")).toMatchObject({ code: 0, stderr: "" });
}

async function sql(connection: pg.ClientConfig, ...statements: string[]): Promise<void> {
  const client = new pg.Client(connection);
  await client.connect();
  for (const statement of statements) await client.query(statement);
  await client.end();
}

/** An entry of JWT_ISSUERS that is right. */
const ISSUER = {
  issuer: "https://login.bank.example",
  audience: "customer-gateway",
  jwks: "https://login.bank.example/keys",
  bank: { value: "my-bank" },
  mode: { value: "live" },
  scopes: { claim: "roles", map: { teller: ["customers:read"] } },
};

/** What a later version's migration leaves behind. */
const LATER = `INSERT INTO _prisma_migrations (id, checksum, migration_name, finished_at, applied_steps_count)
  VALUES ('later', 'later', '29991231000000_later', now(), 1)`;

function anywhere() {
  const KEYRING = generateKeyringSecret();
  it.each<[string, Env, RegExp]>([
    ["a slip in GATEWAY_KEYRING", { GATEWAY_KEYRNG: "hunter2" }, /GATEWAY_KEYRNG is unknown: it looks like GATEWAY_KEYRING/],
    ["a slip in DATABASE_URL", { DATABSE_URL: "postgres://u:hunter2@h/d" }, /DATABSE_URL is unknown: it looks like DATABASE_URL/],
    ["an unknown GATEWAY_ variable", { GATEWAY_COLOUR: "red" }, /GATEWAY_COLOUR is unknown/],
    ["a PORT of letters", { PORT: "http" }, /PORT is malformed: it must be a whole number from 0 to 65535/],
    ["a PORT of spaces", { PORT: " " }, /PORT is malformed/],
    ["a PORT too high", { PORT: "65536" }, /PORT is malformed/],
    ["a HOST that is none", { HOST: "a host" }, /HOST is malformed/],
    ["a HOST of another machine", { HOST: "203.0.113.7" }, /cannot listen on 203\.0\.113\.7:0: this machine has no such address/],
    ["an unknown LOG_LEVEL", { LOG_LEVEL: "loud" }, /LOG_LEVEL is malformed: it must be one of silent, /],
    ["an unknown NODE_ENV", { NODE_ENV: "prod" }, /NODE_ENV is malformed: it must be development, test or production/],
    [
      "a short key",
      { GATEWAY_KEYRING: `${KEYRING},aHVudGVyMg==` },
      /GATEWAY_KEYRING is malformed: key 2 is not base64 of at least 32 bytes/,
    ],
    ["a key that is no base64", { GATEWAY_KEYRING: "hunter2!".repeat(8) }, /GATEWAY_KEYRING is malformed: key 1 is not base64/],
    [
      "production without GATEWAY_KEYRING",
      { NODE_ENV: "production", DATABASE_URL: "postgres://u:hunter2@h/d" },
      /production needs the variable GATEWAY_KEYRING/,
    ],
    ["production without DATABASE_URL", { NODE_ENV: "production", GATEWAY_KEYRING: KEYRING }, /production needs the variable DATABASE_URL/],
    [
      "another database's address",
      { DATABASE_URL: "mysql://u:hunter2@h/d" },
      /DATABASE_URL is malformed: it must be a postgres:\/\/ address/,
    ],
    [
      "an address with a password that is not encoded",
      { DATABASE_URL: "postgres://u:hunter2/#x@127.0.0.1/d" },
      /DATABASE_URL is malformed/,
    ],
    ["an address with a port of letters", { DATABASE_URL: "postgres://u:hunter2@127.0.0.1:five/d" }, /DATABASE_URL is malformed/],
    [
      "an address with a certificate that is not there",
      { DATABASE_URL: "postgres://u:hunter2@127.0.0.1:1/d?sslrootcert=/none" },
      /cannot be reached: ENOENT.*'\/none'/,
    ],
    [
      "an address where nobody listens",
      { DATABASE_URL: "postgres://u:hunter2@127.0.0.1:1/d" },
      /cannot be reached: connect ECONNREFUSED 127\.0\.0\.1:1/,
    ],
    [
      "replicas of the embedded database",
      { DATABASE_REPLICA_URLS: "postgres://u:hunter2@h/d" },
      /DATABASE_REPLICA_URLS cannot be used: the embedded database has no replicas\. Fix: set DATABASE_URL/,
    ],
    [
      "a replica's address that is none",
      { DATABASE_URL: "postgres://u:hunter2@h/d", DATABASE_REPLICA_URLS: "postgres://u:hunter2@h/d,hunter2" },
      /DATABASE_REPLICA_URLS is malformed/,
    ],
    ["metrics at the port of all", { PORT: "4123", METRICS_PORT: "4123" }, /METRICS_PORT cannot be used: it is the same as PORT/],
    ["a capacity of nothing", { MAX_REQUESTS: "0" }, /MAX_REQUESTS is malformed: it must be a whole number from 1/],
    ["a wait at a stop that is too long", { SHUTDOWN_DELAY_MS: "600001" }, /SHUTDOWN_DELAY_MS is malformed/],
    ["issuers that are no JSON", { JWT_ISSUERS: "hunter2" }, /JWT_ISSUERS is malformed: it must be JSON/],
    ["issuers that are no list", { JWT_ISSUERS: "{}" }, /JWT_ISSUERS is malformed: it must be a list/],
    ...(
      [
        ["one issuer twice", [{}, { audience: "other" }], "entry 2's issuer must not be that of an entry before it"],
        ["an issuer without a bank", [{ bank: undefined }], "entry 1's bank is missing"],
        ["an issuer without an audience", [{}, { issuer: "https://other.example", audience: undefined }], "entry 2's audience is missing"],
        ["an issuer with a field too many", [{ audienc: "hunter" }], "entry 1 has a field that is not known: audienc"],
        ["an issuer that is no object", ["hunter2"], "entry 1 must be an object"],
        ["an issuer that is no URL", [{ issuer: "hunter2" }], "entry 1's issuer must be a URL"],
        ["an issuer with a bank of text", [{ bank: "hunter2" }], "entry 1's bank must be an object with a `value`"],
        ["an issuer's bank that none can be", [{ bank: { value: "operator" } }], "entry 1's bank.value must be lower-case letters"],
        ["an issuer's mode that there is not", [{ mode: { value: "nomode" } }], "entry 1's mode.value must be sandbox or live"],
        ["an issuer's audience that there is not", [{ audienceOf: { value: "STAFF" } }], "entry 1's audienceOf.value must be one of APP"],
        [
          "an issuer's audience that every object has",
          [{ audienceOf: { value: "toString" } }],
          "entry 1's audienceOf.value must be one of",
        ],
        ["an issuer's scope that there is not", [{ scopes: { value: "customers:readd" } }], "entry 1's scopes.value must be a scope"],
        [
          "an issuer's role with the operator's scope",
          [{ scopes: { claim: "roles", map: { teller: ["customers:read"], root: ["banks:manage"] } } }],
          "entry 1's scopes.map.root.* must be a scope",
        ],
        ["an issuer's keys in a file", [{ jwks: "file:///etc/passwd" }], "entry 1's jwks must be an https:// address"],
        ["an issuer's keys over plain HTTP", [{ jwks: "http://login.bank.example/keys" }], "entry 1's jwks must be an https:// address"],
      ] as [string, unknown[], string][]
    ).map(([name, entries, words]): [string, Env, RegExp] => [
      name,
      { JWT_ISSUERS: JSON.stringify(entries.map((entry) => (typeof entry === "object" ? { ...ISSUER, ...entry } : entry))) },
      new RegExp(`JWT_ISSUERS is malformed: ${words}`),
    ]),
    ["a DATA_DIR that takes no directory", { DATA_DIR: "/proc/1/gateway" }, /data directory \/proc\/1\/gateway cannot be used/],
  ])("%s", async (_name, env, words) => {
    const dir = freshDir();
    await refused({ DATA_DIR: dir, ...env }, words);
    expect(existsSync(dir)).toBe(false);
  });
}

function onTheEmbeddedDatabase() {
  it("a port that is taken", async () => {
    const other = createServer().listen(0, "127.0.0.1");
    onTestFinished(() => void other.close());
    await once(other, "listening");
    const env = { DATA_DIR: freshDir() };
    const { port } = other.address() as AddressInfo;
    await refused(
      { ...env, PORT: String(port) },
      /cannot listen on 127\.0\.0\.1:\d+: another process is listening there\. Fix: stop the other process, or choose another PORT/,
    );
    expect(existsSync(env.DATA_DIR)).toBe(false);
    await serves(env);
  });

  it("a DATA_DIR that is a file", async () => {
    const path = freshDir();
    writeFileSync(path, "mine");
    await refused({ DATA_DIR: path }, /is a file, not a directory/);
    await refused({ DATA_DIR: join(path, "below") }, /is a file, not a directory/);
    expect(readFileSync(path, "utf8")).toBe("mine");
  });

  it("a DATA_DIR that may not be written to", async () => {
    // Nothing stops root but the kernel's own directories.
    const isRoot = process.getuid?.() === 0;
    const dir = isRoot ? "/sys/kernel" : freshDir();
    if (!isRoot) mkdirSync(dir, { mode: 0o500 });
    await refused({ DATA_DIR: dir }, /cannot be used: .+Fix: name a directory in DATA_DIR that the gateway's user may write to/);
    if (isRoot) return;
    chmodSync(dir, 0o700);
    await serves({ DATA_DIR: dir });
  });

  it("a TMPDIR where its socket cannot be", async () => {
    const env = await freshEnv();
    await refused({ ...env, TMPDIR: "/proc/none" }, /cannot have a socket in \/proc\/none: ENOENT\. Fix: name a directory in TMPDIR/);
    await refused({ ...env, TMPDIR: `/tmp/${"long".repeat(30)}` }, /cannot have a socket in .+: its path would be longer/);
    await serves(env);
  });

  it("a DATA_DIR that another gateway uses, which goes on", async () => {
    const env = await freshEnv();
    const first = await startGateway(env);
    await refused(env, /another process is using it\. Fix: stop the other gateway, or give this one its own directory in DATA_DIR/);
    const created = await send(first.url, await keyFor(env), CREATE);
    expect(created.data.createCustomer.__typename).toBe("Customer");
    expect(await first.end("SIGTERM")).toMatchObject({ code: 0, stderr: "" });
    const again = await startGateway(env);
    expect((await send(again.url, await keyFor(env), CREATE)).data.createCustomer.__typename).toBe("CustomerAlreadyExists");
  });

  it("a file of keys that is damaged", async () => {
    const env = await freshEnv();
    const path = join(env["DATA_DIR"]!, "dev-keys.json");
    const keys = readFileSync(path, "utf8");
    for (const text of [keys.slice(0, -20), "null", keys.replace('"operator"', '"operators"')]) {
      writeFileSync(path, text);
      await refused(env, /dev-keys\.json cannot be read: .+\. Fix: restore the file, or remove it/);
    }
    writeFileSync(path, keys);
    await serves(env);
    rmSync(path);
    await serves(env);
    expect(JSON.parse(readFileSync(path, "utf8")).internal).not.toBe(JSON.parse(keys).internal);
  });

  it("a keyring that is damaged, and one that is another's", async () => {
    const env = await freshEnv();
    const { GATEWAY_KEYRING: right, ...without } = env;
    const path = join(env["DATA_DIR"]!, "keyring");
    for (const text of ["", "hunter2\n"]) {
      writeFileSync(path, text);
      await refused(without, /the keyring .+ cannot be used: .+\. Fix: restore the file from a backup, or set GATEWAY_KEYRING/);
    }
    rmSync(path);
    await refused({ ...env, GATEWAY_KEYRING: generateKeyringSecret() }, /the keyring does not belong to this database/);
    await serves(env);
    // The newest key stands first; the older one goes on opening what it sealed.
    await serves({ ...env, GATEWAY_KEYRING: `${generateKeyringSecret()},${right!}` });
  });

  it("a database that is damaged, is missing, or was a newer version's", async () => {
    const env = await freshEnv();
    const database = join(env["DATA_DIR"]!, "postgres");
    renameSync(join(database, "global"), join(database, "gone"));
    await refused(env, /embedded database in .+ cannot be opened: .+Fix: restore the directory from a backup/);
    renameSync(join(database, "gone"), join(database, "global"));
    await serves(env);
    // Without its database, the file of keys says nothing: the demo bank is made again.
    rmSync(database, { recursive: true });
    await serves(env);
    const embedded = await openEmbedded({ dataDir: env["DATA_DIR"]! });
    await sql(embedded.connection, LATER);
    await embedded.close();
    await refused(env, /it was migrated by a newer version of the gateway\. Fix: start the version/);
    const opened = await openEmbedded({ dataDir: env["DATA_DIR"]! });
    await sql(opened.connection, "DELETE FROM _prisma_migrations WHERE id = 'later'");
    await opened.close();
    await serves(env);
    expect(statSync(join(env["DATA_DIR"]!, "dev-keys.json")).mode & 0o777).toBe(0o600);
  });
}

const CREATE = `mutation { createCustomer(input: { firstname: "Ada", lastname: "Obi", email: "ada.obi@example.com", country: "NG" }) { __typename } }`;

function onPostgreSQL() {
  const at = (change: (address: URL) => void) => {
    const address = new URL(TEST_DATABASE_URL!);
    change(address);
    return { DATA_DIR: freshDir(), DATABASE_URL: address.href };
  };

  it("a user, a database or a password that is unknown", async () => {
    await refused(
      at((address) => (address.pathname = "/no_such_database")),
      /database "no_such_database" does not exist. Fix: check that PostgreSQL runs and that DATABASE_URL names/,
    );
    await refused(
      at((address) => Object.assign(address, { username: "no_such_user", password: "hunter2" })),
      /cannot be reached: .*"no_such_user"/,
    );
  });

  it("a wrong password", async ({ skip }) => {
    const wrong = at((address) => (address.password = "hunter2"));
    const accepted = await sql({ connectionString: wrong.DATABASE_URL }).then(
      () => true,
      () => false,
    );
    if (accepted) skip("this server takes any password");
    await refused(wrong, /password authentication failed for user/);
  });

  it("a user without rights", async () => {
    const DATABASE_URL = await emptyDatabase();
    const role = `customer_gateway_test_${process.pid}`;
    await administer(TEST_DATABASE_URL!, `CREATE ROLE ${role} LOGIN PASSWORD 'hunter2'`);
    onTestFinished(() => administer(TEST_DATABASE_URL!, `DROP ROLE ${role}`));
    const address = Object.assign(new URL(DATABASE_URL), { username: role, password: "hunter2" });
    await refused(
      { DATA_DIR: freshDir(), DATABASE_URL: address.href },
      /migration \d+_\w+ failed and was undone: .*permission denied.*Fix: mend what it names \(the user needs the right/,
    );
    await serves({ DATA_DIR: freshDir(), DATABASE_URL });
  });

  it("tables of an older version, until they are migrated", async () => {
    const env = { DATA_DIR: freshDir(), DATABASE_URL: await emptyDatabase() };
    const client = new pg.Client({ connectionString: env.DATABASE_URL });
    await client.connect();
    await migrate(client, readMigrations().slice(0, -1));
    await client.end();
    await refused(env, /its tables are those of an older version of the gateway\. Fix: take a backup and run `npm run migrate`/);
    expect(await command(["migrate"], env).ended).toMatchObject({
      code: 0,
      stderr: "",
      stdout: `Applied: ${readMigrations().at(-1)!.name}\n`,
    });
    await serves(env);
  });

  it("tables of a newer version", async () => {
    const env = await freshEnv();
    await sql({ connectionString: env["DATABASE_URL"] }, LATER);
    await refused(env, /it was migrated by a newer version of the gateway\. Fix: start the version/);
    await sql({ connectionString: env["DATABASE_URL"] }, "DELETE FROM _prisma_migrations WHERE id = 'later'");
    await serves(env);
  });

  it("another program's tables, which stay as they are", async () => {
    const env = { DATA_DIR: freshDir(), DATABASE_URL: await emptyDatabase() };
    const connection = { connectionString: env.DATABASE_URL };
    await sql(connection, "CREATE TABLE theirs (n int)", "INSERT INTO theirs VALUES (1)");
    await refused(env, /it has tables that are not the gateway's\. Fix: point DATABASE_URL at an empty database/);
    await sql(connection, "DELETE FROM theirs WHERE n = 1", "DROP TABLE theirs");
    await serves(env);
  });
}

describe("a start is refused in one sentence, and nothing is damaged, for", { timeout: 240_000 }, () => {
  if (ON_POSTGRES) onPostgreSQL();
  else {
    anywhere();
    onTheEmbeddedDatabase();
  }
});
