import { readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { readErasures } from "../../src/cli/erasures-file.ts";
import { TEST_DATABASE_URL } from "../support/environment.ts";
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

const CREATE = `mutation ($email: String!) { createCustomer(input: { firstname: "Zqerasures", lastname: "B", country: "NG", email: $email }) { ... on Customer { id phrase } } }`;
const ERASE = `mutation ($id: ID!) { eraseCustomer(input: { id: $id, reason: CONSENT_WITHDRAWN }) { __typename } }`;
const BLACKLIST = `mutation ($id: ID!) { setBlacklist(input: { id: $id, blacklisted: true, note: "why" }) { __typename } }`;
const CUSTOMERS =
  '{ customers(filter: { search: "Zqerasures" }) { nodes { id } } erasedCustomers { nodes { id phrase reason actor } } audit { nodes { operation customers } } }';

const run = (env: Env, ...args: string[]): Promise<Ending> => command(args, env).ended;

test("who was erased after a backup is erased again when it was restored", { timeout: 240_000 }, async () => {
  const env = await freshEnv();
  const folder = dirname(freshDir());
  const file = (name: string) => join(folder, name);
  const key = await keyFor(env);
  let gateway = await startGateway(env);
  const ask = async (query: string, variables: object = {}) => (await send(gateway.url, key, query, variables)).data;
  const make = async (email: string) => (await ask(CREATE, { email })).createCustomer as { id: string; phrase: string };
  const [early, stays, erased] = [await make("early@example.com"), await make("stays@example.com"), await make("erased@example.com")];
  await ask(ERASE, { id: early.id });
  for (const { id } of [stays, erased]) await ask(BLACKLIST, { id });
  await gateway.end("SIGTERM");
  expect(await run(env, "backup", file("bank.backup"))).toMatchObject({ code: 0 });

  gateway = await startGateway(env);
  await ask(ERASE, { id: erased.id });
  const never = await make("never.in.a.backup@example.com");
  await ask(ERASE, { id: never.id });
  await gateway.end("SIGTERM");
  const list = file("erased.ndjson");
  expect(await run(env, "erasures", "save", list, "--json")).toMatchObject({
    code: 0,
    stdout: `${JSON.stringify({ file: list, erasures: 3 })}\n`,
  });
  expect(statSync(list).mode & 0o777).toBe(0o600);
  expect(readFileSync(list, "utf8")).not.toContain("@");

  const target: Env = {
    ...env,
    DATA_DIR: freshDir(),
    ...(ON_POSTGRES && TEST_DATABASE_URL && { DATABASE_URL: await emptyDatabase() }),
  };
  const restored = await run(target, "restore", file("bank.backup"));
  expect([restored.code, restored.stdout]).toEqual([0, expect.stringContaining("erasures apply")]);

  // What is no whole list changes nothing.
  writeFileSync(file("cut"), readFileSync(list, "utf8").split("\n").slice(0, -2).join("\n"));
  expect(await run(target, "erasures", "apply", file("cut"))).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("cut off") as string,
  });
  const other = { ...target, GATEWAY_KEYRING: Buffer.alloc(32, 9).toString("base64") };
  expect(await run(other, "erasures", "apply", list)).toMatchObject({ code: 1, stderr: expect.stringContaining("keyring") as string });

  const applied = await run(target, "erasures", "apply", list, "--json");
  expect(applied).toMatchObject({ code: 0, stdout: `${JSON.stringify({ file: list, erasures: 3, erased: 1 })}\n` });
  expect(await run(target, "erasures", "apply", list)).toMatchObject({
    code: 0,
    stdout: expect.stringContaining("0 were there") as string,
  });
  expect(await run(target, "audit", "verify")).toMatchObject({ code: 0, stdout: expect.stringMatching(/^The audit is whole/) as string });

  if (!ON_POSTGRES) writeFileSync(join(target["DATA_DIR"]!, "dev-keys.json"), readFileSync(join(env["DATA_DIR"]!, "dev-keys.json")));
  gateway = await startGateway(target);
  const { customers, erasedCustomers, audit } = await ask(CUSTOMERS);
  expect(customers.nodes.map(({ id }: { id: string }) => id)).toEqual([stays.id]);
  const tombstones = new Map(erasedCustomers.nodes.map((one: { id: string }) => [one.id, one]));
  expect(tombstones.get(erased.id)).toEqual({ ...erased, reason: "CONSENT_WITHDRAWN", actor: "gateway" });
  expect(tombstones.get(never.id)).toEqual({ ...never, reason: "CONSENT_WITHDRAWN", actor: key.split("_")[2] });
  expect(tombstones.size).toBe(3);
  expect(audit.nodes).toContainEqual({ operation: "erase-again", customers: 1 });
  // Still known: the person was blacklisted when it was erased.
  expect((await ask(CREATE, { email: "erased@example.com" })).createCustomer).toEqual({});
  await gateway.end("SIGTERM");
});

const ONE = {
  bankId: "alpha",
  mode: "LIVE",
  id: crypto.randomUUID(),
  phrase: "a-b-c-d",
  reason: "REQUEST",
  actor: "gateway",
  at: "2026-01-02T03:04:05.000Z",
};
async function all(path: string): Promise<unknown[]> {
  const read = [];
  for await (const tombstone of readErasures(path)) read.push(tombstone);
  return read;
}

const line = (value: object) => `${JSON.stringify(value)}\n`;
const END = line({ erasures: 1 });

test.each<[string, string, RegExp | null]>([
  ["a whole list", line(ONE) + END, null],
  ["none", line({ erasures: 0 }), null],
  ["an empty file", "", /cut off before its end/],
  ["one without its end", line(ONE), /cut off before its end/],
  ["one without its beginning", END, /line 1 is no erasure/],
  ["one that goes on", line(ONE) + END + line(ONE), /goes on after its end/],
  ["an unknown reason", line({ ...ONE, reason: "BOREDOM" }) + END, /line 1 is no erasure/],
  ["a member more", line({ ...ONE, email: "a@example.com" }) + END, /line 1 is no erasure/],
  ["something else", "\0\u2028{", /line 1 is no erasure/],
])("%s", async (_name, text, fault) => {
  const path = join(dirname(freshDir()), "list");
  writeFileSync(path, text);
  if (fault === null) expect(await all(path)).toEqual(text.includes(ONE.id) ? [{ ...ONE, at: new Date(ONE.at) }] : []);
  else await expect(all(path)).rejects.toThrow(fault);
});

test("a file that is not there is told in one sentence", async () => {
  await expect(all(join(freshDir(), "none"))).rejects.toThrow(/ENOENT/);
});
