import { describe, expect, test } from "vitest";
import { CUSTOMER_FIELD_NAMES, toEnumName } from "../../src/access/visibility.ts";
import { batchRow, caller } from "../support/customers.ts";
import { openGateway } from "../support/gateway.ts";

/** What a response says of what it withholds: at the object, and once a path in `extensions.visibility`. */
const gateway = await openGateway();
const sensitive = await gateway.key();
const standard = await gateway.key({ scopes: ["customers:read", "customers:write", "customers:blacklist", "batches:write"] });
const { batch } = caller(gateway, sensitive);
const {
  id: batchId,
  customerIds: [id, second],
} = await batch([batchRow(1), batchRow(2), batchRow(3)]);

const SCOPE = { EXTENDED: "customers:read:extended", SENSITIVE: "customers:read:sensitive" };
const withheld = (path: string, tier: keyof typeof SCOPE = "EXTENDED", field = path.split(".").at(-1)!) => ({
  path: path.split("."),
  field: `Customer.${field}`,
  requires: SCOPE[tier],
});

async function ask(document: string, variables: object = {}, headers: Record<string, string> = {}, key = standard) {
  const { body } = await gateway.query(key, document, variables, headers);
  expect(body.errors).toBeUndefined();
  return { data: body.data, visibility: body.extensions.visibility };
}
const one = (selection: string, head = "") => `${head} { customer(by: { id: "${id}" }) { ${selection} } }`;

const EXTENDED =
  "firstname lastname middlename email phone dialCode address state clientRef reference consent lifecycle paymentsEnabled blacklisted version createdAt updatedAt".split(
    " ",
  );
const SENSITIVE = ["accountNumber", "blacklist", "history", "devices"];
const ALL = ["id", "bankId", "phrase", "accountName", "gender", "displayPicture", "country", ...EXTENDED, ...SENSITIVE];
const select = (name: string) =>
  ({
    consent: "consent { source }",
    blacklist: "blacklist { reason }",
    history: "history { nodes { version } }",
    devices: "devices { deviceId }",
  })[name] ?? name;

describe("every field, by tier", () => {
  test("the table here is the schema's", () => expect(ALL).toEqual(CUSTOMER_FIELD_NAMES));

  test.each([
    ["STANDARD", ["customers:read"] as const, [...EXTENDED, ...SENSITIVE]],
    ["EXTENDED", ["customers:read:extended"] as const, SENSITIVE],
    ["SENSITIVE", ["customers:read:sensitive"] as const, [] as string[]],
  ])("%s: what is above it is null, listed once and told in schema order", async (_tier, scopes, hidden) => {
    const key = await gateway.key({ scopes: [...scopes] });
    // Asked for the other way round: the answer keeps the schema's order.
    const { data, visibility } = await ask(one(`redactedFields ${ALL.toReversed().map(select).join(" ")}`), {}, {}, key);
    const { redactedFields, ...values } = data.customer;
    expect(Object.keys(values).sort()).toEqual([...ALL].sort());
    expect(redactedFields).toEqual(hidden.map(toEnumName));
    for (const name of hidden) expect(values[name], name).toBeNull();
    expect(visibility.toSorted(byField)).toEqual(
      hidden.map((name) => withheld(`customer.${name}`, SENSITIVE.includes(name) ? "SENSITIVE" : "EXTENDED")).sort(byField),
    );
    // What is empty by nature is in neither.
    for (const name of ["firstname", "email", "version", "createdAt"])
      if (!hidden.includes(name)) expect(values[name], name).not.toBeNull();
    expect(values.gender).toBeNull();
  });
});
const byField = (a: { field: string }, b: { field: string }) => (a.field < b.field ? -1 : 1);

const CASES: Record<string, { document: string; variables?: object; fields: string[]; paths: ReturnType<typeof withheld>[] }> = {
  "nothing withheld": { document: one("id accountName redactedFields"), fields: [], paths: [] },
  "@skip and @include": {
    document: one(
      "redactedFields email @skip(if: true) phone @include(if: false) state @skip(if: false) @include(if: true) address @skip(if: $yes) lastname @include(if: $yes)",
      "query ($yes: Boolean!)",
    ),
    variables: { yes: true },
    fields: ["LASTNAME", "STATE"],
    paths: [withheld("customer.lastname"), withheld("customer.state")],
  },
  "a field that is skipped once and asked for once": {
    document: one("email @skip(if: true) ... { email } redactedFields"),
    fields: ["EMAIL"],
    paths: [withheld("customer.email")],
  },
  "aliases: one name in the list, each path in the report": {
    document: one("a: email b: email c: accountName name: redactedFields"),
    fields: ["EMAIL"],
    paths: [withheld("customer.a", "EXTENDED", "email"), withheld("customer.b", "EXTENDED", "email")],
  },
  "an alias that is another field's name": {
    document: one("email: id id: email phone: redactedFields"),
    fields: ["EMAIL"],
    paths: [withheld("customer.id", "EXTENDED", "email")],
  },
  "the same field twice": {
    document: one("email redactedFields email ... { email } ... on Customer { email }"),
    fields: ["EMAIL"],
    paths: [withheld("customer.email")],
  },
  "fragments, nested and skipped": {
    document: `${one("...A ...B @skip(if: true) ... on Node { ... on Customer { phone } } ... @include(if: false) { state }")} fragment A on Customer { email ...C redactedFields } fragment B on Customer { address } fragment C on Customer { clientRef }`,
    fields: ["EMAIL", "PHONE", "CLIENT_REF"],
    paths: [withheld("customer.clientRef"), withheld("customer.email"), withheld("customer.phone")],
  },
  "what is below a withheld field": {
    document: one(
      "history(first: 1) { nodes { actor } edges { cursor } } blacklist { note } old: history { nodes { type } } redactedFields",
    ),
    fields: ["BLACKLIST", "HISTORY"],
    paths: [
      withheld("customer.blacklist", "SENSITIVE"),
      withheld("customer.history", "SENSITIVE"),
      withheld("customer.old", "SENSITIVE", "history"),
    ],
  },
  "the customer merged from two selections": {
    document: `{ customer(by: { id: "${id}" }) { redactedFields } ...Q } fragment Q on Query { customer(by: { id: "${id}" }) { email } }`,
    fields: ["EMAIL"],
    paths: [withheld("customer.email")],
  },
};

test.each(Object.entries(CASES))("%s", async (_name, { document, variables, fields, paths }) => {
  const { data, visibility } = await ask(document, variables);
  const list = Object.values<any>(data.customer).find((value) => Array.isArray(value));
  expect(list).toEqual(fields);
  expect(visibility.toSorted(byPath)).toEqual([...paths].sort(byPath));
});
const byPath = (a: { path: string[] }, b: { path: string[] }) => (a.path.join(".") < b.path.join(".") ? -1 : 1);

test("each place tells what was asked for at that place, and a list is one path", async () => {
  const { data, visibility } = await ask(`{
    customers { nodes { email redactedFields } more: nodes { phone redactedFields } edges { node { state redactedFields } other: node { redactedFields } } }
    one: customer(by: { id: "${id}" }) { accountNumber redactedFields }
    two: customer(by: { id: "${id}" }) { redactedFields }
    none: customer(by: { id: "${crypto.randomUUID()}" }) { email redactedFields }
  }`);
  const lists = (rows: any[]) => rows.map(({ redactedFields }) => redactedFields);
  expect(lists(data.customers.nodes)).toEqual([["EMAIL"], ["EMAIL"], ["EMAIL"]]);
  expect(lists(data.customers.more)).toEqual([["PHONE"], ["PHONE"], ["PHONE"]]);
  expect(lists(data.customers.edges.map(({ node }: any) => node))).toEqual([["STATE"], ["STATE"], ["STATE"]]);
  expect(lists(data.customers.edges.map(({ other }: any) => other))).toEqual([[], [], []]);
  expect([data.one.redactedFields, data.two.redactedFields, data.none]).toEqual([["ACCOUNT_NUMBER"], [], null]);
  expect(visibility.toSorted(byPath)).toEqual(
    [
      withheld("customers.edges.node.state"),
      withheld("customers.more.phone", "EXTENDED", "phone"),
      withheld("customers.nodes.email"),
      withheld("one.accountNumber", "SENSITIVE"),
    ].sort(byPath),
  );
});

test("a list without rows withholds nothing", async () => {
  const { data, visibility } = await ask("{ customers(filter: { ids: [] }) { nodes { email redactedFields } edges { node { phone } } } }");
  expect(data).toEqual({ customers: { nodes: [], edges: [] } });
  expect(visibility).toEqual([]);
});

test("through node, a batch and a batch in a list the paths are those of the response", async () => {
  const { data, visibility } = await ask(
    `query ($id: ID!, $batch: ID!) {
      node(id: $id) { id ... on Customer { email redactedFields } ... on BatchResult { customers { nodes { phone } } } }
      asBatch: node(id: $batch) { ... on Customer { address } ... on BatchResult { customers(first: 2) { nodes { phone redactedFields } } } }
      batch(id: $batch) { made: customers(first: 1) { edges { node { state redactedFields } } } }
      batches { nodes { customers { nodes { reference } } } }
    }`,
    { id, batch: batchId },
  );
  expect(data.node).toEqual({ id, email: null, redactedFields: ["EMAIL"] });
  expect(data.asBatch.customers.nodes).toEqual([
    { phone: null, redactedFields: ["PHONE"] },
    { phone: null, redactedFields: ["PHONE"] },
  ]);
  expect(data.batch.made.edges).toEqual([{ node: { state: null, redactedFields: ["STATE"] } }]);
  expect(visibility.toSorted(byPath)).toEqual(
    [
      withheld("node.email"),
      withheld("asBatch.customers.nodes.phone"),
      withheld("batch.made.edges.node.state"),
      withheld("batches.nodes.customers.nodes.reference"),
    ].sort(byPath),
  );
});

test("in the union of a mutation", async () => {
  const { data, visibility } = await ask(
    `mutation ($id: ID!, $second: ID!, $row: BatchCustomerInput!) {
      updateCustomer(input: { id: $id, update: { state: "Lagos" } }) { ... on Customer { id state redactedFields } }
      createCustomer(input: { firstname: "A", lastname: "B", email: "a.b@example.com", country: "NG" }) { ...New ... on Error { message } }
      off: setBlacklist(input: { id: $second, blacklisted: true, reason: FRAUD }) { __typename ... on Customer { id redactedFields blacklist { reason } } }
      missing: updateCustomer(input: { id: "none", update: {} }) { __typename ... on Customer { email redactedFields } }
      createCustomersBatch(input: { customers: [$row] }) { ... on BatchResult { customers { nodes { accountNumber redactedFields } } } }
    }
    fragment New on Customer { accountName mail: email redactedFields }`,
    { id, second, row: batchRow(9) },
  );
  expect(data).toEqual({
    updateCustomer: { id, state: null, redactedFields: ["STATE"] },
    createCustomer: { accountName: "A B", mail: null, redactedFields: ["EMAIL"] },
    off: { __typename: "Customer", id: second, redactedFields: ["BLACKLIST"], blacklist: null },
    missing: { __typename: "CustomerNotFound" },
    createCustomersBatch: { customers: { nodes: [{ accountNumber: null, redactedFields: ["ACCOUNT_NUMBER"] }] } },
  });
  expect(visibility.toSorted(byPath)).toEqual(
    [
      withheld("updateCustomer.state"),
      withheld("createCustomer.mail", "EXTENDED", "email"),
      withheld("off.blacklist", "SENSITIVE"),
      withheld("createCustomersBatch.customers.nodes.accountNumber", "SENSITIVE"),
    ].sort(byPath),
  );
});

test("one document, sent by callers of every kind at once with other variables, is told to each by what it may see", async () => {
  const document = `query ($id: ID!, $yes: Boolean!) { customer(by: { id: $id }) { redactedFields email accountNumber @include(if: $yes) } }`;
  const extended = await gateway.key({ scopes: ["customers:read:extended"] });
  const calls = [sensitive, extended, standard].flatMap((key) =>
    [true, false].flatMap((yes) =>
      [undefined, "standard", "extended", "sensitive"].map((lower) => ({
        key,
        yes,
        lower,
        granted: [standard, extended, sensitive].indexOf(key),
      })),
    ),
  );
  const answers = await Promise.all(
    [...calls, ...calls.toReversed()].map(async (call) => ({
      ...call,
      ...(await ask(document, { id, yes: call.yes }, call.lower ? { "x-visibility": call.lower } : {}, call.key)),
    })),
  );
  for (const { granted, yes, lower, data, visibility } of answers) {
    const seen = Math.min(granted, lower === undefined ? 2 : ["standard", "extended", "sensitive"].indexOf(lower));
    const expected = [
      ...(seen < 1
        ? [{ path: ["customer", "email"], field: "Customer.email", requires: granted < 1 ? SCOPE.EXTENDED : "X-Visibility" }]
        : []),
      ...(seen < 2 && yes
        ? [
            {
              path: ["customer", "accountNumber"],
              field: "Customer.accountNumber",
              requires: granted < 2 ? SCOPE.SENSITIVE : "X-Visibility",
            },
          ]
        : []),
    ];
    expect(visibility).toEqual(expected);
    expect(data.customer.redactedFields).toEqual(expected.map(({ field }) => toEnumName(field.split(".")[1]!)));
    expect(data.customer.email).toBe(seen < 1 ? null : "customer.1@example.com");
    expect(data.customer.accountNumber).toBe(yes ? (seen < 2 ? null : "1000000001") : undefined);
  }
});

test("a response of which nothing is withheld says so, and one that did not run says nothing", async () => {
  expect((await ask("{ viewer { mode } }")).visibility).toEqual([]);
  expect((await ask(one("email accountNumber redactedFields"), {}, {}, sensitive)).visibility).toEqual([]);
  expect((await gateway.query(standard, "{ nothing }")).body.extensions).toBeUndefined();
});
