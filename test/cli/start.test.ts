import { execFile } from "node:child_process";
import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { CURL_PATH } from "../support/environment.ts";
import { command, emptyDatabase, freshDir, type GatewayProcess, ON_POSTGRES, send, startGateway } from "../support/process.ts";

const sh = async (line: string) => (await promisify(execFile)("sh", ["-c", line])).stdout;

interface Listed {
  id: string;
  accountName: string;
  email: string;
  country: string;
}

/** Every customer, oldest first, by pages. */
async function everyCustomer({ url }: GatewayProcess, key: string): Promise<Listed[]> {
  const found: Listed[] = [];
  for (let after: string | null = null, more = true; more;) {
    const { data } = await send(
      url,
      key,
      `query ($after: String) { customers(first: 100, after: $after, orderBy: { field: CREATED_AT, direction: ASC }) {
        nodes { id accountName email country } pageInfo { hasNextPage endCursor } } }`,
      { after },
    );
    found.push(...data.customers.nodes);
    ({ hasNextPage: more, endCursor: after } = data.customers.pageInfo);
  }
  return found.toSorted((a, b) => (a.email < b.email ? -1 : 1));
}

const names = (customers: Listed[]) => customers.map(({ accountName, email, country }) => ({ accountName, email, country }));
const keysOf = (dir: string) => JSON.parse(readFileSync(join(dir, "dev-keys.json"), "utf8")) as Record<string, string>;

function onTheEmbeddedDatabase() {
  it.each([[[]], [["start"]], [["migrate"]], [["keys"]], [["keys", "create"]]])("says with --help what there is: %j", async (words) => {
    const { code, stdout, stderr } = await command([...words, "--help"]).ended;
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toMatch(new RegExp(`^Usage: ${["customer-gateway", ...words].join(" ")} .*\n\n.+`));
  });

  it("makes a demo bank at the first start, finds it at the second, and makes it again when started over", async () => {
    const dir = freshDir();
    const first = await startGateway({ DATA_DIR: dir });
    const keys = keysOf(dir);
    expect(Object.keys(keys)).toEqual(["app", "internal", "partner", "operator"]);
    expect(statSync(join(dir, "dev-keys.json")).mode & 0o777).toBe(0o600);
    expect(first.stdout.match(/cgw_\w+/g)).toEqual(Object.values(keys).flatMap((key) => [key, key]));
    expect(first.stdout).toContain(`Data lies in ${dir};`);
    expect(first.stderr).toBe("");
    const customers = await everyCustomer(first, keys["internal"]!);
    expect(customers).toHaveLength(300);
    expect(new Set(customers.map(({ country }) => country)).size).toBeGreaterThan(4);
    expect(await first.end("SIGTERM")).toMatchObject({ code: 0, stderr: "" });

    const second = await startGateway({ DATA_DIR: dir });
    expect(await everyCustomer(second, keys["internal"]!)).toEqual(customers);
    expect(keysOf(dir)).toEqual(keys);
    const { code, stdout } = await second.end("SIGINT");
    expect(code).toBe(0);
    expect(stdout).not.toContain("cgw_");

    const [, startOver] = /To start over: stop the gateway, then (.+)/.exec(stdout)!;
    await sh(startOver!);
    expect(existsSync(dir)).toBe(false);
    const third = await startGateway({ DATA_DIR: dir });
    const again = await everyCustomer(third, keysOf(dir)["internal"]!);
    expect(names(again)).toEqual(names(customers));
    expect(again[0]!.id).not.toBe(customers[0]!.id);
  });

  it.skipIf(CURL_PATH === undefined)("prints a line for each key that works when pasted", async () => {
    const { stdout } = await startGateway({ DATA_DIR: freshDir() });
    const lines = stdout.match(/^ +curl .+$/gm)!;
    expect(lines).toHaveLength(4);
    for (const line of lines) {
      const [body, status] = (await sh(`${line} -w '\\n%{http_code}'`)).split("\n");
      expect(status).toBe("200");
      expect(JSON.parse(body!)).toMatchObject({ data: expect.any(Object) });
      expect(JSON.parse(body!)).not.toHaveProperty("errors");
    }
  });

  it("finishes what a start that was killed midway began", async () => {
    const dir = freshDir();
    // While the database's files are made, when they are nearly there, when the tables are, and somewhere in the seeding.
    for (const file of ["postgres.unfinished", "postgres/PG_VERSION", "keyring", "keyring", "keyring"]) {
      const started = command(["start"], { DATA_DIR: dir, PORT: "0" });
      while (!existsSync(join(dir, file))) await sleep(1);
      if (file === "keyring") await sleep(Math.random() * 1000);
      await started.end("SIGKILL");
    }
    const gateway = await startGateway({ DATA_DIR: dir });
    expect(await everyCustomer(gateway, keysOf(dir)["internal"]!)).toHaveLength(300);
  });
}

function onPostgreSQL() {
  const CREATE = [
    "keys",
    "create",
    "--bank",
    "first-bank",
    "--mode",
    "sandbox",
    "--audience",
    "INTERNAL",
    "--scopes",
    "customers:write,keys:manage",
    "--json",
  ];

  it("serves the first key of a database that `migrate` made the tables of", async () => {
    const env = { DATA_DIR: freshDir(), DATABASE_URL: await emptyDatabase() };
    const migrated = await command(["migrate"], env).ended;
    expect(migrated).toMatchObject({ code: 0, stdout: expect.stringMatching(/^Applied: .*_init.*\n$/), stderr: "" });
    expect(await command(["migrate"], env).ended).toEqual({ code: 0, stdout: "There was nothing to do.\n", stderr: "" });
    const created = await command(CREATE, env).ended;
    expect(created).toMatchObject({ code: 0, stderr: "" });
    const { id, key } = JSON.parse(created.stdout);
    const gateway = await startGateway(env);
    expect(gateway.stdout).not.toMatch(/cgw_|demo/);
    expect((await send(gateway.url, key, "{ viewer { keyId bankId mode } }")).data).toEqual({
      viewer: { keyId: id, bankId: "first-bank", mode: "SANDBOX" },
    });
    const again = await command(CREATE, env).ended;
    expect(again).toMatchObject({
      code: 1,
      stdout: "",
      stderr: expect.stringMatching(/^no key was made: this database has a key that may make keys.+Fix: .+\n$/),
    });
  });

  it("makes the tables of an empty database by itself", async () => {
    const env = { DATA_DIR: freshDir(), DATABASE_URL: await emptyDatabase() };
    const [first, second] = await Promise.all([startGateway(env), startGateway(env)]);
    for (const { url } of [first, second]) expect((await fetch(`${url}/health/ready`)).status).toBe(200);
    expect(await first.end("SIGTERM")).toMatchObject({ code: 0, stderr: "" });
  });
}

describe("`start`", { timeout: 180_000 }, () => {
  if (ON_POSTGRES) onPostgreSQL();
  else onTheEmbeddedDatabase();
});
