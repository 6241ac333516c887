import pg from "pg";
import { pino } from "pino";
import { afterEach, describe, expect, test, vi } from "vitest";
import { batchRow } from "../support/customers.ts";
import { openGateway } from "../support/gateway.ts";
import { CANARIES, OTHER_FORMS, PERSONAL, plantCanaries } from "./canary.customer.ts";

const ON_POSTGRES = process.env["TEST_ON"] === "postgres";
const FAILURES = 500;

const log: string[] = [];
const gateway = await openGateway({}, { log: pino({ level: "trace" }, { write: (line: string) => void log.push(line) }) });
const { id } = await plantCanaries(gateway);
const { db } = gateway.app.services;
// It writes what it may not read: whatever an error tells of a stored value, it tells too much.
const writer = await gateway.key({ scopes: ["customers:write", "customers:blacklist", "batches:write", "keys:manage"] });
const reader = await gateway.key({ scopes: ["customers:read:sensitive"] });

const { firstname, lastname, middlename, email, phone, address, state, clientRef, reference, accountNumber } = CANARIES;
const input = { firstname, lastname, middlename, email, phone, address, state, clientRef, reference, accountNumber };
const CREATE =
  "mutation ($input: CreateCustomerInput!) { createCustomer(input: $input) { __typename ... on Error { code message } ... on InvalidCustomerData { issues { field message } } } }";
const UPDATE =
  "mutation ($id: ID!, $update: CustomerUpdateInput!) { updateCustomer(input: { id: $id, update: $update }) { __typename ... on Error { code message } } }";
const BATCH =
  "mutation ($rows: [BatchCustomerInput]!) { createCustomersBatch(input: { customers: $rows }) { __typename ... on BatchResult { failures { __typename ... on BatchItemFailure { message } } } } }";

const count = { faults: 0, refusals: 0 };

/** Sends what must fail, and holds the answer to saying nothing. */
async function fail(key: string, document: string, variables: object, expected: RegExp): Promise<void> {
  const { body } = await gateway.query(key, document, variables);
  const text = JSON.stringify(body);
  expect(text).toMatch(expected);
  for (const canary of [...PERSONAL, ...OTHER_FORMS]) expect(text).not.toContain(canary);
  if (/INTERNAL_SERVER_ERROR|UNAVAILABLE|TIMEOUT/.test(text)) count.faults += 1;
  else count.refusals += 1;
}

const FAULT = /"(INTERNAL_SERVER_ERROR|UNAVAILABLE|TIMEOUT)"/;

/** Every kind of work that touches a customer. */
const WORK: [key: string, document: string, variables: object][] = [
  [reader, `query ($email: String!) { customer(by: { email: $email }) { email accountNumber blacklist { note } } }`, { email }],
  [
    reader,
    `query ($f: CustomerFilter) { customers(filter: $f) { totalCount nodes { firstname history { nodes { actor } } } } }`,
    { f: { emails: [email], references: [reference], clientRefs: [clientRef] } },
  ],
  [reader, `query ($id: ID!) { node(id: $id) { ... on Customer { phone address } } }`, { id }],
  [writer, CREATE, { input: { ...input, email: "other@example.com", clientRef: "other", reference: "other" } }],
  [writer, UPDATE, { id, update: { middlename: "Other", address: "Other" } }],
  [writer, BATCH, { rows: [{ ...batchRow(9), ...input, email: "third@example.com", clientRef: "third", reference: "third" }] }],
  [
    writer,
    `mutation ($id: ID!, $note: String) { setBlacklist(input: { id: $id, blacklisted: true, note: $note }) { __typename } }`,
    { id, note: `${CANARIES.blacklist} 2` },
  ],
];

afterEach(() => {
  // oxlint-disable-next-line vitest/no-standalone-expect -- what holds after every test
  for (const canary of [...PERSONAL, ...OTHER_FORMS]) expect(log.filter((line) => line.includes(canary))).toEqual([]);
});

test("input of every wrong kind", async () => {
  const wrong: unknown[] = [PERSONAL, { [state]: state }, 7319462850, true, [[email]], { firstname: { email } }];
  for (const value of wrong) {
    for (const field of Object.keys(input)) {
      await fail(writer, CREATE, { input: { ...input, [field]: value } }, /BAD_USER_INPUT|InvalidCustomerData/);
      await fail(writer, BATCH, { rows: [{ ...input, [field]: value }] }, /BAD_USER_INPUT/);
    }
    await fail(writer, UPDATE, { id: value === true ? [value] : value, update: { email: value } }, /BAD_USER_INPUT/);
    await fail(reader, "query ($by: CustomerBy!) { customer(by: $by) { id } }", { by: { email: value, phrase: state } }, /BAD_USER_INPUT/);
    await fail(
      reader,
      "query ($f: CustomerFilter) { customers(filter: $f) { totalCount } }",
      { f: { genders: [value], createdAt: { from: value } } },
      /BAD_USER_INPUT/,
    );
  }
  // Over every limit, and with what a column cannot hold.
  for (const [field, text] of Object.entries(input)) {
    await fail(writer, CREATE, { input: { ...input, [field]: `${text}\u0000` } }, /InvalidCustomerData/);
    await fail(writer, CREATE, { input: { ...input, [field]: text.repeat(300) } }, /InvalidCustomerData/);
  }
  await fail(reader, "query ($after: String) { customers(after: $after) { totalCount } }", { after: email }, /BAD_CURSOR/);
});

test("a taken key, and a constraint whose violation quotes the whole row", async () => {
  await fail(writer, CREATE, { input }, /CustomerAlreadyExists/);
  await fail(writer, BATCH, { rows: [{ ...batchRow(9), ...input }] }, /ExistingCustomer/);
  // Another phone: this one's is on the blacklist.
  const others = { ...input, phone: "+2348039999999" };
  const created = await gateway.query(writer, CREATE, {
    input: { ...others, email: "fourth@example.com", clientRef: "fourth", reference: "fourth" },
  });
  expect(created.body.data.createCustomer.__typename).toBe("Customer");
  const fourth = (await db.customer.findFirstOrThrow({ where: { email: "fourth@example.com" } })).id;
  await fail(writer, UPDATE, { id: fourth, update: { email } }, /CustomerAlreadyExists/);
  await db.$executeRaw`CREATE UNIQUE INDEX once ON customer (middlename) WHERE middlename = 'Other'`;
  await gateway.query(writer, UPDATE, { id: fourth, update: { middlename: "Other" } });
  await db.$executeRaw`ALTER TABLE customer ADD CONSTRAINT forced CHECK (address <> 'Zqaddress 2') NOT VALID`;
  for (let round = 0; round < 40; round += 1) {
    await fail(
      writer,
      CREATE,
      { input: { ...others, email: `f${round}@example.com`, clientRef: `f${round}`, reference: `f${round}`, address: "Zqaddress 2" } },
      FAULT,
    );
    await fail(
      writer,
      BATCH,
      { rows: [{ ...batchRow(9), ...others, email: "g@example.com", clientRef: "g", reference: "g", address: "Zqaddress 2" }] },
      FAULT,
    );
    await fail(writer, UPDATE, { id, update: { address: "Zqaddress 2" } }, FAULT);
  }
  await fail(writer, UPDATE, { id, update: { middlename: "Other" } }, /CustomerAlreadyExists|INTERNAL/);
});

test("a table that is gone", async () => {
  await db.$executeRaw`ALTER TABLE customer RENAME TO away`;
  for (let round = 0; round < 40; round += 1) for (const [key, document, variables] of WORK) await fail(key, document, variables, FAULT);
  await db.$executeRaw`ALTER TABLE away RENAME TO customer`;
});

describe.runIf(ON_POSTGRES)("a server that fails", () => {
  test("statements that are cancelled, and connections that are cut, midway", { timeout: 240_000 }, async () => {
    const other = new pg.Client({ connectionString: gateway.config.databaseUrl! });
    other.on("error", () => {});
    await other.connect();
    try {
      for (const end of ["pg_cancel_backend", "pg_terminate_backend"]) {
        for (let round = 0; round < 2; round += 1) {
          await other.query("BEGIN; LOCK TABLE customer IN ACCESS EXCLUSIVE MODE");
          // 57014 is also what a statement that takes too long ends with.
          const answers = Promise.all(WORK.map(([key, document, variables]) => fail(key, document, variables, FAULT)));
          const stop = () =>
            other.query(
              `SELECT ${end}(pid) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock' AND pid <> pg_backend_pid()`,
            );
          const stopping = setInterval(() => void stop(), 20);
          await answers.finally(() => clearInterval(stopping));
          await other.query("ROLLBACK");
        }
      }
    } finally {
      await other.end();
    }
    await vi.waitFor(
      async () => expect((await gateway.query(reader, `{ customer(by: { id: "${id}" }) { id } }`)).body.data.customer).toEqual({ id }),
      10_000,
    );
  });
});

test(`${FAILURES} failures in all, each in the log without a value`, () => {
  expect(count.faults + count.refusals).toBeGreaterThanOrEqual(FAILURES);
  expect(log.filter((line) => line.includes("internal fault")).length).toBeGreaterThanOrEqual(FAILURES / 2);
});
