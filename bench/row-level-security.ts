import { buildApp } from "../src/app.ts";
import { issueKey } from "../src/access/issue-key.ts";
import { SCOPES } from "../src/access/scopes.ts";
import { testConfig } from "../test/support/config.ts";
import { batchRow } from "../test/support/customers.ts";
import { asker, inTurn } from "./in-turn.ts";

/**
 * What row-level security costs on the hot reads: the same requests with it off and on, in turn, on one
 * database. `DATABASE_URL=postgres://… node bench/row-level-security.ts` needs an empty database and prints
 * the ratio on/off of requests per second.
 */
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
const ask = { off: asker(apps.off, key), on: asker(apps.on, key) };

const CREATE =
  "mutation ($input: CreateCustomersBatchInput!) { createCustomersBatch(input: $input) { ... on BatchResult { customerIds } } }";
const ids: string[] = [];
for (let batch = 0; batch < 10; batch++) {
  const customers = Array.from({ length: 500 }, (_, index) => batchRow(batch * 500 + index));
  ids.push(...(await ask.off(CREATE, { input: { customers } })).createCustomersBatch.customerIds);
}

const CASES: Record<string, (turn: number) => [string, object?]> = {
  "one customer by id": (turn) => [
    "query ($id: ID!) { customer(by: { id: $id }) { id accountName email } }",
    { id: ids[turn % ids.length] },
  ],
  "a page of 50": () => ["{ customers(first: 50) { nodes { id accountName email createdAt } } }"],
};

for (const [name, make] of Object.entries(CASES)) {
  const { off, on } = await inTurn({ off: (turn) => ask.off(...make(turn)), on: (turn) => ask.on(...make(turn)) });
  console.log(`${name}: on/off ${on.ratio.toFixed(2)} (${on.perSecond.toFixed(0)}/s against ${off.perSecond.toFixed(0)}/s)`);
}
await Promise.all(Object.values(apps).map((app) => app.close()));
