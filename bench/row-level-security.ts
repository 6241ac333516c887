import { buildApp } from "../src/app.ts";
import { issueKey } from "../src/access/issue-key.ts";
import { SCOPES } from "../src/access/scopes.ts";
import { testConfig } from "../test/support/config.ts";
import { batchRow } from "../test/support/customers.ts";

/**
 * What row-level security costs on the hot reads: the same requests with it on and off, in turn, on one
 * database. `DATABASE_URL=postgres://… node bench/row-level-security.ts` needs an empty database and prints
 * the ratio on/off of requests per second, as the median of the rounds.
 */
const ROUNDS = 7;
const REQUESTS = 600;
const CONCURRENCY = 16;

const databaseUrl = process.env["DATABASE_URL"];
if (!databaseUrl) throw new Error("set DATABASE_URL to an empty PostgreSQL database");
const open = (rowLevelSecurity: boolean) => buildApp(testConfig({ databaseUrl, rowLevelSecurity }));
const apps = { off: await open(false), on: await open(true) };
const { key } = await issueKey(apps.off.services.db, {
  tenant: { id: "bench", kind: "BANK", name: "bench" },
  mode: "SANDBOX",
  audience: "INTERNAL",
  scopes: SCOPES.filter((scope) => scope !== "banks:manage"),
});

async function run(app: keyof typeof apps, query: string, variables: object): Promise<any> {
  const response = await apps[app].fetch(
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
const ids: string[] = [];
for (let batch = 0; batch < 10; batch++) {
  const customers = Array.from({ length: 500 }, (_, index) => batchRow(batch * 500 + index));
  ids.push(...(await run("off", CREATE, { input: { customers } })).createCustomersBatch.customerIds);
}

const CASES: Record<string, (index: number) => [string, object]> = {
  "one customer by id": (index) => [
    "query ($id: ID!) { customer(by: { id: $id }) { id accountName email } }",
    { id: ids[index % ids.length] },
  ],
  "a page of 50": () => ["{ customers(first: 50) { nodes { id accountName email createdAt } } }", {}],
};

async function rate(app: keyof typeof apps, make: (index: number) => [string, object]): Promise<number> {
  let next = 0;
  const started = performance.now();
  await Promise.all(
    Array.from({ length: CONCURRENCY }, async () => {
      while (next < REQUESTS) await run(app, ...make(next++));
    }),
  );
  return (REQUESTS * 1000) / (performance.now() - started);
}

for (const [name, make] of Object.entries(CASES)) {
  const ratios: number[] = [];
  const rates: Record<keyof typeof apps, number[]> = { off: [], on: [] };
  for (let round = -1; round < ROUNDS; round++) {
    const off = await rate("off", make);
    const on = await rate("on", make);
    if (round < 0) continue;
    rates.off.push(off);
    rates.on.push(on);
    ratios.push(on / off);
  }
  console.log(`${name}: on/off ${median(ratios).toFixed(2)} (${median(rates.on).toFixed(0)}/s against ${median(rates.off).toFixed(0)}/s)`);
}
await Promise.all(Object.values(apps).map((app) => app.close()));

function median(numbers: number[]): number {
  return [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)]!;
}
