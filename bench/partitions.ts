import pg from "pg";
import { issueKey } from "../src/access/issue-key.ts";
import { SCOPES } from "../src/access/scopes.ts";
import { type App, buildApp } from "../src/app.ts";
import { ensureSchema } from "../src/database/migrate.ts";
import { testConfig } from "../test/support/config.ts";
import { batchRow } from "../test/support/customers.ts";
import { administer, databaseUrl } from "../test/support/global-setup.ts";
import { asker, median } from "./in-turn.ts";
import { type Layout, partitionTables } from "./partition-tables.ts";

/**
 * What partitions by bank do to the hot queries: the gateway itself, with row-level security, on one table, on a table cut
 * by a hash of the bank, and on one with a partition a bank. `DATABASE_URL=postgres://… node bench/partitions.ts` makes
 * databases of its own on that server, one a layout, and drops them; the user may make databases. `BANKS` and `PER_BANK`
 * set the size. It prints for each query how many partitions its plan touches and the medians of its times to plan and to
 * run; then what a batch of 500 takes, and how much memory one connection holds once it has read every bank.
 */
const BANKS = Number(process.env["BANKS"] ?? 1000);
const PER_BANK = Number(process.env["PER_BANK"] ?? 200);
const ROUNDS = 15;
const server = process.env["DATABASE_URL"];
if (!server) throw new Error("set DATABASE_URL to a PostgreSQL where databases may be made");
const banks = Array.from({ length: BANKS }, (_, bank) => `bank-${bank}`);
const BANK = banks[Math.floor(BANKS / 2)]!;

const PAGE =
  "query ($after: String, $filter: CustomerFilter) { customers(first: 50, after: $after, filter: $filter) { nodes { id accountName email } pageInfo { endCursor } } }";

interface Statement {
  text: string;
  values: unknown[];
}

/** What pg is sent, passed on unchanged. */
const sent: Statement[] = [];
const original = pg.Client.prototype.query;
pg.Client.prototype.query = function (this: pg.Client, ...args: any[]) {
  const [query, values] = args;
  if (query.enter) sent.push(query.enter);
  sent.push(typeof query === "string" ? { text: query, values: values ?? [] } : { text: query.text, values: query.values ?? values ?? [] });
  return (original as (...all: unknown[]) => any).apply(this, args);
} as typeof original;

const LAYOUTS: Record<string, Layout> = {
  "one table": { by: "nothing" },
  "32 partitions by hash": { by: "hash", parts: 32 },
  [`${BANKS} partitions, one a bank`]: { by: "list", banks },
};
for (const [name, layout] of Object.entries(LAYOUTS)) {
  const database = `bench_partitions_${process.pid}_${layout.by}`;
  await administer(server, `CREATE DATABASE ${database}`);
  try {
    console.log(`\n${name} (${BANKS} banks of ${PER_BANK} customers)`);
    await measure(databaseUrl(server, database), layout);
  } finally {
    await administer(server, `DROP DATABASE ${database} WITH (FORCE)`);
  }
}

async function measure(url: string, layout: Layout): Promise<void> {
  await ensureSchema({ connectionString: url }, { autoMigrate: "if-empty" });
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  let app: App | undefined;
  try {
    const started = performance.now();
    await partitionTables(client, layout);
    if (layout.by !== "nothing") console.log(`  made in ${((performance.now() - started) / 1000).toFixed(1)} s`);
    await fill(client);
    app = await buildApp(testConfig({ databaseUrl: url }));
    await plans(app, client);
    await batches(app);
    await memory(client);
  } finally {
    await app?.close();
    await client.end();
  }
}

async function fill(client: pg.Client): Promise<void> {
  await client.query(
    `INSERT INTO tenant (id, kind, name) SELECT 'bank-' || bank, 'BANK', 'bank' FROM generate_series(0, ${BANKS - 1}) AS bank`,
  );
  await client.query(
    `INSERT INTO customer (bank_id, mode, id, phrase, account_name, account_name_key, search_key, country, firstname, lastname,
       email, client_ref, reference, created_at, updated_at)
     SELECT 'bank-' || bank, 'SANDBOX', gen_random_uuid(), 'phrase-' || bank || '-' || n, name, lower(name), ' ' || lower(name), 'NG',
       'Ada', 'Obi', n || '@example.com', 'client-' || n, 'ref-' || n, at, at
     FROM generate_series(0, ${BANKS - 1}) AS bank, generate_series(1, ${PER_BANK}) AS n,
       LATERAL (SELECT 'Name' || n % 40 || ' Surname' || n AS name, timestamptz '2026-01-01' + n * interval '1 second' AS at) AS made`,
  );
  await client.query(
    `INSERT INTO customer_event (bank_id, mode, customer_id, version, type, actor, changed, at)
     SELECT bank_id, mode, id, 1, 'CREATED', 'bench', '{}', created_at FROM customer`,
  );
  await client.query("VACUUM ANALYZE customer, customer_event");
}

async function keyOf(app: App, bank: string): Promise<string> {
  const scopes = SCOPES.filter((scope) => scope !== "banks:manage");
  const tenant = { id: bank, kind: "BANK", name: "bank" } as const;
  return (await issueKey(app.services.db, { tenant, mode: "SANDBOX", audience: "INTERNAL", scopes })).key;
}

/** Each query as a client asks it, and the statement on customers that the gateway makes of it. */
async function plans(app: App, client: pg.Client): Promise<void> {
  const send = asker(app, await keyOf(app, BANK));
  const page = await send(PAGE);
  const { id } = page.customers.nodes[0];
  const one = (by: object) => send("query ($by: CustomerBy!) { customer(by: $by) { id accountName email } }", { by });
  const cases: Record<string, () => Promise<unknown>> = {
    "one by id": () => one({ id }),
    "one by e-mail": () => one({ email: `${PER_BANK}@example.com` }),
    "one by phrase": () => one({ phrase: `phrase-${BANK.slice("bank-".length)}-1` }),
    "a page of 50": () => send(PAGE),
    "the next page": () => send(PAGE, { after: page.customers.pageInfo.endCursor }),
    "a search": () => send(PAGE, { filter: { search: "surname7" } }),
    "a count": () => send("{ customers(first: 1) { totalCount } }"),
    "a history": () => send("query ($id: ID!) { customer(by: { id: $id }) { history(first: 10) { nodes { type } } } }", { id }),
    // The gateway's own work goes through all banks.
    "blacklists that ran out, of all banks": () =>
      app.services.db.customer.findMany({
        where: { blacklisted: true, blacklistExpiresAt: { lte: new Date() } },
        select: { id: true },
        take: 100,
      }),
  };
  for (const [name, ask] of Object.entries(cases)) {
    try {
      console.log(`  ${name}: ${await planOf(client, ask, !name.includes("all banks"))}`);
    } catch (error) {
      // The last line has PostgreSQL's own words.
      console.log(`  ${name}: refused, ${(error as Error).message.trim().split("\n").at(-1)}`);
    }
  }
}

/** What becomes of the statement on customers that a question makes; `scoped`: under the role that ran it. */
async function planOf(client: pg.Client, ask: () => Promise<unknown>, scoped: boolean): Promise<string> {
  sent.length = 0;
  await ask();
  const scope = scoped ? sent.find(({ text }) => text.includes("set_config('role'")) : undefined;
  const statement = sent.findLast(({ text }) => /^SELECT .*"customer(_event)?"/s.test(text))!;
  const rounds: Plan[] = [];
  for (let round = 0; round < ROUNDS; round++) rounds.push(await explain(client, statement, scope));
  const [{ Plan: plan }] = rounds as [Plan];
  const touched = new Set(all(plan).flatMap((node) => node["Relation Name"] ?? []));
  const time = (of: keyof Omit<Plan, "Plan">) => median(rounds.map((round) => round[of])).toFixed(2);
  return `${touched.size} ${touched.size === 1 ? "table" : "tables"}, planned in ${time("Planning Time")} ms, run in ${time("Execution Time")} ms`;
}

interface PlanNode {
  "Relation Name"?: string;
  Plans?: PlanNode[];
}

interface Plan {
  Plan: PlanNode;
  "Planning Time": number;
  "Execution Time": number;
}

async function explain(client: pg.Client, { text, values }: Statement, scope: Statement | undefined): Promise<Plan> {
  await client.query("BEGIN");
  try {
    if (scope) await client.query(scope.text, scope.values);
    const { rows } = await client.query<{ "QUERY PLAN": [Plan] }>(`EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) ${text}`, values);
    return rows[0]!["QUERY PLAN"][0];
  } finally {
    await client.query("ROLLBACK");
  }
}

function all(node: PlanNode): PlanNode[] {
  return [node, ...(node.Plans ?? []).flatMap(all)];
}

async function batches(app: App): Promise<void> {
  const BATCH =
    "mutation ($input: CreateCustomersBatchInput!) { createCustomersBatch(input: $input) { ... on BatchResult { createdCount } } }";
  const times: number[] = [];
  for (const bank of banks.slice(0, ROUNDS)) {
    const send = asker(app, await keyOf(app, bank));
    const customers = Array.from({ length: 500 }, (_, index) => batchRow(1_000_000 + index));
    const started = performance.now();
    const { createCustomersBatch } = await send(BATCH, { input: { customers } });
    times.push(performance.now() - started);
    if (createCustomersBatch.createdCount !== 500) throw new Error(`a batch made ${createCustomersBatch.createdCount}`);
  }
  console.log(`  a batch of 500, each in another bank: ${median(times).toFixed(0)} ms`);
}

/** A connection of a pool serves every bank in turn, and keeps what it has learned of each table and index. */
async function memory(client: pg.Client): Promise<void> {
  const held = async () => {
    const { rows } = await client.query<{ bytes: string }>("SELECT sum(total_bytes) AS bytes FROM pg_backend_memory_contexts");
    return Number(rows[0]!.bytes) / 1e6;
  };
  for (const bank of banks)
    await client.query("SELECT id FROM customer WHERE bank_id = $1 AND mode = 'SANDBOX' ORDER BY created_at LIMIT 1", [bank]);
  console.log(`  a connection that has read every bank holds ${(await held()).toFixed(1)} MB`);
}
