import fc from "fast-check";
import { beforeAll, describe, expect, test, vi } from "vitest";
import type { Customer } from "../../../src/database/generated/client.ts";
import { caller, dataOf } from "../../support/customers.ts";
import { openGateway } from "../../support/gateway.ts";
import { insertMany } from "../../support/many-customers.ts";

// Much to insert or to ask: minutes on a busy machine.
vi.setConfig({ testTimeout: 600_000, hookTimeout: 600_000 });

const gateway = await openGateway();
const key = await gateway.key();
const START = Date.UTC(2026, 0, 1);
const COUNTRIES = ["NG", "GH", "SS", "FI", "DE"];
const NAMES = [
  "Zoë Ångström",
  "Ada Obi",
  "ADA O'Neill-Obi",
  "Ẹniọlá Ọṣun",
  "100% Percent_age",
  "Back\\slash",
  "李 小龍",
  "Adaeze Nwobi",
  "İbrahim Işık",
];

const FIND = "query ($filter: CustomerFilter) { customers(first: 100, filter: $filter) { totalCount nodes { id } } }";
const ask = (filter: unknown) => gateway.query(key, FIND, { filter });
async function find(filter: unknown): Promise<string[]> {
  const { nodes, totalCount } = dataOf((await ask(filter)).body);
  expect(totalCount).toBe(nodes.length);
  return nodes.map(({ id }: Customer) => id).sort();
}

let rows: Customer[];
beforeAll(async () => {
  const { update, blacklist } = caller(gateway, key);
  for (let moment = 0; moment < 6; moment++) {
    const some = Array.from({ length: 15 }, (_, number) => ({
      accountName: NAMES[(number + moment * 2) % NAMES.length]!,
      country: COUNTRIES[(number * 3 + moment) % COUNTRIES.length]!,
      gender: (["MALE", "FEMALE", "OTHER", null] as const)[(number + moment) % 4]!,
      ...(number % 5 === 0 && { clientRef: null, reference: null }),
    }));
    await insertMany(gateway, {}, new Date(START + moment * 1000), some);
  }
  rows = await stored();
  for (const [index, { id }] of rows.entries()) {
    if (index % 9 === 1) await update({ id, update: { state: "Kano" } });
    if (index % 6 === 0) await blacklist({ id, blacklisted: true });
    if (index % 6 === 1) await blacklist({ id, blacklisted: true, expiresAt: new Date(Date.now() + 86_400_000) });
    if (index % 30 === 2) await blacklist({ id, blacklisted: true }).then(() => blacklist({ id, blacklisted: false }));
  }
  rows = await stored();
});
const stored = () => gateway.app.services.db.customer.findMany({ where: { bankId: "alpha", mode: "SANDBOX" }, orderBy: { email: "asc" } });

/** What each filter means, told without SQL. */
const words = (text: string) =>
  text
    .normalize("NFKD")
    .replace(/\p{M}/gu, "")
    .toLowerCase()
    .replaceAll("ı", "i")
    .replaceAll("ß", "ss")
    .split(/[^\p{L}\p{N}]+/u)
    .filter(Boolean);
const within = (at: Date, { from, to }: { from?: string; to?: string }) =>
  (!from || +at >= Date.parse(from)) && (!to || +at < Date.parse(to));
const MEANING: Record<string, (row: Customer, value: any) => boolean> = {
  ids: ({ id }, values) => values.some((value: string) => value.toLowerCase() === id),
  phrases: ({ phrase }, values) => values.includes(phrase),
  references: ({ reference }, values) => values.includes(reference),
  clientRefs: ({ clientRef }, values) => values.includes(clientRef),
  emails: ({ email }, values) => values.some((value: string) => value.toLowerCase() === email),
  countries: ({ country }, values) => values.some((value: string) => value.toUpperCase() === country && value.length === 2),
  genders: ({ gender }, values) => values.includes(gender),
  blacklisted: ({ blacklisted, blacklistExpiresAt }, value) =>
    value === (blacklisted && (!blacklistExpiresAt || blacklistExpiresAt > new Date())),
  createdAt: ({ createdAt }, range) => within(createdAt, range),
  updatedAt: ({ updatedAt }, range) => within(updatedAt, range),
  search: ({ accountName }, text) => words(text).every((word) => words(accountName).some((of) => of.startsWith(word))),
};
const expected = (filter: Record<string, unknown>) =>
  rows
    .filter((row) => Object.entries(filter).every(([name, value]) => value == null || MEANING[name]!(row, value)))
    .map(({ id }) => id)
    .sort();

const GARBAGE = [
  "",
  " ",
  "x",
  "%",
  "_",
  "\\",
  "'",
  '"',
  "NULL",
  "\0",
  "a\0b",
  "\uD800",
  "\u202E",
  "0".repeat(3000),
  "00000000-0000-0000-0000-00000000000g",
  "ß",
  "ﬁ",
  "NGX",
  "*",
  "::1",
  "\u{1F600}",
];
const garbage = fc.constantFrom(...GARBAGE);

function valuesOf(name: "id" | "phrase" | "reference" | "clientRef" | "email" | "country") {
  const one = fc.nat().map((nat) => rows[nat % rows.length]![name] ?? "none");
  const cased = ["id", "email", "country"].includes(name)
    ? fc.oneof(
        one,
        one.map((value) => value.toUpperCase()),
        one.map((value) => value.toLowerCase()),
      )
    : one;
  // Enough values that two or three lists together still let some rows through.
  return fc.oneof(
    fc.array(fc.oneof({ weight: 20, arbitrary: cased }, garbage), { maxLength: 200, size: "max" }),
    fc.constant([]),
    fc.array(garbage),
  );
}
const momentOf = fc
  .nat()
  .chain((nat) =>
    fc.constantFrom(-1, 0, 1).map((by) => new Date(+rows[nat % rows.length]![nat % 2 ? "createdAt" : "updatedAt"] + by).toISOString()),
  );
const range = fc.record({ from: fc.option(momentOf, { nil: undefined }), to: fc.option(momentOf, { nil: undefined }) });
const search = fc
  .array(
    fc.oneof(
      fc
        .nat()
        .map((nat) => words(NAMES[nat % NAMES.length]!))
        .chain((of) => fc.constantFrom(...of)),
      garbage,
    ),
    { maxLength: 3 },
  )
  .chain((parts) =>
    fc
      .nat({ max: 3 })
      .map((cut) => parts.map((part, index) => (index === 0 && part.length > cut ? part.slice(0, part.length - cut) : part)).join(" ")),
  );

const ARBITRARY: Record<string, () => fc.Arbitrary<unknown>> = {
  ids: () => valuesOf("id"),
  phrases: () => valuesOf("phrase"),
  references: () => valuesOf("reference"),
  clientRefs: () => valuesOf("clientRef"),
  emails: () => valuesOf("email"),
  countries: () => valuesOf("country"),
  genders: () => fc.subarray(["MALE", "FEMALE", "OTHER"]),
  blacklisted: () => fc.boolean(),
  createdAt: () => range,
  updatedAt: () => range,
  search: () => search,
};

test.each(Object.keys(MEANING))("%s finds what it says, and garbage finds nothing", async (name) => {
  const seen = { some: 0, none: 0 };
  await fc.assert(
    fc.asyncProperty(ARBITRARY[name]!(), async (value) => {
      const ids = expected({ [name]: value });
      seen[ids.length > 0 ? "some" : "none"]++;
      expect(await find({ [name]: value })).toEqual(ids);
    }),
    { numRuns: 100, seed: 7 },
  );
  expect(seen.some).toBeGreaterThan(5);
});

test("filters together find what all of them find", async () => {
  const any = fc.record(
    Object.fromEntries(
      Object.keys(MEANING).map((name) => [
        name,
        fc.oneof({ weight: 5, arbitrary: fc.constantFrom(null, undefined) }, { weight: 2, arbitrary: ARBITRARY[name]!() }),
      ]),
    ),
  );
  let some = 0;
  await fc.assert(
    fc.asyncProperty(any, async (filter) => {
      const ids = expected(filter);
      some += Number(ids.length > 0 && ids.length < rows.length);
      expect(await find(filter)).toEqual(ids);
    }),
    { numRuns: 300, seed: 11 },
  );
  expect(some).toBeGreaterThan(40);
});

const LISTS = ["ids", "phrases", "references", "clientRefs", "emails", "countries", "genders"];

test("an entry that has run out no longer counts, before any job has noticed", async () => {
  const bank = { bank: "expiry" };
  const own = await gateway.key(bank);
  const [id] = await insertMany(gateway, bank, new Date(), [{}, {}]);
  const count = async (blacklisted: boolean) => dataOf((await gateway.query(own, FIND, { filter: { blacklisted } })).body).totalCount;
  const { blacklist } = caller(gateway, own);
  await blacklist({ id, blacklisted: true, expiresAt: new Date(Date.now() + 3_600_000) });
  expect([await count(true), await count(false)]).toEqual([1, 1]);
  // The hour passes.
  await gateway.app.services.db.customer.updateMany({ where: { id }, data: { blacklistExpiresAt: new Date() } });
  expect([await count(true), await count(false)]).toEqual([0, 2]);
});

test.each(Object.keys(MEANING))("%s: null restricts nothing", async (name) => {
  expect(await find({ [name]: null })).toHaveLength(rows.length);
});

test.each(LISTS)("%s: an empty list matches nothing, 500 values are taken and 501 are not", async (name) => {
  expect(await find({ [name]: [] })).toEqual([]);
  const value = name === "genders" ? "MALE" : "x";
  expect(await find({ [name]: Array.from({ length: 500 }, () => value) })).toEqual(
    name === "genders" ? expected({ genders: ["MALE"] }) : [],
  );
  const { body } = await ask({ [name]: Array.from({ length: 501 }, () => value) });
  expect(body.errors?.map(({ extensions }) => extensions.code)).toEqual(["BAD_USER_INPUT"]);
  expect(body.errors![0]!.message).toContain(name);
});

test("values are compared as they are stored: trimmed, composed, e-mail and country in their one case", async () => {
  const { create } = caller(gateway, await gateway.key({ bank: "normal" }));
  const { id } = await create({
    firstname: "A",
    lastname: "B",
    country: "ng",
    email: "A.B@BÜCHER.example",
    reference: " Cafe\u0301 ",
    clientRef: "x",
  });
  const inBank = await gateway.key({ bank: "normal" });
  for (const filter of [
    { references: ["Café"] },
    { references: [" Cafe\u0301"] },
    { emails: ["a.b@bücher.EXAMPLE"] },
    { emails: ["a.b@xn--bcher-kva.example"] },
    { countries: [" Ng "] },
    { ids: [id.toUpperCase()] },
  ]) {
    expect(dataOf((await gateway.query(inBank, FIND, { filter })).body).nodes, JSON.stringify(filter)).toEqual([{ id }]);
  }
  for (const filter of [{ references: ["café"] }, { clientRefs: ["X"] }])
    expect(dataOf((await gateway.query(inBank, FIND, { filter })).body).nodes).toEqual([]);
});

describe("a span of time", () => {
  test("has its first moment and not its last", async () => {
    const at = (ms: number) => new Date(START + ms).toISOString();
    const count = async (createdAt: object) => (await find({ createdAt })).length;
    expect(await count({ from: at(2000), to: at(3000) })).toBe(15);
    expect(await count({ from: at(2001), to: at(3000) })).toBe(0);
    expect(await count({ from: at(2000), to: at(3001) })).toBe(30);
    expect(await count({ from: at(3000), to: at(2000) })).toBe(0);
    expect(await count({})).toBe(90);
    // Another zone, the same moments.
    expect(await count({ from: "2026-01-01T01:00:02+01:00", to: "2025-12-31T19:00:03-05:00" })).toBe(15);
  });

  test.each([
    ["0000-01-01T00:00:00Z", 90, 0],
    ["0001-01-01T00:00:00Z", 90, 0],
    ["9999-12-31T23:59:59.999Z", 0, 90],
    ["9999-12-31T23:59:59-23:59", 0, 90],
    [8.64e15, 0, 90],
    [-8.64e15, 90, 0],
  ])("from %s finds %i, and to it %i, or it is no date to begin with", async (moment, from, to) => {
    for (const [end, count] of [
      ["from", from],
      ["to", to],
    ] as const) {
      const { body } = await ask({ createdAt: { [end]: moment } });
      if (typeof moment === "string" || !body.errors) expect(dataOf(body).totalCount).toBe(count);
      else expect(body.errors[0]!.extensions.code).toBe("BAD_USER_INPUT");
    }
  });

  test.each(["", "yesterday", "2026-02-30T00:00:00Z", "2026-01-01", "\0", null, {}, true])("%j as a moment is no fault", async (moment) => {
    const { body } = await ask({ updatedAt: { from: moment } });
    if (moment === null) expect(dataOf(body).totalCount).toBe(90);
    else expect(body.errors?.[0]!.extensions.code).toBe("BAD_USER_INPUT");
  });
});
