import { expect, test } from "vitest";
import { BATCH, batchRow, caller, CREATE, dataOf, person } from "../support/customers.ts";
import { openGateway } from "../support/gateway.ts";

const gateway = await openGateway();
const { db } = gateway.app.services;

const rows = (...numbers: number[]) => numbers.map((number) => batchRow(number));
const stored = (bankId: string) => db.customer.count({ where: { bankId } });

test("the header means what the input's key means; when they differ, nothing is written", async () => {
  const key = await gateway.key({ bank: "header" });
  const byHeader = caller(gateway, key, { "Idempotency-Key": "k-1" });
  const first = await byHeader.batch(rows(1));
  expect(await caller(gateway, key).batch(rows(1), { idempotencyKey: "k-1" })).toEqual({ ...first, replayed: true });
  expect(await byHeader.batch(rows(1), { idempotencyKey: "k-1" })).toEqual({ ...first, replayed: true });
  const { body } = await gateway.query(key, BATCH, { input: { customers: rows(2), idempotencyKey: "k-2" } }, { "Idempotency-Key": "k-1" });
  expect(body.errors).toMatchObject([{ extensions: { code: "BAD_USER_INPUT" } }]);
  for (const header of ["", "k".repeat(256)]) {
    const refused = await gateway.query(key, BATCH, { input: { customers: rows(2) } }, { "Idempotency-Key": header });
    expect(refused.body.errors).toMatchObject([{ extensions: { code: "BAD_USER_INPUT" } }]);
  }
  expect(await stored("header")).toBe(1);
});

test("a header that meets several keyed mutations is refused, and none of them runs", async () => {
  const key = await gateway.key({ bank: "several" });
  const documents = [
    `mutation ($one: CreateCustomerInput!, $two: CreateCustomerInput!) {
      a: createCustomer(input: $one) { __typename }
      b: createCustomer(input: $two) { __typename }
    }`,
    `mutation ($one: CreateCustomerInput!, $rows: CreateCustomersBatchInput!) { ...Both }
    fragment Both on Mutation {
      createCustomersBatch(input: $rows) { __typename }
      ... on Mutation { createCustomer(input: $one) { __typename } }
    }`,
  ];
  const variables = { one: person("one"), two: person("two"), rows: { customers: rows(1) } };
  for (const document of documents) {
    const { body } = await gateway.query(key, document, variables, { "Idempotency-Key": "k" });
    expect([body.data, body.errors]).toEqual([undefined, [expect.objectContaining({ extensions: { code: "BAD_USER_INPUT" } })]]);
    expect(await stored("several")).toBe(0);
  }
  // One that is skipped does not count, nor does one that takes no key.
  const one = `mutation ($one: CreateCustomerInput!, $two: CreateCustomerInput!) {
    a: createCustomer(input: $one) { __typename }
    b: createCustomer(input: $two) @skip(if: true) { __typename }
    c: updateCustomer(input: { id: "none", update: {} }) { __typename }
  }`;
  const { body } = await gateway.query(key, one, variables, { "Idempotency-Key": "k" });
  expect(body).toMatchObject({ data: { a: { __typename: "Customer" }, c: { __typename: "CustomerNotFound" } } });
});

test("nor does what stands before them, whatever is wrong with the header", async () => {
  const key = await gateway.key({ bank: "before" });
  const { id } = await caller(gateway, key).create(person("before"));
  const blacklist =
    "mutation ($id: ID!, $rows: CreateCustomersBatchInput!) { setBlacklist(input: { id: $id, blacklisted: true }) { __typename }";
  const batch = "createCustomersBatch(input: $rows) { __typename }";
  const send = (rest: string, header: string) =>
    gateway.query(
      key,
      `${blacklist} ${rest} }`,
      { id, rows: { customers: rows(1), idempotencyKey: "own" } },
      { "Idempotency-Key": header },
    );
  for (const [rest, header] of [
    [batch, "other"],
    [`${batch} again: ${batch}`, "own"],
    [batch, "k".repeat(256)],
  ] as const) {
    const { body } = await send(rest, header);
    expect([body.data, body.errors]).toEqual([undefined, [expect.objectContaining({ extensions: { code: "BAD_USER_INPUT" } })]]);
  }
  expect(await db.customer.findMany({ where: { bankId: "before" }, select: { blacklisted: true } })).toEqual([{ blacklisted: false }]);
  expect((await send(batch, "own")).body.data).toMatchObject({ setBlacklist: { __typename: "Customer" } });
});

test("a key belongs to one bank, one mode and one mutation", async () => {
  const places = [{ bank: "place-a" }, { bank: "place-b" }, { bank: "place-a", mode: "LIVE" as const }];
  for (const place of places) {
    const { batch, create } = caller(gateway, await gateway.key(place));
    expect(await batch(rows(1), { idempotencyKey: "k" })).toMatchObject({ replayed: false, createdCount: 1 });
    expect(await create({ ...person("same"), idempotencyKey: "k" })).toMatchObject({ __typename: "Customer" });
  }
  expect(await stored("place-a")).toBe(4);
});

test.each([
  ["empty", "", false],
  ["one character", "k", true],
  ["255 characters", "k".repeat(255), true],
  ["255 characters of four bytes", "😀".repeat(255), true],
  ["256 characters", "k".repeat(256), false],
  ["NUL", "a\0b", false],
  ["a line break", "a\nb", false],
  ["a lone surrogate", "a\ud800b", false],
  ["right-to-left", "مفتاح", true],
])("a key: %s", async (name, idempotencyKey, accepted) => {
  const key = await gateway.key({ bank: `keys-${name.replaceAll(" ", "-")}` });
  for (const replayed of [false, true]) {
    const { body, status } = await gateway.query(key, BATCH, { input: { customers: rows(1), idempotencyKey } });
    expect(status).toBe(200);
    if (accepted) expect(dataOf(body).replayed).toBe(replayed);
    else expect(body.errors).toMatchObject([{ extensions: { code: "BAD_USER_INPUT" } }]);
  }
  const { body } = await gateway.query(key, CREATE, { input: { ...person("key"), idempotencyKey } });
  expect(body.errors === undefined).toBe(accepted);
});
