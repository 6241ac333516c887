import { randomBytes, randomUUID } from "node:crypto";
import { issueKey } from "../src/access/issue-key.ts";
import { SCOPES } from "../src/access/scopes.ts";
import { buildApp } from "../src/app.ts";
import { testConfig } from "../test/support/config.ts";
import { batchRow } from "../test/support/customers.ts";

/**
 * Whether time tells another bank's from what does not exist, and a known key from an unknown one: pairs of requests
 * in random order, one at a time. `DATABASE_URL=postgres://… node bench/not-found.ts` needs an empty database and prints
 * for each pair both medians and Welch's t of the faster 90 %: below 4.5, the bound of dudect, nothing can be told.
 */
const SAMPLES = 3000;

const databaseUrl = process.env["DATABASE_URL"];
if (!databaseUrl) throw new Error("set DATABASE_URL to an empty PostgreSQL database");
const app = await buildApp(testConfig({ databaseUrl }));
const keyOf = async (id: string) =>
  (
    await issueKey(app.services.db, {
      tenant: { id, kind: "BANK", name: id },
      mode: "SANDBOX",
      audience: "INTERNAL",
      scopes: SCOPES.filter((scope) => scope !== "banks:manage"),
    })
  ).key;
const own = await keyOf("own");
const foreign = await keyOf("foreign");

async function send(key: string, query: string, variables: object): Promise<any> {
  const response = await app.fetch(
    new Request("http://bench/graphql", {
      method: "POST",
      headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
      body: JSON.stringify({ query, variables }),
    }),
  );
  return response.json();
}

const BATCH =
  "mutation ($input: CreateCustomersBatchInput!) { createCustomersBatch(input: $input) { ... on BatchResult { id customerIds } } }";
const customers = Array.from({ length: 500 }, (_, index) => batchRow(index));
const theirs = (await send(foreign, BATCH, { input: { customers } })).data.createCustomersBatch as { id: string; customerIds: string[] };
const anyOf = <Item>(items: readonly Item[]) => items[Math.floor(Math.random() * items.length)]!;

const BY_ID = "query ($id: ID!) { customer(by: { id: $id }) { accountName } }";
const BY_EMAIL = "query ($email: String!) { customer(by: { email: $email }) { accountName } }";
const UPDATE = 'mutation ($id: ID!) { updateCustomer(input: { id: $id, update: { state: "x" } }) { __typename } }';
const BATCH_BY_ID = "query ($id: ID!) { batch(id: $id) { status } }";
const secret = () => randomBytes(20).toString("hex");

/** A pair: what is another's, and what is nobody's. */
const PAIRS: Record<string, [there: () => Promise<unknown>, nowhere: () => Promise<unknown>]> = {
  "customer by id": [() => send(own, BY_ID, { id: anyOf(theirs.customerIds) }), () => send(own, BY_ID, { id: randomUUID() })],
  "customer by e-mail": [
    () => send(own, BY_EMAIL, { email: anyOf(customers).email }),
    () => send(own, BY_EMAIL, { email: `customer.${1000 + Math.floor(Math.random() * 9000)}@example.com` }),
  ],
  updateCustomer: [() => send(own, UPDATE, { id: anyOf(theirs.customerIds) }), () => send(own, UPDATE, { id: randomUUID() })],
  batch: [() => send(own, BATCH_BY_ID, { id: theirs.id }), () => send(own, BATCH_BY_ID, { id: `bat_${randomUUID()}` })],
  "a malformed key": [
    () => send(`cgw_sandbox_${randomBytes(8).toString("hex")}`, BY_ID, { id: randomUUID() }),
    () => send(`cgw_sandbox_${randomBytes(8).toString("hex")}_${secret()}`, BY_ID, { id: randomUUID() }),
  ],
  "a key's wrong secret": [
    () => send(`${own.slice(0, -40)}${secret()}`, BY_ID, { id: randomUUID() }),
    () => send(`cgw_sandbox_${"f".repeat(16)}_${secret()}`, BY_ID, { id: randomUUID() }),
  ],
};

for (const [name, pair] of Object.entries(PAIRS)) {
  const times: [number[], number[]] = [[], []];
  for (let index = 0; index < 2 * SAMPLES + 200; index++) {
    const which = Math.random() < 0.5 ? 0 : 1;
    const started = performance.now();
    await pair[which]();
    if (index >= 200) times[which].push(performance.now() - started);
  }
  const [there, nowhere] = times.map((all) => all.sort((a, b) => a - b).slice(0, Math.floor(all.length * 0.9))) as [number[], number[]];
  console.log(`${name}: ${median(there).toFixed(3)} ms and ${median(nowhere).toFixed(3)} ms, t ${welch(there, nowhere).toFixed(1)}`);
}
await app.close();

function median(sorted: readonly number[]): number {
  return sorted[Math.floor(sorted.length / 2)]!;
}

function welch(one: readonly number[], other: readonly number[]): number {
  const facts = [one, other].map((all) => {
    const mean = all.reduce((sum, time) => sum + time, 0) / all.length;
    return { mean, error: all.reduce((sum, time) => sum + (time - mean) ** 2, 0) / (all.length - 1) / all.length };
  }) as [{ mean: number; error: number }, { mean: number; error: number }];
  return (facts[0].mean - facts[1].mean) / Math.sqrt(facts[0].error + facts[1].error);
}
