import { beforeAll, describe, expect, test } from "vitest";
import { batchRow, caller, dataOf } from "../../support/customers.ts";
import { openGateway } from "../../support/gateway.ts";

const gateway = await openGateway();
const key = await gateway.key();
const keyId = key.split("_")[2];
const { batch, update, blacklist } = caller(gateway, key);
let id: string;
let other: string;

const EXPIRES = new Date(Date.now() + 86_400_000).toISOString();
/** What was done to the customer, newest first: what the history has to say. */
const STORY = [
  { version: 6, type: "UPDATED", changedFields: ["PHONE", "DIAL_CODE"], reason: null, expiresAt: null },
  { version: 5, type: "UNBLACKLISTED", changedFields: ["BLACKLISTED", "BLACKLIST"], reason: null, expiresAt: null },
  { version: 4, type: "BLACKLISTED", changedFields: ["BLACKLISTED", "BLACKLIST"], reason: "FRAUD", expiresAt: EXPIRES },
  { version: 3, type: "UPDATED", changedFields: ["STATE"], reason: null, expiresAt: null },
  { version: 2, type: "UPDATED", changedFields: ["FIRSTNAME", "ADDRESS"], reason: null, expiresAt: null },
  { version: 1, type: "CREATED", changedFields: [], reason: null, expiresAt: null },
].map((event) => ({ ...event, actor: keyId }));

beforeAll(async () => {
  [id, other] = (await batch([batchRow(1), batchRow(2)])).customerIds;
  await update({ id, update: { firstname: "Ada", address: "1 Road" } });
  await update({ id, update: { state: "Lagos" } });
  await blacklist({ id, blacklisted: true, reason: "FRAUD", expiresAt: EXPIRES });
  await blacklist({ id, blacklisted: false });
  await update({ id, update: { phone: "+2348012345678" } });
});

const CONNECTION =
  "{ nodes { version type actor changedFields reason expiresAt } edges { cursor node { version } } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } }";
const HISTORY = `query ($id: ID!, $first: Int, $after: String) { customer(by: { id: $id }) { history(first: $first, after: $after) ${CONNECTION} } }`;
const page = async (args: object, of = id) => dataOf((await gateway.query(key, HISTORY, { id: of, ...args })).body).history;
const versions = (connection: any) => connection.nodes.map(({ version }: { version: number }) => version);

test("tells who changed what and when, newest first, without any value", async () => {
  const { nodes, pageInfo } = await page({});
  expect(nodes).toEqual(STORY);
  expect(pageInfo).toMatchObject({ hasNextPage: false, hasPreviousPage: false });
  expect(versions(await page({}, other))).toEqual([1]);
});

test("is read by pages of any size, each event once, while more is written", async () => {
  for (const first of [1, 2, 4, 5, 6, 7, 100]) {
    const seen: number[] = [];
    for (let after: string | null = null; ;) {
      const { nodes, edges, pageInfo }: any = await page({ first, after });
      expect(nodes).toHaveLength(Math.min(first, 6 - seen.length));
      expect(edges.map((edge: any) => edge.node.version)).toEqual(versions({ nodes }));
      expect([pageInfo.startCursor, pageInfo.endCursor]).toEqual([edges[0].cursor, edges.at(-1).cursor]);
      seen.push(...versions({ nodes }));
      after = pageInfo.endCursor;
      expect(pageInfo.hasNextPage).toBe(seen.length < 6);
      if (!pageInfo.hasNextPage) break;
    }
    expect(seen).toEqual([6, 5, 4, 3, 2, 1]);
  }
  const { edges } = await page({ first: 3 }, other);
  await update({ id: other, update: { state: "Kano" } });
  expect(versions(await page({}, other))).toEqual([2, 1]);
  expect(versions(await page({ after: edges[0].cursor }, other))).toEqual([]);
  expect(await page({ after: edges[0].cursor }, other)).toMatchObject({
    pageInfo: { hasNextPage: false, startCursor: null, endCursor: null },
  });
});

test("of several customers, under several names, is each one's own", async () => {
  const { body } = await gateway.query(
    key,
    `query ($ids: [ID!]) { customers(filter: { ids: $ids }, orderBy: { field: ACCOUNT_NAME, direction: ASC }) { nodes {
      id history(first: 1) { nodes { version } } all: history { nodes { version } } none: history(first: 0) { nodes { version } pageInfo { hasNextPage } }
    } } }`,
    { ids: [id, other] },
  );
  for (const node of dataOf(body).nodes) {
    const newest = node.id === id ? 6 : 2;
    expect(node.history.nodes).toEqual([{ version: newest }]);
    expect(versions(node.all)).toEqual(Array.from({ length: newest }, (_, index) => newest - index));
    expect(node.none).toEqual({ nodes: [], pageInfo: { hasNextPage: true } });
  }
});

describe("whoever may not see it", () => {
  test.each([
    ["EXTENDED", ["customers:read:extended"] as const, {}, "customers:read:sensitive"],
    ["STANDARD", ["customers:read"] as const, {}, "customers:read:sensitive"],
    ["SENSITIVE, lowered", ["customers:read:sensitive"] as const, { "x-visibility": "extended" }, "X-Visibility"],
  ])("%s: gets null whatever the arguments, and is told why", async (_name, scopes, headers, requires) => {
    const own = await gateway.key({ scopes: [...scopes] });
    const before = (await page({ first: 1 })).pageInfo.endCursor;
    gateway.statements.length = 0;
    for (const args of [{}, { first: 1, after: before }, { first: 101 }, { first: -1 }, { after: "forged" }]) {
      const { body } = await gateway.query(own, HISTORY, { id, ...args }, headers);
      expect(body.errors).toBeUndefined();
      expect(body.data).toEqual({ customer: { history: null } });
      expect(body.extensions.visibility).toEqual([{ path: ["customer", "history"], field: "Customer.history", requires }]);
    }
    expect(gateway.statements.filter((sql) => sql.includes("customer_event"))).toEqual([]);
  });
});

test("a page that cannot be is an error of that history alone", async () => {
  const { body } = await gateway.query(
    key,
    `query ($id: ID!) { customer(by: { id: $id }) { id history(first: 101) { nodes { version } } bad: history(after: "x") { nodes { version } } } }`,
    { id },
  );
  expect(body.data).toEqual({ customer: { id, history: null, bad: null } });
  expect(body.errors!.map(({ path, extensions }) => [path, extensions.code])).toEqual([
    [["customer", "history"], "BAD_USER_INPUT"],
    [["customer", "bad"], "BAD_CURSOR"],
  ]);
  expect(body.extensions.visibility).toEqual([]);
});
