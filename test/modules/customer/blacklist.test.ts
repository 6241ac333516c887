import { expect, test } from "vitest";
import { BLACKLIST, caller } from "../../support/customers.ts";
import { openGateway } from "../../support/gateway.ts";

const gateway = await openGateway();
const key = await gateway.key();
const { create, blacklist, update, find, history } = caller(gateway, key);
const keyId = key.split("_")[2];

const HOUR_MS = 60 * 60 * 1000;
const inAnHour = () => new Date(Date.now() + HOUR_MS).toISOString();

let people = 0;
const newCustomer = () => {
  const number = ++people;
  return create({
    firstname: "Black",
    lastname: "List",
    email: `black.${number}@example.com`,
    phone: `+23480200${10_000 + number}`,
    country: "NG",
  });
};

const listed = async (blacklisted: boolean) => {
  const { body } = await gateway.query(key, "query ($b: Boolean) { customers(first: 100, filter: { blacklisted: $b }) { nodes { id } } }", {
    b: blacklisted,
  });
  return body.data.customers.nodes.map(({ id }: { id: string }) => id);
};

test("an entry is there with all it was given; OTHER is the reason by default", async () => {
  const { id } = await newCustomer();
  const expiresAt = inAnHour();
  const result = await blacklist({ id, blacklisted: true, reason: "FRAUD", note: "  Called the branch.\nTwice. ", expiresAt });
  expect(result).toMatchObject({ __typename: "Customer", blacklisted: true, version: 2 });
  expect(result.blacklist).toEqual({
    reason: "FRAUD",
    note: "Called the branch.\nTwice.",
    actor: keyId,
    since: result.updatedAt,
    expiresAt,
  });
  expect(await listed(true)).toContain(id);
  expect(await listed(false)).not.toContain(id);
  const other = await newCustomer();
  expect((await blacklist({ id: other.id, blacklisted: true, reason: null })).blacklist).toMatchObject({
    reason: "OTHER",
    note: null,
    expiresAt: null,
  });
});

test("repeating changes nothing and writes no history; what is left out of a repeated entry stays", async () => {
  const { id } = await newCustomer();
  const expiresAt = inAnHour();
  const entry = { reason: "CHARGEBACK", note: "cafe\u0301", expiresAt };
  const first = await blacklist({ id, blacklisted: true, ...entry });
  for (const repeat of [entry, {}, { reason: null }, { note: " café " }, { reason: "CHARGEBACK" }, { expiresAt }]) {
    expect(await blacklist({ id, blacklisted: true, ...repeat })).toEqual(first);
  }
  const changed = await blacklist({ id, blacklisted: true, reason: "FRAUD" });
  expect(changed).toMatchObject({ version: 3, blacklist: { reason: "FRAUD", note: "café", expiresAt } });
  expect(await blacklist({ id, blacklisted: true, note: " \u200b" })).toMatchObject({
    version: 4,
    blacklist: { reason: "FRAUD", note: null, expiresAt },
  });
  expect(await blacklist({ id, blacklisted: true, expiresAt: null })).toMatchObject({
    version: 5,
    blacklist: { reason: "FRAUD", expiresAt: null },
  });
  const off = await blacklist({ id, blacklisted: false, reason: "REQUEST" });
  expect(off).toMatchObject({ blacklisted: false, blacklist: null, version: 6 });
  for (const repeat of [{}, { reason: "FRAUD" }, { note: null }])
    expect(await blacklist({ id, blacklisted: false, ...repeat })).toEqual(off);
  const never = await newCustomer();
  const { __typename: _, ...untouched } = await blacklist({ id: never.id, blacklisted: false });
  expect({ __typename: "Customer", ...untouched }).toEqual(never);

  const events = await history(id);
  expect(events.map(({ version, type, reason }) => [version, type, reason])).toEqual([
    [1, "CREATED", null],
    [2, "BLACKLISTED", "CHARGEBACK"],
    [3, "BLACKLISTED", "FRAUD"],
    [4, "BLACKLISTED", "FRAUD"],
    [5, "BLACKLISTED", "FRAUD"],
    [6, "UNBLACKLISTED", "REQUEST"],
  ]);
  expect(events.map((event) => event.expiresAt)).toEqual([null, expiresAt, expiresAt, expiresAt, null, null]);
  for (const event of events) expect(event.actor).toBe(keyId);
  expect(events[1].changedFields).toEqual(["BLACKLISTED", "BLACKLIST"]);
});

test("bad input is refused with every violation, and nothing is written", async () => {
  const { id } = await newCustomer();
  const past = new Date(Date.now() - 1000).toISOString();
  const cases: [object, string[]][] = [
    [{ blacklisted: true, expiresAt: past }, ["expiresAt"]],
    [{ blacklisted: true, expiresAt: past, note: "x".repeat(1001) }, ["note", "expiresAt"]],
    [{ blacklisted: true, note: "a\0b" }, ["note"]],
    [{ blacklisted: true, note: "a\ud800" }, ["note"]],
    [{ blacklisted: false, note: "why", expiresAt: inAnHour() }, ["note", "expiresAt"]],
  ];
  for (const [input, fields] of cases) {
    const result = await blacklist({ id, ...input });
    expect(result).toMatchObject({ __typename: "InvalidCustomerData", issues: fields.map((field) => ({ field })) });
  }
  const note = "😀".repeat(1000);
  expect((await blacklist({ id, blacklisted: true, note })).blacklist.note).toBe(note);
  expect(await history(id)).toHaveLength(2);
});

test("expectedVersion, and a customer that is not there", async () => {
  const { id } = await newCustomer();
  expect(await blacklist({ id, blacklisted: true, expectedVersion: 2 })).toMatchObject({
    __typename: "VersionConflict",
    currentVersion: 1,
  });
  expect(await blacklist({ id, blacklisted: true, expectedVersion: 1 })).toMatchObject({ version: 2 });
  // The version is looked at even where there is nothing to do.
  expect(await blacklist({ id, blacklisted: true, expectedVersion: 1 })).toMatchObject({
    __typename: "VersionConflict",
    currentVersion: 2,
  });
  const others = [
    caller(gateway, await gateway.key({ bank: "beta" })).blacklist({ id, blacklisted: false }),
    caller(gateway, await gateway.key({ mode: "LIVE" })).blacklist({ id, blacklisted: false, expectedVersion: 9 }),
    blacklist({ id: crypto.randomUUID(), blacklisted: true }),
    blacklist({ id: "a\0b", blacklisted: true }),
  ];
  for (const answer of await Promise.all(others))
    expect(answer).toEqual({ __typename: "CustomerNotFound", code: "CUSTOMER_NOT_FOUND", message: "Customer not found" });
  expect(await find({ id })).toMatchObject({ blacklisted: true, version: 2 });

  const low = await gateway.key({ scopes: ["customers:blacklist"] });
  const { body } = await gateway.query(low, BLACKLIST, { input: { id, blacklisted: false, expectedVersion: 1 } });
  expect(body.errors).toMatchObject([{ extensions: { code: "FORBIDDEN_FIELD", requires: "customers:read:extended" } }]);
});

test("20 callers at once blacklist once", async () => {
  const { id } = await newCustomer();
  const results = await Promise.all(Array.from({ length: 20 }, () => blacklist({ id, blacklisted: true, reason: "FRAUD" })));
  for (const result of results) expect(result).toEqual(results[0]);
  expect(results[0].version).toBe(2);
  expect((await history(id)).map(({ type }) => type)).toEqual(["CREATED", "BLACKLISTED"]);
});

test("a blacklisted customer can be read, looked up and updated", async () => {
  const { id, email } = await newCustomer();
  await blacklist({ id, blacklisted: true });
  expect(await find({ email })).toMatchObject({ id, blacklisted: true });
  expect(await update({ id, update: { state: "Kano" } })).toMatchObject({ state: "Kano", blacklisted: true, version: 3 });
});
