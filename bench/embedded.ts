import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { issueKey } from "../src/access/issue-key.ts";
import { SCOPES } from "../src/access/scopes.ts";
import { type App, buildApp } from "../src/app.ts";
import { testConfig } from "../test/support/config.ts";
import { batchRow } from "../test/support/customers.ts";
import { asker, inTurn } from "./in-turn.ts";

/**
 * What the embedded database is beside PostgreSQL: the same requests to a gateway on each, in turn. `DATABASE_URL=postgres://…
 * node bench/embedded.ts` needs an empty database and prints the ratio embedded/PostgreSQL of requests per second.
 */
const databaseUrl = process.env["DATABASE_URL"];
if (!databaseUrl) throw new Error("set DATABASE_URL to an empty PostgreSQL database");
const dataDir = mkdtempSync(join(tmpdir(), "customer-gateway-bench-"));
const apps = { postgresql: await buildApp(testConfig({ databaseUrl })), embedded: await buildApp(testConfig({ dataDir })) };

const CREATE =
  "mutation ($input: CreateCustomersBatchInput!) { createCustomersBatch(input: $input) { ... on BatchResult { createdCount customerIds } } }";
const ROWS = 500;
let made = 0;
const batch = () => ({ input: { customers: Array.from({ length: ROWS }, () => batchRow((made += 1))) } });

/** A bank with 5,000 customers, and what asks for it. */
async function fill(app: App) {
  const tenant = { id: "bench", kind: "BANK", name: "bench" } as const;
  const scopes = SCOPES.filter((scope) => scope !== "banks:manage");
  const ask = asker(app, (await issueKey(app.services.db, { tenant, mode: "SANDBOX", audience: "INTERNAL", scopes })).key);
  const ids: string[] = [];
  for (let number = 0; number < 10; number += 1) ids.push(...(await ask(CREATE, batch())).createCustomersBatch.customerIds);
  return { ask, ids };
}
const filled = { postgresql: await fill(apps.postgresql), embedded: await fill(apps.embedded) };
type Filled = (typeof filled)["embedded"];

const CASES: Record<string, [times: number, atOnce: number, way: (on: Filled, turn: number) => Promise<unknown>]> = {
  "one customer by id": [
    600,
    16,
    ({ ask, ids }, turn) => ask("query ($id: ID!) { customer(by: { id: $id }) { id accountName email } }", { id: ids[turn % ids.length] }),
  ],
  "50 customers with histories": [
    200,
    16,
    ({ ask }) => ask("{ customers(first: 50) { nodes { id accountName history(first: 5) { nodes { version type at } } } } }"),
  ],
  [`a batch of ${ROWS}`]: [6, 1, ({ ask }) => ask(CREATE, batch())],
};

for (const [name, [times, atOnce, way]] of Object.entries(CASES)) {
  const ways = {
    postgresql: (turn: number) => way(filled.postgresql, turn),
    embedded: (turn: number) => way(filled.embedded, turn),
  };
  const { postgresql, embedded } = await inTurn(ways, { rounds: 5, times, atOnce });
  const pace = (perSecond: number) => perSecond.toFixed(perSecond < 100 ? 1 : 0);
  console.log(
    `${name}: embedded/PostgreSQL ${embedded.ratio.toFixed(2)} (${pace(embedded.perSecond)}/s against ${pace(postgresql.perSecond)}/s)`,
  );
}
await Promise.all(Object.values(apps).map((app) => app.close()));
rmSync(dataDir, { recursive: true });
