import { Disclosed } from "../src/audit/disclosed.ts";
import { buildApp } from "../src/app.ts";
import { issueKey } from "../src/access/issue-key.ts";
import { SCOPES } from "../src/access/scopes.ts";
import { testConfig } from "../test/support/config.ts";
import { batchRow } from "../test/support/customers.ts";

/**
 * What the audit costs a read: the same requests with it and without, in turn, on one database.
 * `DATABASE_URL=postgres://… node bench/audit.ts` needs an empty database and prints the ratio with/without of
 * this process's CPU time a request, as the median of the rounds: on a busy machine it varies less than time does. Every request reads EXTENDED fields, so every one is noted.
 */
const ROUNDS = 31;
const REQUESTS = 600;
const CONCURRENCY = 16;

const databaseUrl = process.env["DATABASE_URL"];
if (!databaseUrl) throw new Error("set DATABASE_URL to an empty PostgreSQL database");
const app = await buildApp(testConfig({ databaseUrl, rowLevelSecurity: false }));
const { key } = await issueKey(app.services.db, {
  tenant: { id: "bench", kind: "BANK", name: "bench" },
  mode: "SANDBOX",
  audience: "INTERNAL",
  scopes: SCOPES.filter((scope) => scope !== "banks:manage"),
});

async function run(query: string, variables: object): Promise<any> {
  const response = await app.fetch(
    new Request("http://bench/graphql", {
      method: "POST",
      headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
      body: JSON.stringify({ query, variables }),
    }),
  );
  const { data, errors } = (await response.json()) as { data: any; errors?: unknown };
  if (errors) throw new Error(JSON.stringify(errors));
  return data;
}

const CREATE =
  "mutation ($input: CreateCustomersBatchInput!) { createCustomersBatch(input: $input) { ... on BatchResult { customerIds } } }";
const customers = Array.from({ length: 500 }, (_, index) => batchRow(index));
const ids: string[] = (await run(CREATE, { input: { customers } })).createCustomersBatch.customerIds;

const CASES: Record<string, (index: number) => [string, object]> = {
  "one customer by id": (index) => [
    "query ($id: ID!) { customer(by: { id: $id }) { id accountName email } }",
    { id: ids[index % ids.length] },
  ],
  "a page of 50": () => ["{ customers(first: 50) { nodes { id accountName email phone state address createdAt } } }", {}],
};

const audited = { show: Disclosed.prototype.show, ask: Disclosed.prototype.ask };
const without = { show: () => {}, ask: () => {} };

/** CPU milliseconds a request. */
async function cost(make: (index: number) => [string, object]): Promise<number> {
  let next = 0;
  const started = process.cpuUsage();
  await Promise.all(
    Array.from({ length: CONCURRENCY }, async () => {
      while (next < REQUESTS) await run(...make(next++));
    }),
  );
  const { user, system } = process.cpuUsage(started);
  return (user + system) / 1000 / REQUESTS;
}

for (const [name, make] of Object.entries(CASES)) {
  const ratios: number[] = [];
  for (let round = -1; round < ROUNDS; round++) {
    Object.assign(Disclosed.prototype, without);
    const off = await cost(make);
    Object.assign(Disclosed.prototype, audited);
    const on = await cost(make);
    if (round >= 0) ratios.push(on / off);
  }
  const [low, median, high] = [0.25, 0.5, 0.75].map((part) =>
    ratios.toSorted((one, two) => one - two)[Math.floor(ratios.length * part)]!.toFixed(3),
  );
  console.log(`${name}: with/without ${median} (half of the rounds from ${low} to ${high})`);
}
await app.close();
