import { describe, expect, test } from "vitest";
import { dataOf } from "../../support/customers.ts";
import { openGateway } from "../../support/gateway.ts";
import { insertMany } from "../../support/many-customers.ts";
import { readsOf } from "../../support/statements.ts";

/** Whoever may not see a field cannot ask about it either: the answer would tell its value. */
const gateway = await openGateway();
const sensitive = await gateway.key();
const extended = await gateway.key({ scopes: ["customers:read:extended"] });
const standard = await gateway.key({ scopes: ["customers:read"] });
const AT = new Date("2026-01-02T03:04:05Z");
const [id] = await insertMany(gateway, {}, AT, [
  { clientRef: "here", reference: "here", email: "here@example.com", gender: "FEMALE", accountName: "Ada" },
]);
const { phrase } = dataOf((await gateway.query(sensitive, `{ customer(by: { id: "${id}" }) { phrase } }`)).body);

/** Each filter, by the contract's table: a value that matches, values that do not, and the field it asks about. */
const FILTERS: Record<string, { tier: "STANDARD" | "EXTENDED"; field: string; matches: unknown; misses: unknown[] }> = {
  ids: { tier: "STANDARD", field: "id", matches: [id], misses: [[], ["x"]] },
  phrases: { tier: "STANDARD", field: "phrase", matches: [phrase], misses: [[], ["x"]] },
  countries: { tier: "STANDARD", field: "country", matches: ["NG"], misses: [[], ["GH"]] },
  genders: { tier: "STANDARD", field: "gender", matches: ["FEMALE"], misses: [[], ["MALE"]] },
  search: { tier: "STANDARD", field: "accountName", matches: "ada", misses: ["eve"] },
  references: { tier: "EXTENDED", field: "reference", matches: ["here"], misses: [[], ["nowhere"], ["\0"]] },
  clientRefs: { tier: "EXTENDED", field: "clientRef", matches: ["here"], misses: [[], ["nowhere"], ["\0"]] },
  emails: { tier: "EXTENDED", field: "email", matches: ["here@example.com"], misses: [[], ["nowhere@example.com"], ["not one"]] },
  blacklisted: { tier: "EXTENDED", field: "blacklisted", matches: false, misses: [true] },
  createdAt: { tier: "EXTENDED", field: "createdAt", matches: { from: AT }, misses: [{}, { from: null }, { to: "2000-01-01T00:00:00Z" }] },
  updatedAt: { tier: "EXTENDED", field: "updatedAt", matches: { from: AT }, misses: [{}, { from: null }, { to: "2000-01-01T00:00:00Z" }] },
};
const ORDERS: Record<string, { tier: "STANDARD" | "EXTENDED"; field: string }> = {
  ACCOUNT_NAME: { tier: "STANDARD", field: "accountName" },
  CREATED_AT: { tier: "EXTENDED", field: "createdAt" },
  UPDATED_AT: { tier: "EXTENDED", field: "updatedAt" },
};

const LIST = /* GraphQL */ `
  query ($filter: CustomerFilter, $orderBy: CustomerOrder) {
    customers(filter: $filter, orderBy: $orderBy) { totalCount nodes { id } edges { cursor } pageInfo { endCursor } }
  }
`;
const COUNT = "query ($filter: CustomerFilter, $orderBy: CustomerOrder) { customers(filter: $filter, orderBy: $orderBy) { totalCount } }";

/** A caller, and what it is told that an EXTENDED field would need. Null: it may see EXTENDED. */
const CALLERS: [string, string, Record<string, string>, string | null][] = [
  ["STANDARD", standard, {}, "customers:read:extended"],
  ["STANDARD that tries to raise itself", standard, { "x-visibility": "extended" }, "customers:read:extended"],
  ["EXTENDED, lowered", extended, { "x-visibility": "standard" }, "X-Visibility"],
  ["SENSITIVE, lowered to STANDARD", sensitive, { "x-visibility": "standard" }, "X-Visibility"],
  ["EXTENDED", extended, {}, null],
  ["SENSITIVE, lowered to EXTENDED", sensitive, { "x-visibility": "extended" }, null],
  ["SENSITIVE", sensitive, {}, null],
];

describe.each(CALLERS)("%s", (_name, key, headers, requires) => {
  const isForbidden = (tier: string) => tier === "EXTENDED" && requires !== null;
  /** The one answer that tells nothing, whatever the value. */
  const expectForbidden = async (field: string, variables: object) => {
    for (const document of [LIST, COUNT]) {
      gateway.statements.length = 0;
      const { status, body } = await gateway.query(key, document, variables, headers);
      expect([status, body.data]).toEqual([200, null]);
      expect(body.errors).toMatchObject([
        { path: ["customers"], extensions: { code: "FORBIDDEN_FIELD", field: `Customer.${field}`, requires } },
      ]);
      expect(readsOf(gateway.statements)).toEqual({});
    }
  };
  const find = async (variables: object) => dataOf((await gateway.query(key, LIST, variables, headers)).body);

  test.each(Object.entries(FILTERS))("filters by %s only if it may see the field", async (name, { tier, field, matches, misses }) => {
    if (isForbidden(tier)) {
      for (const value of [matches, ...misses]) await expectForbidden(field, { filter: { [name]: value } });
      // Together with what is allowed, and with what could match nothing anyway.
      await expectForbidden(field, { filter: { ids: [], [name]: matches } });
    } else {
      expect(await find({ filter: { [name]: matches } })).toMatchObject({ totalCount: 1, nodes: [{ id }] });
      for (const value of misses) {
        const isOpen = typeof value === "object" && value !== null && !Array.isArray(value) && !("to" in value);
        expect((await find({ filter: { [name]: value } })).totalCount).toBe(isOpen ? 1 : 0);
      }
    }
    // Null asks nothing.
    expect((await find({ filter: { [name]: null } })).totalCount).toBe(1);
  });

  test.each(Object.entries(ORDERS))("sorts by %s only if it may see the field", async (name, { tier, field }) => {
    for (const direction of ["ASC", "DESC"]) {
      const orderBy = { field: name, direction };
      if (isForbidden(tier)) {
        await expectForbidden(field, { orderBy });
        await expectForbidden(field, { orderBy, filter: { ids: [] } });
      } else expect((await find({ orderBy })).nodes).toEqual([{ id }]);
    }
  });

  test("reads the default order, which tells no value", async () => {
    expect((await find({})).nodes).toEqual([{ id }]);
  });
});

test("every filter and order of the schema has a case", async () => {
  const { __type: filter, order } = (
    await gateway.query(
      sensitive,
      '{ __type(name: "CustomerFilter") { inputFields { name } } order: __type(name: "CustomerOrderField") { enumValues { name } } }',
    )
  ).body.data;
  expect(filter.inputFields.map(({ name }: { name: string }) => name).sort()).toEqual(Object.keys(FILTERS).sort());
  expect(order.enumValues.map(({ name }: { name: string }) => name).sort()).toEqual(Object.keys(ORDERS).sort());
});
