import { expect, test, vi } from "vitest";
import { caller, dataOf } from "../../support/customers.ts";
import { openGateway } from "../../support/gateway.ts";
import { insertMany } from "../../support/many-customers.ts";

// Much to insert or to ask: minutes on a busy machine.
vi.setConfig({ testTimeout: 600_000, hookTimeout: 600_000 });

const gateway = await openGateway();
const key = await gateway.key();
const NAMES = [
  "Ada Lovelace",
  "Adaeze Nwobi",
  "Zoë Ångström",
  "Conan O'Brien-Smith",
  "100% Percent_age",
  "Back\\slash",
  "Νίκος Παπαδόπουλος",
  "Νικοσία",
  "Łukasz Żółć",
  "Đặng Øyvind Straße",
  "Ɓala Ƙasim Ɗan",
  "İbrahim Işık",
  "李 小龍",
  "Ẹniọlá Ọṣun",
];
await insertMany(
  gateway,
  {},
  new Date(),
  NAMES.map((accountName) => ({ accountName })),
);

const ask = (search: string) =>
  gateway.query(key, "query ($search: String) { customers(filter: { search: $search }) { nodes { accountName } totalCount } }", { search });
async function find(search: string) {
  return dataOf((await ask(search)).body)
    .nodes.map(({ accountName }: { accountName: string }) => accountName)
    .sort();
}

test.each([
  ["ada", ["Ada Lovelace", "Adaeze Nwobi"]],
  ["ADA", ["Ada Lovelace", "Adaeze Nwobi"]],
  ["love ada", ["Ada Lovelace"]],
  ["  lovelace,   ada ", ["Ada Lovelace"]],
  ["ada ada lovelace l", ["Ada Lovelace"]],
  ["velace", []],
  ["adalovelace", []],
  ["zoe angstrom", ["Zoë Ångström"]],
  ["Zoe\u0308 A\u030angs", ["Zoë Ångström"]],
  ["ｚｏｅ", ["Zoë Ångström"]],
  ["o'brien", ["Conan O'Brien-Smith"]],
  ["smith brien", ["Conan O'Brien-Smith"]],
  ["100", ["100% Percent_age"]],
  ["age", ["100% Percent_age"]],
  ["slash", ["Back\\slash"]],
  ["a%l", ["Ada Lovelace"]],
  ["n_a", ["Adaeze Nwobi"]],
  ["%da", ["Đặng Øyvind Straße", "Ɓala Ƙasim Ɗan"]],
  ["ΝΙΚΟΣ", ["Νίκος Παπαδόπουλος", "Νικοσία"].sort()],
  ["νικος", ["Νίκος Παπαδόπουλος", "Νικοσία"].sort()],
  ["lukasz zolc", ["Łukasz Żółć"]],
  ["dang oyvind strasse", ["Đặng Øyvind Straße"]],
  ["STRASSE", ["Đặng Øyvind Straße"]],
  ["straße", ["Đặng Øyvind Straße"]],
  ["bala kasim dan", ["Ɓala Ƙasim Ɗan"]],
  ["ibrahim isik", ["İbrahim Işık"]],
  ["小", ["李 小龍"]],
  ["eniola osun", ["Ẹniọlá Ọṣun"]],
])("%j finds %j", async (text, names) => {
  expect(await find(text)).toEqual([...names].sort());
});

test.each(["", "   ", "%", "_", "\\", "%%%", "\\%", "'", "\0", "\uD800", "\u{1F600}", "\u0301", "-- ;"])(
  "%j has no word, so it restricts nothing",
  async (text) => {
    expect(await find(text)).toHaveLength(NAMES.length);
  },
);

test.each([
  ["a NUL between", "ada\0lovelace"],
  ["a lone surrogate between", "ada\uD800lovelace"],
  ["a wildcard between", "ada%lovelace"],
  ["a backslash between", "ada\\lovelace"],
])("%s separates words", async (_what, text) => {
  expect(await find(text)).toEqual(["Ada Lovelace"]);
});

test("a text of any length finds what it finds", async () => {
  expect(await find("ada ".repeat(20_000))).toEqual(["Ada Lovelace", "Adaeze Nwobi"]);
  expect(await find("a".repeat(90_000))).toEqual([]);
  expect(await find(Array.from({ length: 15_000 }, (_, number) => number.toString(36)).join(" "))).toEqual([]);
  expect(await find(Array.from({ length: 150_000 }, (_, number) => number.toString(36)).join(" "))).toEqual([]);
  expect(await find(Array.from({ length: 8 }, (_, length) => "lovelace".slice(0, length + 1)).join(" "))).toEqual(["Ada Lovelace"]);
});

test("a search that finds more than it can name is whole: every page, either way, in every order, beside other filters, and counted", async () => {
  const bank = { bank: "many" };
  const own = await gateway.key(bank);
  const names = Array.from({ length: 1_150 }, (_, number) => ({
    accountName: `Same Name${number}`,
    country: number % 100 === 0 ? "GH" : "NG",
  }));
  for (let start = 0; start < names.length; start += 50)
    await insertMany(gateway, bank, new Date(Date.UTC(2026, 0, 1) + start), names.slice(start, start + 50));
  const PAGE = `query ($first: Int, $after: String, $last: Int, $before: String, $filter: CustomerFilter, $orderBy: CustomerOrder) {
    customers(first: $first, after: $after, last: $last, before: $before, filter: $filter, orderBy: $orderBy) {
      nodes { id } totalCount pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }`;
  const page = async (variables: object) => dataOf((await gateway.query(own, PAGE, variables)).body);
  const walk = async (filter: object, orderBy?: object) => {
    const ids: string[] = [];
    for (let after: string | null = null; ;) {
      const { nodes, pageInfo } = await page({ first: 100, after, filter, orderBy });
      ids.push(...nodes.map(({ id }: { id: string }) => id));
      if (!pageInfo.hasNextPage) return ids;
      after = pageInfo.endCursor;
    }
  };
  for (const orderBy of [undefined, { field: "CREATED_AT", direction: "ASC" }, { field: "ACCOUNT_NAME", direction: "DESC" }]) {
    const everybody = await walk({}, orderBy);
    expect(new Set(everybody).size).toBe(1_150);
    expect(await walk({ search: "same" }, orderBy)).toEqual(everybody);
  }
  expect((await page({ filter: { search: "same" } })).totalCount).toBe(1_150);
  expect(await walk({ search: "same", countries: ["GH"] })).toEqual(await walk({ countries: ["GH"] }));
  expect(await walk({ search: "same name9" })).toHaveLength(111);
  const back = async (filter: object) => (await page({ last: 100, filter })).nodes;
  expect(await back({ search: "same" })).toEqual(await back({}));
});

test("a changed name is found by its new words only", async () => {
  const bank = { bank: "renamed" };
  const own = await gateway.key(bank);
  const [id] = await insertMany(gateway, bank, new Date(), [{ accountName: "Ada Lovelace" }]);
  await caller(gateway, own).update({ id, update: { accountName: "Augusta King" } });
  const count = async (search: string) =>
    dataOf((await gateway.query(own, "query ($search: String) { customers(filter: { search: $search }) { totalCount } }", { search })).body)
      .totalCount;
  expect(await count("king aug")).toBe(1);
  expect(await count("ada")).toBe(0);
});
