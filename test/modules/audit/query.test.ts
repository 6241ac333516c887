import { expect, test } from "vitest";
import { issueKey } from "../../../src/access/issue-key.ts";
import { openGateway } from "../../support/gateway.ts";
import { flush } from "./support.ts";

const gateway = await openGateway();
const { db } = gateway.app.services;
const ours = await gateway.key();
const live = await gateway.key({ mode: "LIVE" });
const theirs = await gateway.key({ bank: "beta" });
const operator = (
  await issueKey(db, {
    tenant: { id: "operator", kind: "OPERATOR", name: "Operator" },
    mode: "SANDBOX",
    audience: "INTERNAL",
    scopes: ["banks:manage"],
  })
).key;

for (const key of [ours, live, theirs])
  for (let number = 0; number < 5; number++)
    await gateway.query(key, '{ customers(filter: { emails: ["nobody@example.com"] }) { totalCount } }');
await gateway.query(ours, 'mutation { createApiKey(input: { audience: APP, scopes: ["customers:read"] }) { __typename } }');
await gateway.query(
  operator,
  'mutation { createApiKey(input: { bank: "gamma", audience: APP, scopes: ["customers:read"] }) { __typename } }',
);
await gateway.query(null, "{ viewer { mode } }");
await flush(gateway.app);

const AUDIT = `query ($first: Int, $after: String, $filter: AuditFilter) { audit(first: $first, after: $after, filter: $filter) {
  nodes { id at actor audience requestId action operation outcome documentHash customers count fields subjects } pageInfo { hasNextPage endCursor } } }`;
const read = async (key: string, variables: object = {}) => {
  const { body } = await gateway.query(key, AUDIT, variables);
  if (body.errors) throw new Error(body.errors[0]!.extensions.code);
  return body.data.audit;
};
const idOf = (key: string) => key.split("_")[2];

test("a bank reads its own entries of its own mode, newest first", async () => {
  for (const [key, count] of [
    [ours, 6],
    [live, 5],
    [theirs, 5],
  ] as const) {
    const { nodes } = await read(key);
    expect(nodes.map(({ actor }: { actor: string }) => actor)).toEqual(Array(count).fill(idOf(key)));
    const times = nodes.map(({ at }: { at: string }) => at);
    expect(times).toEqual(times.toSorted().reverse());
  }
});

test("the operator reads the operator's entries, callers without a key and starts among them, and no bank's", async () => {
  const { nodes } = await read(operator, { first: 100 });
  const actors = new Set(nodes.map(({ actor }: { actor: string }) => actor));
  expect(actors).toEqual(new Set([null, idOf(operator)]));
  const outcomes = nodes.map(({ action, outcome }: Record<string, string>) => `${action} ${outcome}`);
  expect(outcomes).toEqual(expect.arrayContaining(["START OK", "REFUSAL UNAUTHENTICATED", "WRITE OK"]));
  const [written] = nodes.filter(({ action }: { action: string }) => action === "WRITE");
  expect(written.subjects).toEqual(["gamma", expect.stringMatching(/^[0-9a-f]{16}$/)]);
});

test("pages join to the whole, and a cursor belongs to its filter and its bank", async () => {
  const walked: string[] = [];
  for (let after: string | null = null, more = true; more;) {
    const { nodes, pageInfo }: any = await read(ours, { first: 2, after });
    walked.push(...nodes.map(({ id }: { id: string }) => id));
    ({ hasNextPage: more, endCursor: after } = pageInfo);
  }
  expect(walked).toEqual((await read(ours, { first: 100 })).nodes.map(({ id }: { id: string }) => id));
  expect(new Set(walked).size).toBe(6);
  const { pageInfo } = await read(ours, { first: 2 });
  for (const key of [live, theirs, operator]) await expect(read(key, { after: pageInfo.endCursor })).rejects.toThrow("BAD_CURSOR");
  await expect(read(ours, { after: pageInfo.endCursor, filter: { actions: ["READ"] } })).rejects.toThrow("BAD_CURSOR");
});

test("filters", async () => {
  const count = async (filter: object) => (await read(ours, { first: 100, filter })).nodes.length;
  const now = new Date().toISOString();
  expect(await count({ actions: ["WRITE"] })).toBe(1);
  expect(await count({ actions: ["READ", "WRITE"] })).toBe(6);
  expect(await count({ actions: [] })).toBe(0);
  expect(await count({ actors: [idOf(ours)] })).toBe(6);
  expect(await count({ actors: [idOf(theirs), "\0", "x".repeat(5000)] })).toBe(0);
  expect(await count({ to: now })).toBe(6);
  expect(await count({ from: now })).toBe(0);
  expect(await count({ from: "0000-01-01T00:00:00Z" })).toBe(6);
  await expect(read(ours, { filter: { actors: Array(101).fill("x") } })).rejects.toThrow("BAD_USER_INPUT");
});

test("without audit:read there is none", async () => {
  await expect(read(await gateway.key({ scopes: ["customers:read:sensitive", "keys:manage"] }))).rejects.toThrow("FORBIDDEN");
});
