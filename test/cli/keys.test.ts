import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { createClient } from "../../src/database/client.ts";
import { command, emptyDatabase, type Env, freshDir, ON_POSTGRES, send, startGateway } from "../support/process.ts";

/** The words after `npx customer-gateway` of each such line in the README's section on PostgreSQL. */
const SECTION = /## On your own PostgreSQL\n([\s\S]*?)\n## /.exec(readFileSync("README.md", "utf8"))![1]!;
const LINES = [...SECTION.matchAll(/^npx customer-gateway (.+)$/gm)].map(([, words]) => words!.split(" "));

async function freshDatabaseEnv(): Promise<Env> {
  return { DATABASE_URL: await emptyDatabase(), DATA_DIR: freshDir() };
}

const run = (words: string[], env: Env) => command(words, env).ended;

/** A key that was made, from `--json`. */
async function made(words: string[], env: Env): Promise<{ id: string; key: string }> {
  const { code, stdout, stderr } = await run([...words, "--json"], env);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  return JSON.parse(stdout) as { id: string; key: string };
}

/** One sentence with its fix. */
async function refused(words: string[], env: Env, cause: RegExp): Promise<void> {
  const { code, stdout, stderr } = await run(words, env);
  expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
  expect(stderr).toMatch(cause);
}

const FIRST = ["keys", "create", "--mode", "sandbox", "--audience", "INTERNAL", "--bank", "my-bank", "--scopes"];

it.runIf(ON_POSTGRES)("the README's section on PostgreSQL ends with keys that can be managed", { timeout: 120_000 }, async () => {
  const env = await freshDatabaseEnv();
  const [first, create, list, rotate, revoke] = LINES as [string[], string[], string[], string[], string[]];
  expect(LINES.map((words) => words.slice(0, 2).join(" "))).toEqual([
    "keys create",
    "keys create",
    "keys list",
    "keys rotate",
    "keys revoke",
  ]);
  const { key } = await made(first, env);
  const gateway = await startGateway(env);
  const asManager = { GATEWAY_URL: gateway.url, GATEWAY_KEY: key };
  const app = await made(create, asManager);
  const withId = (words: string[]) => words.map((word) => (/^[0-9a-f]{16}$/.test(word) ? app.id : word));
  await made(withId(rotate), asManager);
  expect((await run(list, asManager)).stdout).toContain(app.id);
  expect(await run(withId(revoke), asManager)).toMatchObject({ code: 0, stdout: expect.stringContaining("is revoked") });
  await expect
    .poll(async () => (await send(gateway.url, app.key, "{ viewer { keyId } }")).errors?.[0]?.extensions.code)
    .toBe("UNAUTHENTICATED");
  await refused([...FIRST, "keys:manage"], env, /only who holds one makes more/);
  await gateway.end("SIGTERM");
});

it.runIf(ON_POSTGRES)("a database whose keys can make none is no dead end", { timeout: 120_000 }, async () => {
  const env = await freshDatabaseEnv();
  await made([...FIRST, "customers:read"], env);
  const { id } = await made([...FIRST, "keys:manage"], env);
  await refused([...FIRST, "keys:manage"], env, /only who holds one makes more/);
  const db = createClient({ connectionString: env["DATABASE_URL"]! });
  await db.apiKey.update({ where: { id }, data: { revokedAt: new Date() } });
  await db.$disconnect();
  await made([...FIRST, "keys:manage"], env);
});

it.runIf(ON_POSTGRES)("the first key is made by the gateway's rules", { timeout: 120_000 }, async () => {
  const env = await freshDatabaseEnv();
  const first = (changes: Record<string, string>) => {
    const options = { mode: "sandbox", audience: "INTERNAL", bank: "my-bank", scopes: "keys:manage", ...changes };
    return ["keys", "create", ...Object.entries(options).flatMap(([name, value]) => [`--${name}`, value])];
  };
  await refused(first({ bank: "operator", mode: "live", scopes: "audit:read,keys:manage" }), env, /not operator/);
  await refused(first({ audience: "PARTNER", scopes: "customers:read" }), env, /--client is required for a PARTNER/);
  await refused(first({ audience: "PARTNER", client: "shop" }), env, /no PARTNER has: keys:manage/);
  await refused(first({ client: "a shop" }), env, /--client must be letters/);
  await refused(first({ expires: "2020-01-01T00:00:00Z" }), env, /--expires must be in the future/);
  await refused(first({ expires: "soon" }), env, /It is a date/);
  await refused(first({ scopes: "banks:manage,keys:manage" }), env, /banks:manage/);
  await made(first({ audience: "PARTNER", client: "shop", scopes: "customers:read" }), env);
});
