import { describe, expect, test } from "vitest";
import { batchRow, caller, dataOf } from "../../support/customers.ts";
import { openGateway, isCounter, withoutCost } from "../../support/gateway.ts";

const gateway = await openGateway();
const here = await gateway.key({ bank: "alpha" });
const STANDARD = { scopes: ["customers:read" as const] };
const callers = {
  "of the same bank and mode": here,
  "of another bank": await gateway.key({ bank: "beta" }),
  "of another mode": await gateway.key({ bank: "alpha", mode: "LIVE" }),
  "of another bank, STANDARD": await gateway.key({ bank: "beta", ...STANDARD }),
  "of another mode, STANDARD": await gateway.key({ bank: "alpha", mode: "LIVE", ...STANDARD }),
};

const { id: batchId, customerIds } = await caller(gateway, here).batch([batchRow(1), null]);
const [id] = customerIds;
const { phrase, email, reference, clientRef } = await caller(gateway, here).find({ id });
const KEYS = { id, email, phrase, reference, clientRef } as Record<string, string>;
const ABSENT: Record<string, string> = {
  id: crypto.randomUUID(),
  email: "absent@example.com",
  phrase: "no-such-phrase-here",
  reference: "ref-absent",
  clientRef: "client-absent",
};

const EVERYTHING = /* GraphQL */ `
  { id phrase accountName email accountNumber redactedFields history { nodes { version } } blacklist { reason } }
`;
const BY = `query ($by: CustomerBy!) { customer(by: $by) ${EVERYTHING} }`;
const NODE = `query ($id: ID!) { node(id: $id) { __typename id ... on Customer ${EVERYTHING} ... on BatchResult { status failures { __typename } customers { nodes { id } } } } }`;
const BATCH = "query ($id: ID!) { batch(id: $id) { id status summary { total } customerIds } }";

/** All that a client sees of an answer, byte for byte. */
async function bytes(key: string, query: string, variables: object) {
  const response = await gateway.send("/graphql", {
    method: "POST",
    headers: { authorization: `Bearer ${key}`, "content-type": "application/json", "x-request-id": "same" },
    body: JSON.stringify({ query, variables }),
  });
  return {
    status: response.status,
    headers: [...response.headers].filter(([name]) => name !== "date" && !isCounter(name)).sort(),
    body: withoutCost(await response.text()),
  };
}

test.each(Object.keys(KEYS))("a customer is found by its %s", async (by) => {
  expect(dataOf((await gateway.query(here, BY, { by: { [by]: KEYS[by] } })).body)).toMatchObject({
    id,
    email,
    accountNumber: "1000000001",
    redactedFields: [],
  });
  // Who may see no more than the name may still look for a value that it knows.
  const standard = dataOf((await gateway.query(await gateway.key(STANDARD), BY, { by: { [by]: KEYS[by] } })).body);
  expect(standard).toMatchObject({
    id,
    phrase,
    email: null,
    accountNumber: null,
    redactedFields: ["EMAIL", "ACCOUNT_NUMBER", "BLACKLIST", "HISTORY"],
  });
});

test("a customer is found by a key as people type it", async () => {
  const texts = [
    { id: id.toUpperCase() },
    { email: ` ${email.toUpperCase()} ` },
    { phrase: ` ${phrase} ` },
    { reference: ` ${reference}` },
    { clientRef: `${clientRef} ` },
  ];
  for (const by of texts) expect(dataOf((await gateway.query(here, BY, { by })).body)?.id, JSON.stringify(by)).toBe(id);
  expect(dataOf((await gateway.query(here, NODE, { id: id.toUpperCase() })).body).id).toBe(id);
});

describe.each(Object.entries(callers).slice(1))("a caller %s", (_who, key) => {
  test.each(Object.keys(KEYS))("gets for the %s, byte for byte, what it gets for one that nobody has", async (by) => {
    const foreign = await bytes(key, BY, { by: { [by]: KEYS[by] } });
    expect(foreign).toEqual(await bytes(key, BY, { by: { [by]: ABSENT[by] } }));
    expect(JSON.parse(foreign.body)).toEqual({ data: { customer: null }, extensions: expect.anything() });
  });

  test("gets nothing from node, for the customer as for one that does not exist", async () => {
    const foreign = await bytes(key, NODE, { id });
    expect(foreign).toEqual(await bytes(key, NODE, { id: ABSENT["id"] }));
    expect(JSON.parse(foreign.body).data).toEqual({ node: null });
  });

  test.each([
    ["node", NODE],
    ["batch", BATCH],
  ])("gets for the batch from %s what it gets for one that does not exist", async (_name, document) => {
    const foreign = await bytes(key, document, { id: batchId });
    expect(foreign).toEqual(await bytes(key, document, { id: `bat_${crypto.randomUUID()}` }));
    expect(foreign.body).not.toContain(batchId);
  });
});

test("node finds each type by its own id, and its own only", async () => {
  const find = async (global: string) => dataOf((await gateway.query(here, NODE, { id: global })).body);
  expect(await find(id)).toMatchObject({ __typename: "Customer", id, email });
  expect(await find(batchId)).toMatchObject({
    __typename: "BatchResult",
    id: batchId,
    status: "COMPLETED",
    customers: { nodes: [{ id }] },
  });
  // A batch's UUID names no customer, and a customer's no batch.
  expect(await find(batchId.slice(4))).toBeNull();
  expect(await find(`bat_${id}`)).toBeNull();
  expect(dataOf((await gateway.query(here, BATCH, { id })).body)).toBeNull();
});

const MALFORMED = [
  "",
  " ",
  "x",
  "_",
  "bat_",
  "bat",
  "bat_x",
  "cus_x",
  "__proto__",
  "constructor_x",
  "\0",
  "\uD800",
  "\u{1F600}",
  "a".repeat(10_000),
  "1",
  "null",
];

test.each([...MALFORMED, "id ", "-", "{id}", "bat_id", "_id", "BAT_batch"].map((text) => [text]))(
  "the malformed id %j finds nothing",
  async (text) => {
    const malformed = text.replace("batch", batchId.slice(4)).replace("id", text.includes("bat_") ? `${batchId.slice(4)}0` : id);
    const none = await bytes(here, NODE, { id: crypto.randomUUID() });
    expect(await bytes(here, NODE, { id: malformed })).toEqual(none);
    expect(dataOf((await gateway.query(here, BATCH, { id: malformed })).body)).toBeNull();
    expect(dataOf((await gateway.query(here, BY, { by: { id: malformed } })).body)).toBeNull();
  },
);

test.each(["email", "phrase", "reference", "clientRef"])("no text as %s is a fault", async (by) => {
  for (const text of [...MALFORMED, "%", "a@b", "@", "é@é.é", "a@\uD800", "'"]) {
    const { status, body } = await gateway.query(here, BY, { by: { [by]: text } });
    expect([status, body.data, body.errors], JSON.stringify(text.slice(0, 40))).toEqual([200, { customer: null }, undefined]);
  }
});

test("by takes exactly one key", async () => {
  for (const by of [{}, { id, email }, { id: null }, { id: null, email }, { name: "x" }]) {
    const { body } = await gateway.query(here, BY, { by });
    expect([...new Set(body.errors?.map(({ extensions }) => extensions.code))], JSON.stringify(by)).toEqual(["BAD_USER_INPUT"]);
  }
});
