import fc from "fast-check";
import { expect, test } from "vitest";
import type { Scope } from "../../../src/access/scopes.ts";
import { batchRow } from "../../support/customers.ts";
import { openGateway, withoutCost } from "../../support/gateway.ts";
import { randomDocument, type Things } from "./random-document.ts";

const gateway = await openGateway();
const manager = await gateway.key();

const EXPLAIN = /* GraphQL */ `
  query ($document: String!, $variables: JSONObject, $keyId: ID) {
    explainAccess(document: $document, variables: $variables, keyId: $keyId) {
      valid issues withheld { path field requires } forbidden { path field requires }
    }
  }
`;
const explain = (key: string, document: string, more: object = {}, headers?: Record<string, string>) =>
  gateway.query(key, EXPLAIN, { document, ...more }, headers);
const explained = async (...args: Parameters<typeof explain>) => {
  const { body } = await explain(...args);
  expect(body.errors).toBeUndefined();
  return body.data.explainAccess;
};

const things: Things = await (async () => {
  const { body } = await gateway.query(
    manager,
    `mutation ($rows: [BatchCustomerInput]!) {
      createCustomersBatch(input: { customers: $rows }) { ... on BatchResult { id customers { nodes { id email } } } } }`,
    { rows: [batchRow(1), batchRow(2), batchRow(2), { email: "?" }] },
  );
  const { id: batchId, customers } = body.data.createCustomersBatch;
  for (const { id } of customers.nodes) {
    await gateway.query(manager, `mutation { setBlacklist(input: { id: "${id}", blacklisted: true, note: "n" }) { __typename } }`);
  }
  const [{ id: customerId, email }] = customers.nodes;
  return { batchId, customerId, email, version: 2 };
})();

const GRANTS: Scope[][] = [
  ["customers:read"],
  ["customers:read:extended"],
  ["customers:read:sensitive"],
  ["customers:write"],
  ["customers:write", "customers:read:sensitive", "batches:write", "keys:manage"],
  ["batches:write"],
  ["batches:write", "customers:read"],
  ["keys:manage", "customers:read:extended"],
  ["webhooks:manage"],
];
const keys = await Promise.all(GRANTS.map((scopes) => gateway.key({ scopes })));
const idOf = (key: string) => key.split("_")[2]!;
const byPath = (entries: { path: string[] }[]) => [...entries].sort((a, b) => (a.path.join(".") < b.path.join(".") ? -1 : 1));

test("what is explained is what happens: random documents, keys and headers", async () => {
  const seen = { compared: 0, withheld: 0, forbidden: 0, refusedArguments: 0, mutations: 0 };
  await fc.assert(
    fc.asyncProperty(fc.gen(), async (draw) => {
      const { document, variables } = randomDocument(draw, things);
      const key = draw(fc.constantFrom, ...keys);
      const lowered = draw(fc.constantFrom, null, null, "standard", "extended");
      const headers = lowered ? { "x-visibility": lowered } : undefined;
      const explanation = await explained(key, document, { variables }, headers);
      fc.pre(explanation.valid);
      const { body } = await gateway.query(key, document, variables, headers);
      const { withheld, forbidden } = explanation;

      const refusals = (body.errors ?? []).map(({ path, extensions: { code, requires, field } }) => {
        expect(["FORBIDDEN", "FORBIDDEN_FIELD"]).toContain(code);
        return { path: path!.filter((step) => typeof step === "string"), field: field ?? null, requires };
      });
      for (const refusal of refusals) expect(forbidden).toContainEqual(refusal);
      expect(forbidden.length > 0).toBe(refusals.length > 0);
      // A refusal in a field that cannot be null ends the run at once, so that other fields may not have been reached.
      if (body.data !== null && forbidden.every(({ path }: { path: string[] }) => path.length === 1)) {
        expect(byPath(withheld)).toEqual(byPath(body.extensions.visibility));
        seen.compared += 1;
      } else for (const entry of body.extensions.visibility) expect(withheld).toContainEqual(entry);
      if (!lowered) expect(await explained(manager, document, { variables, keyId: idOf(key) })).toEqual(explanation);

      if (document.startsWith("mutation")) seen.mutations += 1;
      seen.withheld += withheld.length;
      seen.forbidden += forbidden.length;
      seen.refusedArguments += forbidden.filter(({ field }: { field: string | null }) => field !== null).length;
    }),
    { numRuns: 250 },
  );
  expect(seen.compared).toBeGreaterThan(50);
  for (const count of Object.values(seen)) expect(count).toBeGreaterThan(5);
});

test("nothing is run, and nothing is read of customers", async () => {
  gateway.statements.length = 0;
  const { withheld } = await explained(
    keys[0]!,
    `mutation { setBlacklist(input: { id: "${things.customerId}", blacklisted: false }) { ... on Customer { email } } }`,
  );
  expect(withheld).toEqual([]); // the mutation itself is refused
  expect(
    await explained(
      manager,
      `mutation { updateCustomer(input: { id: "${things.customerId}", update: { state: "Z" } }) { ... on Customer { email } } }`,
      { keyId: idOf(keys[3]!) },
    ),
  ).toEqual({
    valid: true,
    issues: [],
    withheld: [{ path: ["updateCustomer", "email"], field: "Customer.email", requires: "customers:read:extended" }],
    forbidden: [],
  });
  expect(gateway.statements.filter((sql) => /customer|batch/.test(sql.replace(/customer_gateway\w*/g, "")))).toEqual([]);
});

test("expectedVersion, filters and orders that may not be asked are named, each with what it needs", async () => {
  const document = `mutation ($v: Int) { updateCustomer(input: { id: "${things.customerId}", expectedVersion: $v, update: {} }) { ... on Customer { id } } }`;
  expect((await explained(keys[3]!, document, { variables: {} })).forbidden).toEqual([]);
  expect((await explained(keys[3]!, document, { variables: { v: 1 } })).forbidden).toEqual([
    { path: ["updateCustomer"], field: "Customer.version", requires: "customers:read:extended" },
  ]);
  const list =
    "query ($f: CustomerFilter) { all: customers(filter: $f, orderBy: { field: UPDATED_AT, direction: ASC }) { nodes { email } } }";
  expect(
    await explained(keys[2]!, list, { variables: { f: { emails: ["a"], search: "b" } } }, { "x-visibility": "standard" }),
  ).toMatchObject({
    withheld: [],
    forbidden: [
      { path: ["all"], field: "Customer.updatedAt", requires: "X-Visibility" },
      { path: ["all"], field: "Customer.email", requires: "X-Visibility" },
    ],
  });
});

test("what cannot run is said to be invalid, with reasons", async () => {
  const cases = [
    "{",
    "{ nothing }",
    "query A { viewer { mode } } query B { viewer { mode } }",
    "fragment A on Query { viewer { mode } }",
    "type A { a: ID }",
    `{ ${"viewer { mode } ".repeat(1300)} }`,
    "",
  ];
  for (const document of cases) {
    const { valid, issues, withheld, forbidden } = await explained(manager, document);
    expect([valid, issues.length > 0, withheld, forbidden], document.slice(0, 40)).toEqual([false, true, [], []]);
  }
});

test("variables that do not fit are BAD_USER_INPUT, without their values", async () => {
  const document = "query ($id: ID!, $filter: CustomerFilter) { node(id: $id) { id } customers(filter: $filter) { totalCount } }";
  for (const variables of [
    {},
    { id: null },
    { id: { canary: 1 } },
    { id: "x", filter: { canary: "canary" } },
    { id: "x", filter: { genders: ["canary"] } },
  ]) {
    const { body } = await explain(manager, document, { variables });
    expect(body.errors?.[0]!.extensions.code).toBe("BAD_USER_INPUT");
    expect(JSON.stringify(body.errors).replace(/Field \\"canary\\" is not defined/, "")).not.toContain("canary");
  }
  const late = await explain(manager, 'query ($id: ID = "x") { node(id: $id) { id } }', { variables: { id: null } });
  expect(late.body.errors?.[0]!.extensions.code).toBe("BAD_USER_INPUT");
});

test("it is for INTERNAL keys; another key is a matter of keys:manage, and of the same bank and mode", async () => {
  const app = await explain(await gateway.key({ audience: "APP" }), "{ viewer { mode } }");
  expect([app.status, app.body.errors![0]!.extensions]).toEqual([403, { code: "FORBIDDEN", requires: "an INTERNAL key" }]);
  const { body } = await explain(keys[0]!, "{ viewer { mode } }", { keyId: idOf(keys[1]!) });
  expect(body.errors![0]!.extensions).toEqual({ code: "FORBIDDEN", requires: "keys:manage" });

  const foreign = [await gateway.key({ bank: "beta" }), await gateway.key({ mode: "LIVE" })].map(idOf);
  const answers = await Promise.all(
    [...foreign, "0123456789abcdef", "x"].map(async (keyId) => (await explain(manager, "{ viewer { mode } }", { keyId })).body),
  );
  for (const answer of answers) expect(withoutCost(JSON.stringify(answer))).toBe(withoutCost(JSON.stringify(answers[0])));
  expect(answers[0]!.errors![0]!.extensions.code).toBe("BAD_USER_INPUT");
});
