import pg from "pg";
import { buildApp } from "../src/app.ts";
import { issueKey } from "../src/access/issue-key.ts";
import { testConfig } from "../test/support/config.ts";
import { batchRow } from "../test/support/customers.ts";
import { asker, median } from "./in-turn.ts";

/**
 * What a batch of 500 takes beside the one statement in it that inserts the customers: reading and checking the input, encrypting,
 * the history, the audit, the answer. `DATABASE_URL=postgres://… node bench/batch.ts` needs an empty database.
 */
const ROUNDS = 60;
const WARM = 20;
const ROWS = 500;

const databaseUrl = process.env["DATABASE_URL"];
if (!databaseUrl) throw new Error("set DATABASE_URL to an empty PostgreSQL database");

/** How long statements took that insert customers, in milliseconds: from when pg is given one to its end. */
let inserting = 0;
const original = pg.Client.prototype.query as (...all: unknown[]) => unknown;
pg.Client.prototype.query = function (this: pg.Client, ...all: any[]) {
  const [statement] = all as [string | { text: string }];
  if (!/INSERT INTO "?customer"?[\s(]/.test(typeof statement === "string" ? statement : statement.text)) return original.apply(this, all);
  const begun = performance.now();
  const end = () => (inserting += performance.now() - begun);
  const callback: unknown = all.at(-1);
  if (typeof callback === "function") {
    return original.call(
      this,
      ...all.slice(0, -1),
      (...results: unknown[]) => (end(), (callback as (...results: unknown[]) => void)(...results)),
    );
  }
  return (original.apply(this, all) as Promise<unknown>).finally(end);
} as never;

const app = await buildApp(testConfig({ databaseUrl }));
const { key } = await issueKey(app.services.db, {
  tenant: { id: "bench", kind: "BANK", name: "bench" },
  mode: "SANDBOX",
  audience: "INTERNAL",
  scopes: ["batches:write"],
});
const ask = asker(app, key);
const CREATE =
  "mutation ($input: CreateCustomersBatchInput!) { createCustomersBatch(input: $input) { ... on BatchResult { createdCount } } }";

const rounds: { whole: number; inserting: number }[] = [];
for (let round = 0; round < WARM + ROUNDS; round += 1) {
  const customers = Array.from({ length: ROWS }, (_, row) => batchRow(round * ROWS + row));
  inserting = 0;
  const begun = performance.now();
  const { createCustomersBatch } = await ask(CREATE, { input: { customers } });
  const whole = performance.now() - begun;
  if (createCustomersBatch.createdCount !== ROWS || inserting === 0) throw new Error(JSON.stringify(createCustomersBatch));
  if (round >= WARM) rounds.push({ whole, inserting });
}
const of = (value: (round: { whole: number; inserting: number }) => number) => median(rounds.map(value));
console.log(
  `a batch of ${ROWS}: ${of(({ whole, inserting: alone }) => whole / alone).toFixed(2)} times its INSERT ` +
    `(${of(({ whole }) => whole).toFixed(0)} ms, ${of(({ inserting: alone }) => alone).toFixed(0)} of them the INSERT)`,
);
await app.close();
