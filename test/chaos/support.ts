import { Cluster } from "../support/cluster.ts";
import type { Outcome } from "../support/load.ts";
import { POSTGRESQL_BIN } from "../support/environment.ts";
import { type Env, freshDir, type GatewayProcess, keyFor, startGateway } from "../support/process.ts";

/** Whether these tests run: each starts a PostgreSQL of its own. */
export const CHAOS = POSTGRESQL_BIN !== undefined;

/** `npm run test:chaos` runs each in full; CI in a short form. */
export const FULL = process.env["CHAOS"] === "full";

/** Limits of time are judged to the letter in full; in CI, whose machine may be busy with others, three times as wide. */
export const SLACK = FULL ? 1 : 3;

export const A_SECOND = 200;

/** A gateway in a process of its own, on a database that a test may do anything to. */
export interface Site {
  readonly cluster: Cluster;
  readonly gateway: GatewayProcess;
  readonly env: Env;
  readonly key: string;
}

export async function openSite(variables: Env = {}, dir?: string): Promise<Site> {
  const cluster = await Cluster.start(dir);
  const env = {
    DATA_DIR: freshDir(),
    DATABASE_URL: cluster.url,
    GATEWAY_KEYRING: Buffer.alloc(32, 7).toString("base64"),
    RATE_LIMIT_POINTS: "2000000000",
    LOOKUP_LIMIT: "2000000000",
    ...variables,
  };
  const gateway = await startGateway(env);
  return { cluster, gateway, env, key: await keyFor(env) };
}

export const READ = { query: "{ customers(first: 5) { nodes { id accountName } } }" };

/** Registers one whom nobody else is; `reference` is how it is found again. */
export function create(reference: string) {
  return {
    query: "mutation ($input: CreateCustomerInput!) { createCustomer(input: $input) { __typename } }",
    variables: { input: { firstname: "Ada", lastname: "Obi", email: `${reference}@example.com`, country: "NG", reference } },
  };
}

/** One write to four reads. */
export function mixed(): () => Outcome["sent"] {
  let number = 0;
  return () => {
    number += 1;
    return number % 5 === 0 ? create(`chaos-${number}`) : READ;
  };
}

/** The references of those whom the gateway said that it has registered. */
export function acknowledged(outcomes: readonly Outcome[]): string[] {
  return outcomes
    .filter(({ status, body, sent }) => status === 200 && sent.variables && body.data?.createCustomer.__typename === "Customer")
    .map(({ sent }) => sent.variables.input.reference as string);
}

/** The references of those who are there, each with how many events its history has. */
export async function registered(cluster: Cluster): Promise<Map<string, number>> {
  const rows = await cluster.sql<{ reference: string; events: number }>(
    `SELECT reference, (SELECT count(*)::int FROM customer_event e WHERE (e.bank_id, e.mode, e.customer_id) = (c.bank_id, c.mode, c.id)) AS events
     FROM customer c WHERE reference LIKE 'chaos-%'`,
  );
  return new Map(rows.map(({ reference, events }) => [reference, events]));
}
