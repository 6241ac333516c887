import { buildApp } from "../src/app.ts";
import { testConfig } from "../test/support/config.ts";
import { asker, inTurn } from "./in-turn.ts";
import { BANKS, prepare, subjects } from "./peers/database.ts";

/**
 * What depth and growth cost: pages 1, 1,000 and 10,000 of a bank's default order, and the same questions to a small and a large
 * database. `SMALL_DATABASE_URL=postgres://… LARGE_DATABASE_URL=postgres://… node bench/growth.ts` needs two databases, which it fills
 * if they are empty: with 10,000 customers, and with 5,000,000 (or what LARGE says) of 20 banks.
 */
const SMALL = 10_000;
const LARGE = Number(process.env["LARGE"] ?? 5_000_000);

const { SMALL_DATABASE_URL, LARGE_DATABASE_URL } = process.env;
if (!SMALL_DATABASE_URL || !LARGE_DATABASE_URL) throw new Error("set SMALL_DATABASE_URL and LARGE_DATABASE_URL to two empty databases");

async function open(databaseUrl: string, customers: number) {
  await prepare(databaseUrl, customers);
  const all = await subjects(databaseUrl, 500);
  const app = await buildApp(testConfig({ databaseUrl }));
  const askers = new Map(all.map(({ bank, key }) => [bank, asker(app, key)]));
  const of = (turn: number) => all[turn % all.length]!;
  return { app, of, ask: (turn: number, query: string, variables?: object) => askers.get(of(turn).bank)!(query, variables) };
}
const small = await open(SMALL_DATABASE_URL, SMALL);
const large = await open(LARGE_DATABASE_URL, LARGE);

/** How much longer the second takes: 1.2 at most is the goal. */
const tell = (name: string, { ratio }: { ratio: number }) => console.log(`${name}: ${(1 / ratio).toFixed(2)} times the time`);

const ONE = "query ($id: ID!) { customer(by: { id: $id }) { id phrase accountName email createdAt } }";
const FIFTY = "{ customers(first: 50) { nodes { id accountName history(first: 5) { nodes { version type at } } } } }";
const SEARCH = '{ customers(first: 20, filter: { emails: ["7@example.com"] }) { nodes { id accountName } } }';
for (const [name, query, variables] of [
  ["one customer by id", ONE, (place: typeof small, turn: number) => ({ id: place.of(turn).id })],
  ["50 customers with their histories", FIFTY, () => ({})],
  ["customers by e-mail", SEARCH, () => ({})],
] as const) {
  const way = (place: typeof small) => (turn: number) => place.ask(turn, query, variables(place, turn));
  const { grown } = await inTurn({ small: way(small), grown: way(large) }, { times: name.startsWith("50") ? 200 : 600 });
  tell(`${name}, ${LARGE.toLocaleString("en")} customers against ${SMALL.toLocaleString("en")}`, grown);
}

// One bank's pages, as large as its 10,000th can be.
const size = Math.min(50, Math.floor(LARGE / BANKS / 10_000) || 1);
const PAGE =
  "query ($first: Int!, $after: String) { customers(first: $first, after: $after) { nodes { id accountName createdAt } pageInfo { endCursor } } }";

/** The cursor behind so many rows. */
async function cursorAt(rows: number): Promise<string | null> {
  let after: string | null = null;
  for (let left = rows; left > 0; left -= 100) {
    after = (await large.ask(0, PAGE, { first: Math.min(left, 100), after })).customers.pageInfo.endCursor as string;
  }
  return after;
}

const cursors = { 1: null, 1000: await cursorAt(999 * size), 10_000: await cursorAt(9_999 * size) };
const page = (after: string | null) => () => large.ask(0, PAGE, { first: size, after });
const paces = await inTurn({ first: page(cursors[1]), thousandth: page(cursors[1000]), last: page(cursors[10_000]) });
tell(`page 1,000 of ${size} rows against page 1`, paces.thousandth);
tell(`page 10,000 of ${size} rows against page 1`, paces.last);
await Promise.all([small.app.close(), large.app.close()]);
