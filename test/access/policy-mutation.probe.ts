/**
 * A program: looks, with the keys of others, for what is alpha's, in a copy of the sources from which a condition may
 * be missing; with row-level security and without. Prints {on, off}: what came out, and whether anything was changed.
 */
import { pino } from "pino";
import { buildApp } from "../../src/app.ts";
import { testConfig } from "../support/config.ts";
import type { Probe } from "./policy-mutation.plant.ts";

const probe = JSON.parse(process.argv[2]!) as Probe;
const { customerId, batchId, email, phrase, device, twinId, twinBatchId } = probe;

const CUSTOMER =
  "{ phrase accountName email clientRef version blacklist { actor } history { nodes { version actor } } devices { deviceId } }";
const BATCH =
  "{ customerIds customers { nodes { id accountName } } failures { ... on BatchItemFailure { clientRef } } allFailures { nodes { ... on BatchItemFailure { clientRef } } } }";
/** Made anew for each look: what is so already is not written again. */
const operations = () => [
  `{ node(id: "${customerId}") { ... on Customer ${CUSTOMER} } }`,
  `{ node(id: "${device}") { ... on Device { deviceId } } }`,
  `{ customer(by: { email: "${email}" }) ${CUSTOMER} }`,
  `{ customer(by: { phrase: "${phrase}" }) ${CUSTOMER} }`,
  `{ customer(by: { id: "${twinId}" }) ${CUSTOMER} }`,
  `{ customers(first: 100) { totalCount nodes ${CUSTOMER} } }`,
  `{ customers(filter: { ids: ["${customerId}"], search: "canary0" }) { nodes ${CUSTOMER} } }`,
  `{ batch(id: "${batchId}") ${BATCH} }`,
  `{ batch(id: "${twinBatchId}") ${BATCH} }`,
  `{ batches(first: 100) { nodes { id ${BATCH.slice(1)} } }`,
  `mutation { updateCustomer(input: { id: "${customerId}", expectedVersion: 1, update: { state: "Kano" } }) { __typename ... on VersionConflict { currentVersion } ... on Customer ${CUSTOMER} } }`,
  `mutation { setBlacklist(input: { id: "${customerId}", blacklisted: false, expectedVersion: 1 }) { __typename ... on VersionConflict { currentVersion } } }`,
  `mutation { updateCustomer(input: { id: "${twinId}", update: { state: "${crypto.randomUUID()}" } }) { __typename ... on Customer { phrase } } }`,
  // In conflict with a customer of one's own: which other customers have these keys?
  `mutation { createCustomersBatch(input: { customers: [{ clientRef: "own", firstname: "A", lastname: "B", accountName: "C", email: "${email}", country: "NG", accountNumber: "1234", reference: "new" }] }) {
    ... on BatchResult { failures { ... on ExistingCustomer { customerId } } } } }`,
];

async function look(rowLevelSecurity: boolean) {
  const app = await buildApp(testConfig({ databaseUrl: probe.databaseUrl, rowLevelSecurity }), { log: pino({ level: "silent" }) });
  try {
    const digest = () =>
      Promise.all(
        ["customer", "customer_event", "blacklist_entry", "batch", "batch_failure", "device"].map((table) =>
          app.services.db.$queryRawUnsafe(
            `SELECT md5(string_agg(t::text, '|' ORDER BY t::text)) AS digest FROM ${table} t WHERE bank_id = 'alpha' AND mode = 'SANDBOX'`,
          ),
        ),
      );
    const before = JSON.stringify(await digest());
    const leaks: string[] = [];
    for (const key of probe.keys) {
      for (const query of operations()) {
        const response = await app.fetch(
          new Request("http://gateway.test/graphql", {
            method: "POST",
            headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
            body: JSON.stringify({ query }),
          }),
        );
        const text = await response.text();
        if (response.status === 400) throw new Error(`the probe is wrong: ${text}`);
        leaks.push(...probe.canaries.filter((canary) => text.includes(canary)).map((canary) => `${canary} by ${query.slice(0, 60)}`));
      }
    }
    return { leaks, changed: JSON.stringify(await digest()) !== before };
  } finally {
    await app.close();
  }
}

const on = await look(true);
console.log(JSON.stringify({ on, off: await look(false) }));
