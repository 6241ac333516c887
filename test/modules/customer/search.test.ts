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
