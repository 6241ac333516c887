import { existsSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { issueKey } from "../../src/access/issue-key.ts";
import { startGateway } from "../../src/start.ts";
import { batchRow } from "../support/customers.ts";
import { CURL_PATH, EXAMPLES_INSTALLED } from "../support/environment.ts";
import { freshDatabase } from "../support/gateway.ts";
import { send, TestProcess } from "../support/process.ts";

const MAIN = join(import.meta.dirname, "../../src/cli/main.ts");
const EXAMPLES = join(import.meta.dirname, "../../examples");

/** A path of the examples' folder, and of what is installed there. */
const path = (name: string) => join(EXAMPLES, name);

const { config, remove } = await freshDatabase();
// Enough for two of the partner's three pages a minute; every key has its own.
const gateway = await startGateway({ ...config, rateLimitPoints: 120 });
const { db } = gateway.app.services;
afterAll(async () => {
  await gateway.stop();
  await remove();
});

const BANK = { tenant: { id: "alpha", kind: "BANK", name: "alpha" }, mode: "SANDBOX" } as const;
const staff = await issueKey(db, { ...BANK, audience: "INTERNAL", scopes: ["batches:write", "customers:read:sensitive"] });
const frontEnd = await issueKey(db, {
  ...BANK,
  audience: "APP",
  scopes: ["customers:read:extended", "customers:write"],
  client: "front-end",
});
const partner = await issueKey(db, { ...BANK, audience: "PARTNER", scopes: ["customers:read"], client: "partner" });

const MANIFESTS = [
  ["front-end", "front-end/generated/persisted-documents.json"],
  ["front-end", "relay/persisted-documents.json"],
  ["partner", "persisted-documents.json"],
] as const;
const publisher = await issueKey(db, { ...BANK, audience: "INTERNAL", scopes: ["documents:publish"] });
test("their manifests are published as examples/README.md says", async () => {
  for (const [client, name] of MANIFESTS) {
    if (!existsSync(path(name))) continue; // made by the install
    const { code, stderr, lines } = await run(process.execPath, [MAIN, "documents", "push", path(name), "--client", client], publisher);
    expect({ code, stderr, lines }).toEqual({ code: 0, stderr: "", lines: [expect.stringContaining(`registered for ${client}`)] });
  }
});

await send(
  gateway.url,
  staff.key,
  "mutation ($rows: [BatchCustomerInput]!) { createCustomersBatch(input: { customers: $rows }) { __typename } }",
  { rows: Array.from({ length: 120 }, (_, index) => batchRow(index)) },
);

/** Runs an example to its end, as its user does. */
async function run(program: string, args: string[], { key }: { key: string }) {
  const { code, stdout, stderr } = await new TestProcess(program, args, { GATEWAY_URL: gateway.url, GATEWAY_KEY: key }).ended;
  return { code, stderr, lines: stdout.trim().split("\n") };
}

const node = (script: string, key: { key: string }) => run(process.execPath, [path(script)], key);

describe.runIf(EXAMPLES_INSTALLED)("with what the examples install", () => {
  test("they are well typed against the schema of today", async () => {
    const tsc = join(EXAMPLES, "../node_modules/typescript/bin/tsc");
    const { code, stdout } = await new TestProcess(process.execPath, [tsc, "-p", EXAMPLES], {}).ended;
    expect({ code, stdout }).toEqual({ code: 0, stdout: "" });
  });

  test("front-end: urql with generated types sends hashes, and tells a refusal from a success by its type", async () => {
    const { code, stderr, lines } = await node("front-end/main.ts", frontEnd);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(lines).toEqual([
      expect.stringMatching(/^registered [a-z]+(-[a-z]+)+ in NG$/),
      expect.stringMatching(/^refused: email: /),
      expect.stringMatching(/^Ada Example <ada\.\d+@example\.com>, NG$/),
      expect.stringContaining(", NG"),
      expect.stringContaining(", NG"),
    ]);
  });

  test("front-end and relay need their documents registered: no text leaves them", async () => {
    const other = await issueKey(db, { ...BANK, audience: "APP", scopes: ["customers:write"], client: "other" });
    for (const script of ["front-end/main.ts", "relay/main.ts"]) {
      const { code, stderr } = await node(script, other);
      expect(code, script).toBe(1);
      expect(stderr, script).toContain("No such document is registered for this client.");
    }
  });

  test("relay: what its compiler made reads two pages that share no customer", async () => {
    const { code, stderr, lines } = await node("relay/main.ts", frontEnd);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(lines.map((line) => line.slice(0, 7))).toEqual(["page 1:", "page 1:", "page 2:", "page 2:"]);
    expect(new Set(lines.map((line) => line.split(", ")[1])).size).toBe(4);
  });
});

test("fetch: a GET by id, and 304 when asked again with its ETag", async () => {
  const { code, stderr, lines } = await node("fetch/main.ts", partner);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  expect(lines).toHaveLength(4);
  expect(lines[3]).toBe("again: 304, not changed");
});

test("partner: at a 429 it waits as long as it is told, and then reads on to the end", { timeout: 180_000 }, async () => {
  const { key } = await issueKey(db, { ...BANK, audience: "PARTNER", scopes: ["customers:read"], client: "partner" });
  let started = Date.now();
  let ending = await node("partner/main.ts", { key });
  if (ending.lines.length === 1) {
    // The minute ended while it read, and gave it new points: the present one has too few for it to read all again.
    started = Date.now();
    ending = await node("partner/main.ts", { key });
  }
  const { code, stderr, lines } = ending;
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  expect(lines.at(-1)).toMatch(/^12\d customers$/);
  expect(lines.length).toBeGreaterThan(1);
  const told = lines.slice(0, -1).map((line) => Number(/^429: waiting (\d+) s, as told$/.exec(line)![1]));
  const total = told.reduce((sum, seconds) => sum + seconds, 0);
  expect(total).toBeGreaterThan(0);
  expect(Date.now() - started).toBeGreaterThanOrEqual((total - 1) * 1000);
});

test("without a key an example says what to set", async () => {
  const { code, stderr } = await node("fetch/main.ts", { key: "" });
  expect(code).toBe(1);
  expect(stderr).toContain("Set GATEWAY_KEY");
});

test.runIf(CURL_PATH)("curl: the shell line prints the answer, and ends badly with a key that may not", async () => {
  const { code, lines } = await run(path("curl/customers.sh"), ["2"], partner);
  expect(code).toBe(0);
  expect(JSON.parse(lines[0]!).data.customers.nodes).toHaveLength(2);
  const refused = await run(path("curl/customers.sh"), [], { key: "none" });
  expect([refused.code, JSON.parse(refused.lines[0]!).errors[0].extensions.code]).toEqual([22, "UNAUTHENTICATED"]);
});
