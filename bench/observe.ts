import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { Pool } from "undici";
import { batchRow } from "../test/support/customers.ts";
import { median } from "./in-turn.ts";

/**
 * What it costs to be seen: the gateway's CPU time a request, with and without metrics, logs and traces. Starts one gateway
 * each way on one database with the same customers, and asks them in turn, so that what else the machine does falls on all.
 * `DATABASE_URL=postgres://…` names an empty database on PostgreSQL. Linux: times come from /proc. About a minute.
 */
const ROUNDS = 20;
const A_ROUND = 300;
const AT_ONCE = 8;

const { DATABASE_URL } = process.env;
if (!DATABASE_URL) throw new Error("Set DATABASE_URL to an empty database.");

/** Takes traces as a collector does, and throws them away. */
const collector = createServer((request, response) => request.resume().on("end", () => response.writeHead(200).end("{}"))).listen(
  0,
  "127.0.0.1",
);
await once(collector, "listening");
const METRICS = { METRICS_PORT: "0" };
const OTLP = { OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${(collector.address() as AddressInfo).port}` };
const WAYS: Record<string, Record<string, string>> = {
  nothing: { LOG_LEVEL: "silent" },
  "nothing, again": { LOG_LEVEL: "silent" },
  log: { LOG_LEVEL: "info" },
  "log and metrics": { LOG_LEVEL: "info", ...METRICS },
  "log, metrics and traces": { LOG_LEVEL: "info", ...METRICS, ...OTLP },
};

const shared = { PATH: process.env["PATH"]!, DATABASE_URL, GATEWAY_KEYRING: Buffer.alloc(32, 7).toString("base64"), PORT: "0" };
const limits = { RATE_LIMIT_POINTS: "2000000000", LOOKUP_LIMIT: "2000000000" };
const command = (words: string[], env: Record<string, string>): ChildProcess =>
  spawn(process.execPath, ["src/cli/main.ts", ...words], { env: { ...shared, ...limits, ...env }, stdio: ["ignore", "pipe", "inherit"] });

/** Starts a gateway; what it prints later is read and thrown away. */
async function start(env: Record<string, string>) {
  const child = command(["start"], env);
  let printed = "";
  while (!/ready at (\S+)\/graphql/.test(printed)) printed += String((await once(child.stdout!, "data"))[0]);
  child.stdout!.resume();
  child.stderr?.resume();
  return { child, client: new Pool(/ready at (\S+)\/graphql/.exec(printed)![1]!, { connections: AT_ONCE }) };
}

/** CPU time that a process has used, in milliseconds. */
function cpu({ pid }: ChildProcess): number {
  const [user, system] = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]!.split(" ").slice(11, 13).map(Number);
  return (user! + system!) * 10;
}

type Gateway = Awaited<ReturnType<typeof start>>;
let key = "";

async function ask({ client }: Gateway, query: string, variables: object) {
  const headers = { authorization: `Bearer ${key}`, "content-type": "application/json" };
  const { body } = await client.request({ path: "/graphql", method: "POST", headers, body: JSON.stringify({ query, variables }) });
  const answer = (await body.json()) as { data: any; errors?: unknown };
  if (answer.errors) throw new Error(JSON.stringify(answer.errors));
  return answer.data;
}

const gateways: [string, Gateway][] = [];
for (const [name, env] of Object.entries(WAYS)) gateways.push([name, await start(env)]);
const made = command(
  [
    "keys",
    "create",
    "--bank",
    "bench",
    "--mode",
    "sandbox",
    "--audience",
    "INTERNAL",
    "--scopes",
    "batches:write,customers:read",
    "--json",
  ],
  {},
);
let printed = "";
made.stdout!.on("data", (text) => (printed += String(text)));
await once(made, "close");
({ key } = JSON.parse(printed) as { key: string });

const customers = Array.from({ length: 500 }, (_, n) => batchRow(n));
const { createCustomersBatch } = await ask(
  gateways[0]![1],
  "mutation ($input: CreateCustomersBatchInput!) { createCustomersBatch(input: $input) { ... on BatchResult { customerIds } } }",
  { input: { customers } },
);
const ids = createCustomersBatch.customerIds as string[];

const READ = "query One($id: ID!) { customer(by: { id: $id }) { id accountName country state } }";
const spent = new Map(gateways.map(([name]) => [name, [] as number[]]));
for (let round = 0; round < ROUNDS; round += 1) {
  for (const [name, gateway] of gateways) {
    const before = cpu(gateway.child);
    let next = 0;
    const asker = async () => {
      while (next < A_ROUND) await ask(gateway, READ, { id: ids[next++ % ids.length] });
    };
    await Promise.all(Array.from({ length: AT_ONCE }, asker));
    spent.get(name)!.push((cpu(gateway.child) - before) / A_ROUND);
  }
}

// The first rounds are the compiler's.
const of = (name: string) => median(spent.get(name)!.slice(ROUNDS / 4));
console.table(
  gateways.map(([name]) => ({ way: name, "CPU ms a request": of(name).toFixed(3), ratio: (of(name) / of("nothing")).toFixed(2) })),
);

for (const [, { child, client }] of gateways) {
  await client.close();
  child.kill("SIGTERM");
  await once(child, "close");
}
collector.close();
