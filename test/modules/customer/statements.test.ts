import { beforeEach, describe, expect, test, vi } from "vitest";
import { CUSTOMER_FIELDS } from "../../../src/access/visibility.ts";
import { batchRow, caller } from "../../support/customers.ts";
import { openGateway } from "../../support/gateway.ts";
import { columnsRead, readsOf } from "../../support/statements.ts";

// Much to insert or to ask: minutes on a busy machine.
vi.setConfig({ testTimeout: 600_000, hookTimeout: 600_000 });

/** What a read costs: one statement a kind of thing, however many there are, and no column that nobody asked for. */
const gateway = await openGateway();
const key = await gateway.key();
const standard = await gateway.key({ scopes: ["customers:read"] });
const { batch, update, blacklist } = caller(gateway, key);

/** 50 batches; the first has made 100 customers with an entry and some history each, the others one each. */
const FULL = 100;
const batches: string[] = [];
const ids: string[] = [];
for (let number = 0; number < 50; number++) {
  const rows = Array.from({ length: number === 0 ? FULL : 1 }, (_, row) => batchRow(number * 1000 + row));
  const made = await batch([...rows, null, { ...rows[0], email: "x" }, rows[0]]);
  batches.push(made.id);
  ids.push(...made.customerIds);
}
for (const id of ids.slice(0, FULL)) {
  await gateway.query(key, "mutation ($input: LinkDeviceInput!) { linkDevice(input: $input) { __typename } }", {
    input: { id, deviceId: `device of ${id}` },
  });
  await blacklist({ id, blacklisted: true, note: "watch" });
  await update({ id, update: { state: "Lagos" } });
}

const SCALARS = Object.keys(CUSTOMER_FIELDS)
  .filter((name) => !["consent", "blacklist", "history", "devices"].includes(name))
  .join(" ");
const EVERYTHING = `{
  ...All
  more: email
  again: blacklist { note }
  first: history(first: 1) { nodes { type } }
}`;
const ALL = `fragment All on Customer {
  ${SCALARS} redactedFields
  consent { source at textVersion }
  blacklist { reason note actor since expiresAt }
  devices { id deviceId linkedAt }
  history(first: 2) { nodes { version type actor at changedFields reason expiresAt } edges { cursor node { version } } pageInfo { hasNextPage endCursor } }
}`;

/** Runs a document without errors; what it read, and how often. */
async function run(document: string, variables: object = {}, as = key) {
  gateway.statements.length = 0;
  const { body } = await gateway.query(as, document.includes("...All") ? `${document} ${ALL}` : document, variables);
  expect(body.errors).toBeUndefined();
  return { data: body.data, reads: readsOf(gateway.statements) };
}

beforeEach(async () => {
  // The key itself is read at most once a second: not a part of what is counted.
  await run("{ viewer { mode } }");
});

const LISTS: Record<string, { document: string; reads: Record<string, number> }> = {
  nodes: {
    document: `query ($n: Int) { customers(first: $n) { nodes ${EVERYTHING} } }`,
    reads: { customer: 1, blacklist_entry: 1, customer_event: 1, device: 1 },
  },
  edges: {
    document: `query ($n: Int) { customers(last: $n) { edges { cursor node ${EVERYTHING} } pageInfo { hasPreviousPage startCursor } } }`,
    reads: { customer: 1, blacklist_entry: 1, customer_event: 1, device: 1 },
  },
  "nodes and edges under several names": {
    document: `query ($n: Int) { customers(first: $n) {
      nodes { id email } a: nodes { phone blacklist { reason } } b: nodes ${EVERYTHING}
      edges { node { id firstname } } c: edges { cursor node ${EVERYTHING} d: node { accountNumber version } }
      pageInfo { hasNextPage }
    } }`,
    reads: { customer: 1, blacklist_entry: 1, customer_event: 1, device: 1 },
  },
  "nodes and their count": {
    document: `query ($n: Int) { customers(first: $n) { totalCount nodes ${EVERYTHING} } }`,
    reads: { customer: 2, blacklist_entry: 1, customer_event: 1, device: 1 },
  },
  "a batch's customers": {
    document: `query ($n: Int) { batch(id: "${batches[0]}") { customerIds customers(first: $n) { nodes ${EVERYTHING} edges { node { email } } } } }`,
    reads: { batch: 1, customer: 1, blacklist_entry: 1, customer_event: 1, device: 1 },
  },
  batches: {
    document: `query ($n: Int) { batches(last: $n) { nodes {
      id customerIds failures { ...Failure } allFailures(first: 2) { nodes { ...Failure } edges { cursor } pageInfo { hasNextPage } }
      dataless: allFailures(first: 5, code: INVALID_DATA) { nodes { ...Failure } }
      customers(first: 100) { nodes ${EVERYTHING} }
    } edges { node { customers(first: 1) { totalCount edges { node { phrase } } } } } } }
    fragment Failure on BatchFailure { ... on BatchItemFailure { index code message } ... on ExistingCustomer { customerId } }`,
    reads: { batch: 1, batch_failure: 1, customer: 1, blacklist_entry: 1, customer_event: 1, device: 1 },
  },
};

test.each(Object.entries(LISTS))("%s: as many statements for all as for one", async (_name, { document, reads }) => {
  const most = document.includes("batches(") ? 50 : FULL;
  expect((await run(document, { n: 1 })).reads).toEqual(reads);
  const { data, reads: readsOfAll } = await run(document, { n: most });
  expect(readsOfAll).toEqual(reads);
  // It was the full answer that cost no more.
  const [list] = Object.values(data) as any[];
  expect((list.nodes ?? list.edges ?? list.customers.nodes).length).toBe(most);
  expect(JSON.stringify(data).split('"deviceId":"device of').length).toBeGreaterThan(document.includes("last: $n) { edges") ? 100 : 1);
  expect(JSON.stringify(data).split('"note":"watch"').length).toBeGreaterThan(document.includes("last: $n) { edges") ? 100 : 1);
});

describe("one customer", () => {
  test("by id is one statement", async () => {
    expect(
      (await run("query ($id: ID!) { customer(by: { id: $id }) { accountName email accountNumber redactedFields } }", { id: ids[0] }))
        .reads,
    ).toEqual({ customer: 1 });
    expect((await run("query ($id: ID!) { node(id: $id) { id ... on Customer { email } } }", { id: ids[0] })).reads).toEqual({
      customer: 1,
    });
  });

  test("under several names, by customer and by node, is one statement with the columns of all", async () => {
    const { data, reads } = await run(
      `query ($a: ID!, $b: ID!) {
        a: customer(by: { id: $a }) { email } b: customer(by: { id: $b }) { phone } again: customer(by: { id: $a }) { lastname }
        node(id: $b) { ... on Customer { firstname } } none: customer(by: { id: "${crypto.randomUUID()}" }) { state }
      }`,
      { a: ids[0], b: ids[1] },
    );
    expect(reads).toEqual({ customer: 1 });
    expect(data).toEqual({
      a: { email: "customer.0@example.com" },
      b: { phone: null },
      again: { lastname: "Last0" },
      node: { firstname: "First1" },
      none: null,
    });
    expect(columnsRead(gateway.statements, "customer")).toEqual([
      "bank_id",
      "email",
      "firstname",
      "id",
      "lastname",
      "mode",
      "phone",
      "state",
    ]);
  });

  test("that a write answers with is read once", async () => {
    const { reads } = await run(
      'mutation ($id: ID!) { updateCustomer(input: { id: $id, update: { state: "Kano" } }) { ... on Customer { email history { nodes { version } } } } }',
      { id: ids[2] },
    );
    expect(reads["customer_event"]).toBe(1);
  });
});

describe("columns", () => {
  const KEY = ["bank_id", "id", "mode"];

  test.each([
    ["{ customers { nodes { id } } }", ["created_at"]],
    ["{ customers { edges { cursor } } }", ["created_at"]],
    ["{ customers { pageInfo { endCursor } } }", ["created_at"]],
    ["{ customers(orderBy: { field: ACCOUNT_NAME, direction: ASC }) { nodes { id } } }", ["account_name_key"]],
    ["{ customers(orderBy: { field: UPDATED_AT, direction: ASC }) { nodes { id } } }", ["updated_at"]],
    ["{ customers { nodes { email phone @skip(if: true) } edges { node { country } } } }", ["country", "created_at", "email"]],
    ["{ customers { nodes { blacklisted } } }", ["blacklist_expires_at", "blacklisted", "created_at"]],
    ["{ customers { nodes { history { nodes { at } } blacklist { note } redactedFields __typename } } }", ["created_at"]],
    [
      "{ customers { nodes { ... on Node { id } ... on Customer { ...F } } } } fragment F on Customer { name: accountName gender @include(if: false) }",
      ["account_name", "created_at"],
    ],
    [`{ customer(by: { email: "customer.0@example.com" }) { country } }`, ["country"]],
    [`{ batch(id: "${batches[0]}") { customers { nodes { state } } } }`, ["state"]],
    [`{ node(id: "${ids[0]}") { id ... on BatchResult { customers { nodes { email } } } ... on Customer { phrase } } }`, ["phrase"]],
  ])("%s reads those and the key", async (document, columns) => {
    await run(document);
    expect(columnsRead(gateway.statements, "customer").filter((column) => !KEY.includes(column))).toEqual(columns);
    expect(columnsRead(gateway.statements, "customer")).toEqual(expect.arrayContaining(KEY));
  });

  test("a batch's ids are read only when they are asked for", async () => {
    await run(`{ batch(id: "${batches[0]}") { status summary { total } failures { __typename } } }`);
    expect(columnsRead(gateway.statements, "batch")).not.toContain("created_ids");
  });

  const OPEN = ["account_name", "bank_id", "country", "display_picture", "gender", "id", "mode", "phrase"];

  test.each([
    [
      "a list by name",
      `{ customers(orderBy: { field: ACCOUNT_NAME, direction: ASC }) { nodes ${EVERYTHING} edges { node ${EVERYTHING} } totalCount } }`,
      ["account_name_key"],
    ],
    // The default order's own key leaves the gateway only sealed in cursors.
    ["a list", `{ customers { nodes ${EVERYTHING} } }`, ["created_at"]],
    ["one by id", `{ customer(by: { id: "${ids[0]}" }) ${EVERYTHING} }`, []],
    ["one by e-mail", `{ customer(by: { email: "customer.0@example.com" }) ${EVERYTHING} }`, []],
    [
      "several by reference",
      `{ a: customer(by: { reference: "ref-0" }) ${EVERYTHING} b: customer(by: { reference: "ref-1" }) ${EVERYTHING} c: customer(by: { reference: "none" }) { id } }`,
      [],
    ],
    ["a node", `{ node(id: "${ids[0]}") { ... on Customer ${EVERYTHING} } }`, []],
  ])("no withheld column is read for a STANDARD key that asks for everything: %s", async (_name, document, orderKey) => {
    const { data } = await run(document, {}, standard);
    expect(JSON.stringify(data)).toContain('"ACCOUNT_NUMBER"');
    expect(columnsRead(gateway.statements, "customer")).toEqual([...OPEN, ...orderKey].sort());
    expect(Object.keys(readsOf(gateway.statements))).toEqual(["customer"]);
  });

  test("a STANDARD key still finds several customers by a value that it may not see, each its own", async () => {
    const { data, reads } = await run(
      '{ a: customer(by: { email: "customer.0@example.com" }) { id } b: customer(by: { email: "CUSTOMER.1@example.com" }) { id } c: customer(by: { email: "none@example.com" }) { id } }',
      {},
      standard,
    );
    expect(data).toEqual({ a: { id: ids[0] }, b: { id: ids[1] }, c: null });
    expect(reads).toEqual({ customer: 3 });
  });

  test("an EXTENDED key that lowers itself reads as STANDARD does, and one that does not reads no SENSITIVE column", async () => {
    const extended = await gateway.key({ scopes: ["customers:read:extended"] });
    const document = `{ customer(by: { id: "${ids[0]}" }) { ...All } } ${ALL}`;
    gateway.statements.length = 0;
    await gateway.query(extended, document, {}, { "x-visibility": "standard" });
    expect(columnsRead(gateway.statements, "customer")).toEqual(OPEN);
    gateway.statements.length = 0;
    await gateway.query(extended, document);
    expect(columnsRead(gateway.statements, "customer")).toEqual(expect.arrayContaining([...OPEN, "email", "created_at"]));
    expect(columnsRead(gateway.statements, "customer")).not.toContain("account_number");
    expect(Object.keys(readsOf(gateway.statements))).toEqual(["customer"]);
  });
});
