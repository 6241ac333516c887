import fc from "fast-check";
import { connectionFromArray, offsetToCursor } from "graphql-relay";
import { expect, test, vi } from "vitest";
import type { Customer } from "../../../src/database/generated/client.ts";
import { caller, dataOf } from "../../support/customers.ts";
import { openGateway } from "../../support/gateway.ts";
import { insertMany } from "../../support/many-customers.ts";

// Much to insert or to ask: minutes on a busy machine.
vi.setConfig({ testTimeout: 600_000, hookTimeout: 600_000 });

const gateway = await openGateway();
const key = await gateway.key();
const START = Date.UTC(2026, 0, 1);
const NAMES = [
  "Zoë Ångström",
  "zoë ångström",
  "Ada Obi",
  "ADA OBI",
  "Ẹniọlá Ọṣun",
  "李 小龍",
  "Ñandú",
  "ada",
  "Żółć \u{1D4D0}",
  "\uFFFDada",
];

const isBlacklisted = ({ blacklisted, blacklistExpiresAt }: Customer) =>
  blacklisted && (!blacklistExpiresAt || blacklistExpiresAt > new Date());
const FILTERS: { filter: object | null; holds: (row: Customer) => boolean }[] = [
  { filter: null, holds: () => true },
  { filter: { genders: ["FEMALE", "OTHER"] }, holds: ({ gender }) => gender === "FEMALE" || gender === "OTHER" },
  { filter: { blacklisted: false }, holds: (row) => !isBlacklisted(row) },
  { filter: { search: "ada" }, holds: ({ accountName }) => /ada/i.test(accountName) },
  {
    filter: { updatedAt: { from: new Date(START + 2000), to: new Date(START + 6000) } },
    holds: ({ updatedAt }) => +updatedAt >= START + 2000 && +updatedAt < START + 6000,
  },
  { filter: { countries: ["SZ"] }, holds: ({ country }) => country === "SZ" },
];

type Key = number | Buffer;
const byName = (name: string) => Buffer.from(name.normalize("NFC").toLowerCase());
const KEYS: Record<string, (row: Customer) => Key> = {
  CREATED_AT: ({ createdAt }) => +createdAt,
  UPDATED_AT: ({ updatedAt }) => +updatedAt,
  ACCOUNT_NAME: ({ accountName }) => byName(accountName),
};
const ORDERS = [null, ...Object.keys(KEYS).flatMap((field) => ["ASC", "DESC"].map((direction) => ({ field, direction })))];

/** A place in a list: what the list sorts by. */
interface Position {
  key: Key;
  id: string;
}

interface List {
  filter: object | null;
  orderBy: { field: string; direction: string } | null;
  holds: (row: Customer) => boolean;
  positionOf: (row: Customer) => Position;
  compare: (a: Position, b: Position) => number;
  /** Cursors as they were read, and the places that they then stood for. */
  cursors: (Position & { cursor: string })[];
}

const PAGE = /* GraphQL */ `
  query ($first: Int, $after: String, $last: Int, $before: String, $filter: CustomerFilter, $orderBy: CustomerOrder) {
    customers(first: $first, after: $after, last: $last, before: $before, filter: $filter, orderBy: $orderBy) {
      edges { cursor node { id } } nodes { id } pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
    }
  }
`;
const read = async (list: List, args: object) =>
  dataOf((await gateway.query(key, PAGE, { ...args, filter: list.filter, orderBy: list.orderBy })).body);
const storedRows = () => gateway.app.services.db.customer.findMany({ where: { bankId: "alpha", mode: "SANDBOX" } });
const rowsOf = (list: List, rows: Customer[]) =>
  rows.filter(list.holds).sort((a, b) => list.compare(list.positionOf(a), list.positionOf(b)));

function makeList(filter: (typeof FILTERS)[number], orderBy: List["orderBy"]): List {
  const keyOf = KEYS[orderBy?.field ?? "CREATED_AT"]!;
  const sign = orderBy?.direction === "ASC" ? 1 : -1;
  return {
    ...filter,
    orderBy,
    positionOf: (row) => ({ key: keyOf(row), id: row.id }),
    compare: (a, b) => sign * (compareKeys(a.key, b.key) || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0)),
    cursors: [],
  };
}
const compareKeys = (a: Key, b: Key) => (typeof a === "number" ? a - (b as number) : Buffer.compare(a, b as Buffer));

const lists = FILTERS.flatMap((filter) => ORDERS.map((orderBy) => makeList(filter, orderBy)));

test("agrees with graphql-relay's connectionFromArray on 1,000 random arguments, also for cursors of rows that have moved", async () => {
  await makeCustomers();
  let rows = await storedRows();
  const byId = new Map(rows.map((row) => [row.id, row]));
  for (const list of lists) {
    for (let after: string | null = null; ;) {
      const page: any = await read(list, { first: 100, after });
      for (const { cursor, node } of page.edges) list.cursors.push({ cursor, ...list.positionOf(byId.get(node.id)!) });
      if (!page.pageInfo.hasNextPage) break;
      after = page.pageInfo.endCursor;
    }
    expect(list.cursors.map(({ id }) => id)).toEqual(rowsOf(list, rows).map(({ id }) => id));
  }
  await moveSome(rows);
  rows = await storedRows();

  const size = fc.oneof(fc.constantFrom(0, 1, 2, 3, 99, 100), fc.nat({ max: 40 }));
  const place = fc.option(fc.nat(), { nil: null });
  const cases = fc.record({
    list: fc.constantFrom(...lists),
    end: fc.oneof(
      { weight: 3, arbitrary: fc.record({ first: size }) },
      { weight: 3, arbitrary: fc.record({ last: size }) },
      fc.constant({}),
    ),
    after: place,
    before: place,
  });
  const seen = { empty: 0, crossed: 0, next: 0, previous: 0, moved: 0 };
  await fc.assert(
    fc.asyncProperty(cases, async ({ list, end, after, before }) => {
      const [start, stop] = [after, before].map((nat) => (nat === null ? null : (list.cursors[nat % (list.cursors.length || 1)] ?? null)));
      const data = rowsOf(list, rows);
      const positions = data.map(list.positionOf);
      const expected = connectionFromArray(data, {
        ...(Object.keys(end).length === 0 ? { first: 20 } : end),
        after: start && offsetToCursor(positions.filter((position) => list.compare(position, start) <= 0).length - 1),
        before: stop && offsetToCursor(positions.filter((position) => list.compare(position, stop) < 0).length),
      });
      const actual = await read(list, { ...end, after: start?.cursor, before: stop?.cursor });
      const ids = expected.edges.map(({ node }) => node.id);
      expect(actual.nodes.map(({ id }: Customer) => id)).toEqual(ids);
      expect(actual.edges.map(({ node }: { node: Customer }) => node.id)).toEqual(ids);
      expect(actual.pageInfo).toEqual({
        hasNextPage: expected.pageInfo.hasNextPage,
        hasPreviousPage: expected.pageInfo.hasPreviousPage,
        startCursor: actual.edges.at(0)?.cursor ?? null,
        endCursor: actual.edges.at(-1)?.cursor ?? null,
      });
      seen.empty += Number(ids.length === 0);
      seen.crossed += Number(start !== null && stop !== null && list.compare(start!, stop!) > 0);
      seen.next += Number(expected.pageInfo.hasNextPage);
      seen.previous += Number(expected.pageInfo.hasPreviousPage);
      seen.moved += Number([start, stop].some((cursor) => cursor && !positions.some((position) => list.compare(position, cursor) === 0)));
    }),
    { numRuns: 1000, seed: 2026 },
  );
  // The generator met every case that it is there for.
  for (const [name, count] of Object.entries(seen)) expect(count, name).toBeGreaterThan(20);
});

/** 160 customers in 8 moments and 10 names, so that every order has ties; none is in the country that is filtered by last. */
async function makeCustomers() {
  for (let moment = 0; moment < 8; moment++) {
    const rows = Array.from({ length: 20 }, (_, number) => ({
      accountName: NAMES[(number * 7 + moment) % NAMES.length]!,
      gender: (["MALE", "FEMALE", "OTHER", null] as const)[number % 4]!,
    }));
    await insertMany(gateway, {}, new Date(START + moment * 1000), rows);
  }
}

/** Moves some rows: to another name, out of a filter, into one, to another time of writing. */
async function moveSome(rows: Customer[]) {
  const { update, blacklist } = caller(gateway, key);
  for (const [index, { id }] of rows.entries()) {
    if (index % 5 === 0) await update({ id, update: { gender: index % 10 ? "FEMALE" : "MALE", state: `moved ${index}` } });
    if (index % 7 === 0) await update({ id, update: { accountName: NAMES[index % NAMES.length] } });
    if (index % 11 === 0) await blacklist({ id, blacklisted: true });
  }
}
