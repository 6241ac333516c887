import pg from "pg";
import { afterAll, describe, expect, it } from "vitest";
import { person } from "../support/customers.ts";
import { openGateway } from "../support/gateway.ts";

const LIMIT_MS = 1500;
const gateway = await openGateway({ requestTimeoutMs: LIMIT_MS });
const { db } = gateway.app.services;
const key = await gateway.key();
const { databaseUrl } = gateway.config;

const READ = "{ customers { nodes { id } } }";
const CREATE = `mutation ($input: CreateCustomerInput!) { createCustomer(input: $input) { __typename } }`;
const tooLate = { status: 504, body: { errors: [{ extensions: { code: "TIMEOUT" } }] } };

const slowDown = `CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(5); RETURN NULL; END $$`;
const SLOW_EVENTS = "CREATE TRIGGER slow AFTER INSERT ON customer_event FOR EACH STATEMENT EXECUTE FUNCTION slow()";

it("a mutation over its time is answered with TIMEOUT and rolled back; the embedded database ends its statement first", async () => {
  await db.$executeRawUnsafe(slowDown);
  await db.$executeRawUnsafe(SLOW_EVENTS);
  expect(await gateway.query(key, CREATE, { input: person("ada") })).toMatchObject(tooLate);
  expect(await db.customer.count({ where: { bankId: "alpha" } })).toBe(0);
  await db.$executeRawUnsafe("DROP TRIGGER slow ON customer_event");
  const { body } = await gateway.query(key, CREATE, { input: person("ada") });
  expect(body.data).toEqual({ createCustomer: { __typename: "Customer" } });
});

describe.skipIf(databaseUrl === null)("on PostgreSQL", () => {
  const other = new pg.Client({ connectionString: databaseUrl! });
  afterAll(() => other.end());

  it("nothing of what waited too long goes on, and no other request meets its cancel", async () => {
    await other.connect();
    await other.query("BEGIN; LOCK TABLE customer");
    const answers = await Promise.all([gateway.query(key, READ), gateway.query(key, CREATE, { input: person("eve") })]);
    for (const answer of answers) expect(answer).toMatchObject(tooLate);
    const { rows } = await other.query(
      "SELECT state, query FROM pg_stat_activity WHERE datname = current_database() AND (wait_event_type = 'Lock' OR state LIKE 'idle in%')",
    );
    expect(rows.filter(({ state, query }) => state !== "active" || !String(query).includes("pg_stat_activity"))).toEqual([]);
    await other.query("COMMIT");
    for (let n = 0; n < 20; n++) expect((await gateway.query(key, READ)).body.data.customers.nodes).toHaveLength(1);
  });
});
