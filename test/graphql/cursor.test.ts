import { describe, expect, test } from "vitest";
import { Keyring } from "../../src/crypto/keyring.ts";
import { TEST_KEYRING } from "../support/config.ts";
import { batchRow, caller, dataOf } from "../support/customers.ts";
import { openGateway, type TestGateway } from "../support/gateway.ts";
import { insertMany } from "../support/many-customers.ts";

/** What a cursor tells, and where it can be used: nothing, and only where it comes from. */
const gateway = await openGateway();
const keys = {
  alpha: await gateway.key(),
  live: await gateway.key({ mode: "LIVE" }),
  beta: await gateway.key({ bank: "beta" }),
};
const AT = new Date("2026-03-04T05:06:07.089Z");

/** A bank's two customers and two batches, each with failures of two kinds. */
async function fill(key: string) {
  const { batch, update } = caller(gateway, key);
  const send = (number: number) =>
    batch([batchRow(number, { accountName: "Ada Obi" }), batchRow(number, { email: "x" }), null, null, batchRow(number)]);
  const batches = [await send(1), await send(2)];
  const customers = batches.map(({ customerIds }) => customerIds[0] as string);
  for (const id of customers) await update({ id, update: { state: "Lagos" } });
  return { batches: batches.map(({ id }) => id as string), customers };
}
const alpha = await fill(keys.alpha);
const live = await fill(keys.live);
const beta = await fill(keys.beta);

interface List {
  name: string;
  key: string;
  /** A document with `$after`, whose list is the only one in it. */
  document: string;
  variables?: object;
}
const CONNECTION = "edges { cursor node { __typename } } pageInfo { endCursor }";
const customers = (name: string, key: string, variables: object = {}): List => ({
  name: `customers, ${name}`,
  key,
  document: `query ($after: String, $filter: CustomerFilter, $orderBy: CustomerOrder) { customers(first: 1, after: $after, filter: $filter, orderBy: $orderBy) { ${CONNECTION} } }`,
  variables,
});
const inBatch = (name: string, id: string, field: string, key = keys.alpha): List => ({
  name: `${field}, ${name}`,
  key,
  document: `query ($after: String) { batch(id: "${id}") { list: ${field} { ${CONNECTION} } } }`,
});
const history = (name: string, id: string, key = keys.alpha): List => ({
  name: `history, ${name}`,
  key,
  document: `query ($after: String) { customer(by: { id: "${id}" }) { list: history(first: 1, after: $after) { ${CONNECTION} } } }`,
});
const batches = (name: string, key: string): List => ({
  name: `batches, ${name}`,
  key,
  document: `query ($after: String) { batches(first: 1, after: $after) { ${CONNECTION} } }`,
});

const LISTS: List[] = [
  customers("alpha", keys.alpha),
  customers("live", keys.live),
  customers("beta", keys.beta),
  ...["CREATED_AT", "UPDATED_AT", "ACCOUNT_NAME"].flatMap((field) =>
    ["ASC", "DESC"].map((direction) => customers(`${field} ${direction}`, keys.alpha, { orderBy: { field, direction } })),
  ),
  customers("NG", keys.alpha, { filter: { countries: ["NG"] } }),
  customers("NG and GH", keys.alpha, { filter: { countries: ["NG", "GH"] } }),
  customers("search", keys.alpha, { filter: { search: "ada" } }),
  customers("blacklisted", keys.alpha, { filter: { blacklisted: false } }),
  customers("from", keys.alpha, { filter: { createdAt: { from: "2020-01-01T00:00:00Z" } } }),
  customers("another from", keys.alpha, { filter: { createdAt: { from: "2020-01-02T00:00:00Z" } } }),
  customers("NG by name", keys.alpha, { filter: { countries: ["NG"] }, orderBy: { field: "ACCOUNT_NAME", direction: "ASC" } }),
  batches("alpha", keys.alpha),
  batches("live", keys.live),
  batches("beta", keys.beta),
  inBatch("1", alpha.batches[0]!, "allFailures(first: 1, after: $after)"),
  inBatch("2", alpha.batches[1]!, "allFailures(first: 1, after: $after)"),
  inBatch("1, INVALID_DATA", alpha.batches[0]!, "allFailures(first: 1, after: $after, code: INVALID_DATA)"),
  inBatch("live", live.batches[0]!, "allFailures(first: 1, after: $after)", keys.live),
  inBatch("1", alpha.batches[0]!, "customers(first: 1, after: $after)"),
  inBatch("2", alpha.batches[1]!, "customers(first: 1, after: $after)"),
  inBatch("beta", beta.batches[0]!, "customers(first: 1, after: $after)", keys.beta),
  history("1", alpha.customers[0]!),
  history("2", alpha.customers[1]!),
  history("beta", beta.customers[0]!, keys.beta),
];

const read = async ({ key, document, variables }: List, after: string | null, from: TestGateway = gateway) =>
  (await from.query(key, document, { ...variables, after })).body;
const cursorOf = async (list: List, from?: TestGateway): Promise<string> => {
  const data = dataOf(await read(list, null, from));
  const { edges, pageInfo } = data.list ?? data;
  expect(edges[0].cursor).toBe(pageInfo.endCursor);
  return edges[0].cursor;
};
const codesOf = ({ errors }: Awaited<ReturnType<typeof read>>) => errors?.map(({ extensions }) => extensions.code);

test.each(LISTS)("$name: its cursor is good there, again and again, and nowhere else", async (list) => {
  const cursor = await cursorOf(list);
  expect(await cursorOf(list)).toBe(cursor);
  for (const other of LISTS) expect(codesOf(await read(other, cursor)), other.name).toEqual(other === list ? undefined : ["BAD_CURSOR"]);
});

test("a cursor belongs to its list however the list is asked for", async () => {
  const plain = customers("", keys.alpha);
  const cursor = await cursorOf(plain);
  for (const filter of [{}, { search: null }, { ids: null, createdAt: null }]) {
    expect(codesOf(await read({ ...plain, variables: { filter } }, cursor))).toBeUndefined();
  }
  const both = await cursorOf(customers("", keys.alpha, { filter: { countries: ["NG"], search: "ada" } }));
  expect(
    codesOf(await read({ ...plain, variables: { filter: { search: "ada", emails: null, countries: ["NG"] } } }, both)),
  ).toBeUndefined();
});

describe("what a cursor is made of", () => {
  const list = customers("by name", keys.alpha, { orderBy: { field: "ACCOUNT_NAME", direction: "ASC" } });

  test("cannot be read", async () => {
    await insertMany(gateway, {}, AT, [{ accountName: "!Aaron Zulu" }]);
    const [id] = dataOf(
      (await gateway.query(keys.alpha, "{ customers(first: 1, orderBy: { field: ACCOUNT_NAME, direction: ASC }) { nodes { id } } }")).body,
    ).nodes.map((node: { id: string }) => node.id);
    for (const secret of [await cursorOf(list), await cursorOf(customers("", keys.alpha)), await cursorOf(LISTS.at(-1)!)]) {
      const bytes = Buffer.from(secret, "base64url");
      const shown = [
        secret,
        bytes.toString("latin1"),
        bytes.toString("hex"),
        Buffer.from(bytes.toString("latin1"), "base64").toString("latin1"),
      ]
        .join(" ")
        .toLowerCase();
      for (const value of [
        "aaron",
        "zulu",
        id,
        id.replaceAll("-", ""),
        id.slice(0, 8),
        String(AT.getTime()),
        "2026-",
        "alpha",
        "sandbox",
        "customer",
      ])
        expect(shown).not.toContain(value.toLowerCase());
    }
  });

  test("cannot be changed: any flipped bit, any other letter, cut or longer", async () => {
    const cursor = await cursorOf(list);
    const bytes = Buffer.from(cursor, "base64url");
    const forged = new Set<string>();
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const changed = Buffer.from(bytes);
      changed[bit >> 3]! ^= 1 << (bit & 7);
      forged.add(changed.toString("base64url"));
    }
    const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    for (const letter of letters) forged.add(cursor.slice(0, -1) + letter);
    for (let length = 0; length < cursor.length; length++) forged.add(cursor.slice(0, length));
    for (const tail of ["A", "=", "==", " ", "\n", "\0", "."]) forged.add(cursor + tail);
    forged
      .add(` ${cursor}`)
      .add(cursor.toLowerCase())
      .add(cursor.slice(1))
      .add(cursor + cursor);
    forged.delete(cursor);
    for (const text of forged) expect(codesOf(await read(list, text)), text).toEqual(["BAD_CURSOR"]);
  });

  test("cannot be any other text", async () => {
    const texts = [
      "",
      " ",
      "0",
      "null",
      "undefined",
      "[]",
      "YXJyYXljb25uZWN0aW9uOjA=",
      "é",
      "\u{1F600}",
      "\0",
      "\uD800",
      "'; --",
      "A".repeat(10_000),
      "%".repeat(10_000),
    ];
    for (const { key, document, variables } of [list, LISTS.at(-1)!, LISTS.at(-4)!, batches("", keys.alpha)]) {
      for (const after of texts) {
        const { status, body } = await gateway.query(key, document, { ...variables, after });
        expect([status, codesOf(body)], after.slice(0, 40)).toEqual([200, ["BAD_CURSOR"]]);
      }
    }
    for (const before of texts) {
      expect(
        codesOf(
          (await gateway.query(keys.alpha, "query ($before: String) { customers(before: $before) { nodes { id } } }", { before })).body,
        ),
      ).toEqual(["BAD_CURSOR"]);
    }
  });
});

describe("several gateways", async () => {
  const older = Buffer.alloc(32, 7);
  const newer = Buffer.alloc(32, 8);
  const ids = Array.from({ length: 3 }, () => crypto.randomUUID());
  /** A gateway with the same three customers, its list of them and its first cursor. */
  const open = async (keyring: Keyring) => {
    const from = await openGateway({ keyring });
    const list = customers("", await from.key({ bank: "shared" }));
    const rest = [...ids];
    await insertMany(
      from,
      { bank: "shared" },
      AT,
      ids.map(() => ({ accountName: "Ada" })),
      () => rest.shift()!,
    );
    return { cursor: await cursorOf(list, from), use: async (cursor: string) => codesOf(await read(list, cursor, from)) };
  };
  const [one, two, rotated] = [await open(TEST_KEYRING), await open(new Keyring([older])), await open(new Keyring([newer, older]))];

  test("make the same cursors from one keyring, and open each other's", async () => {
    expect(two.cursor).toBe(one.cursor);
    expect(await two.use(one.cursor)).toBeUndefined();
  });

  test("open an older key's cursors when a newer one is put in front, and not those of a key that they lack", async () => {
    expect(rotated.cursor).not.toBe(one.cursor);
    expect(await rotated.use(one.cursor)).toBeUndefined();
    expect(await rotated.use(rotated.cursor)).toBeUndefined();
    expect(await one.use(rotated.cursor)).toEqual(["BAD_CURSOR"]);
  });
});
