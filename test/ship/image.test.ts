import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, cpSync, existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from "vitest";
import { TEST_DATABASE_URL } from "../support/environment.ts";
import { administer, databaseUrl } from "../support/global-setup.ts";
import { type Env, ON_POSTGRES, TestProcess } from "../support/process.ts";
import { buildStages, npmEnvironment } from "./build.ts";
import { instructionsOf, readStages, variablesOf, wordsOf } from "./dockerfile.ts";

vi.setConfig({ testTimeout: 120_000, hookTimeout: 600_000 });

const ROOT = join(import.meta.dirname, "../..");
const NOBODY = 65534;
const stages = readStages(join(ROOT, "Dockerfile"));
const production = instructionsOf(stages, "production");

/** The words of a command, run as a user that may write nothing there: root would not ask for the mode of a file. */
function asNobody(words: readonly string[]): [string, string[]] {
  if (process.getuid!() !== 0) return [words[0]!, words.slice(1)];
  return ["setpriv", [`--reuid=${NOBODY}`, `--regid=${NOBODY}`, "--clear-groups", ...words]];
}

async function freePort(): Promise<string> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  server.close();
  return String(port);
}

/** A database of a user as docker/make-database.sql makes it: without rights beyond its own. */
async function ownDatabase(): Promise<string> {
  const name = `customer_gateway_test_${crypto.randomUUID().replaceAll("-", "")}`;
  const statements = readFileSync(join(ROOT, "docker/make-database.sql"), "utf8")
    .replaceAll(/^(--|\\).*\n/gm, "")
    .replaceAll(/\bgateway\b/g, name)
    .replace(":'password'", "'hunter2'")
    .split(";\n")
    // Roles are the whole server's, and the migrations of other tests have made this one.
    .filter((statement) => statement.trim() !== "" && !statement.includes("CREATE ROLE customer_gateway_tenant"));
  expect(statements).toHaveLength(3);
  for (const statement of statements) await administer(TEST_DATABASE_URL!, statement);
  onTestFinished(async () => {
    await administer(TEST_DATABASE_URL!, `DROP DATABASE ${name} WITH (FORCE)`);
    await administer(TEST_DATABASE_URL!, `DROP ROLE ${name}`);
  });
  return Object.assign(new URL(databaseUrl(TEST_DATABASE_URL!, name)), { username: name, password: "hunter2" }).href;
}

describe.runIf(ON_POSTGRES)("the Dockerfile's steps", () => {
  let root: string;
  let app: string;

  beforeAll(() => {
    root = mkdtempSync(join(tmpdir(), "customer-gateway-image-"));
    // mkdtemp's folder is its maker's alone; an image's is not.
    chmodSync(root, 0o755);
    app = join(buildStages(root), "app");
    execFileSync("chmod", ["-R", "a-w", app]);
  });
  afterAll(() => {
    execFileSync("chmod", ["-R", "u+w", root]);
    rmSync(root, { recursive: true, force: true });
  });

  /** Runs words as the image's user would, with the image's variables and these. */
  const inImage = (words: readonly string[], env: Env) => {
    const [program, rest] = asNobody(words);
    const path = `${dirname(process.execPath)}:/usr/bin:/bin`;
    return new TestProcess(program, rest, { ...variablesOf(production), PATH: path, HOME: "/nowhere", ...env }, { cwd: app });
  };
  const entry = () => wordsOf(production, "ENTRYPOINT");

  test("make a gateway that is ready in a tree that it may not write to, as a user without rights", async () => {
    const env = { DATABASE_URL: await ownDatabase(), GATEWAY_KEYRING: Buffer.alloc(32, 9).toString("base64"), PORT: await freePort() };
    const gateway = inImage([...entry(), ...wordsOf(production, "CMD")], env);
    await gateway.printed(/ready at/);
    expect((await inImage(["touch", "src/new"], {}).ended).code).not.toBe(0);
    const ready = await fetch(`http://127.0.0.1:${env.PORT}/health/ready`);
    expect([ready.status, await ready.json()]).toMatchObject([200, { status: "ready" }]);
    expect((await inImage(wordsOf(production, "HEALTHCHECK"), env).ended).code).toBe(0);

    // Another command of the same image, beside it.
    const key = await inImage(
      [...entry(), "keys", "create", "--bank", "alpha", "--mode", "live", "--audience", "INTERNAL", "--scopes", "customers:write"],
      env,
    ).ended;
    expect(key).toMatchObject({ code: 0 });
    const [secret] = /^cgw_live_\S+/m.exec(key.stdout)!;
    const query = `mutation { createCustomer(input: { firstname: "Ada", lastname: "Obi", email: "ada@example.com", country: "NG" }) { __typename } }`;
    const created = await fetch(`http://127.0.0.1:${env.PORT}/graphql`, {
      method: "POST",
      headers: { authorization: `Bearer ${secret}`, "content-type": "application/json" },
      body: JSON.stringify({ query }),
    });
    expect(await created.json()).toMatchObject({ data: { createCustomer: { __typename: "Customer" } } });

    expect(await gateway.end("SIGTERM")).toMatchObject({ code: 0 });
    expect((await inImage(wordsOf(production, "HEALTHCHECK"), env).ended).code).toBe(1);
    // Nothing was written beside the sources, and nothing wanted to be.
    expect(existsSync(join(app, ".data"))).toBe(false);
  });

  test("refuse to start without a keyring", async () => {
    const DATABASE_URL = await ownDatabase();
    const ending = await inImage([...entry(), ...wordsOf(production, "CMD")], { DATABASE_URL, PORT: await freePort() }).ended;
    expect(ending).toMatchObject({ code: 1 });
    expect(ending.stderr).toContain("production needs the variable GATEWAY_KEYRING");
  });

  test("leave out what only development needs, and what is secret or of this machine", () => {
    const { devDependencies } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as { devDependencies: Record<string, string> };
    // Types of packages that run are packages that run.
    const left = Object.keys(devDependencies).filter((name) => !name.startsWith("@types/") && existsSync(join(app, "node_modules", name)));
    expect(left).toEqual([]);
    const there = execFileSync("ls", ["-A", app], { encoding: "utf8" }).trim().split("\n").sort();
    expect(there).toEqual(["LICENSE", "bin", "node_modules", "package-lock.json", "package.json", "prisma", "src"].sort());
  });
});

test("`npm ci --omit=dev` makes the database client, and without Prisma the installation says what is missing", () => {
  const dir = mkdtempSync(join(tmpdir(), "customer-gateway-bare-"));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  for (const path of ["package.json", "package-lock.json", "prisma.config.ts", "prisma", "scripts/prepare.js"]) {
    cpSync(join(ROOT, path), join(dir, path), { recursive: true });
  }
  const prepare = () => spawnSync(process.execPath, ["scripts/prepare.js"], { cwd: dir, encoding: "utf8" });
  expect(prepare()).toMatchObject({ status: 0, stderr: expect.stringContaining("src/database/generated is missing") });

  execFileSync("npm", ["ci", "--omit=dev"], { cwd: dir, env: npmEnvironment(), stdio: ["ignore", "ignore", "pipe"] });
  expect(existsSync(join(dir, "node_modules/@graphql-codegen/cli"))).toBe(false);
  expect(existsSync(join(dir, "src/database/generated/client.ts"))).toBe(true);
});
