// The gateway beside its peers: DATABASE_URL=… npm run bench
//
// `npm run bench -- --cases one --servers gateway,bare --profile DIR` takes some of it, and keeps profiles of the servers' CPU
// time, which profile.ts prints. `--write` puts the figures into docs/benchmarks.md.
// `DATABASE_URL` names an empty database on PostgreSQL, or one that an earlier run filled. Each server has one core, the load
// another; the servers take turns within each round, so that what else the machine does falls on all. Linux.

import { readFileSync } from "node:fs";
import { cpus } from "node:os";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { CASES, type Server, SERVERS } from "./cases.ts";
import { prepare, subjects } from "./database.ts";
import { checkEqual, type Figures, measure } from "./measure.ts";
import { moveTo, type Running, start } from "./processes.ts";
import { table, write } from "./report.ts";

const DOCUMENT = fileURLToPath(new URL("../../docs/benchmarks.md", import.meta.url));

const { values: given } = parseArgs({
  options: {
    customers: { type: "string", default: "500000" },
    rounds: { type: "string", default: "5" },
    seconds: { type: "string", default: "3" },
    connections: { type: "string", default: "16" },
    cases: { type: "string", default: Object.keys(CASES).join() },
    servers: { type: "string", default: SERVERS.join() },
    profile: { type: "string" },
    write: { type: "boolean", default: false },
  },
});
const [customers, rounds, seconds, connections] = [given.customers, given.rounds, given.seconds, given.connections].map(Number) as [
  number,
  number,
  number,
  number,
];
const { DATABASE_URL } = process.env;
if (!DATABASE_URL) throw new Error("Set DATABASE_URL to an empty database.");

const profiled = (server: Server): Record<string, string> =>
  given.profile === undefined ? {} : { NODE_OPTIONS: `--cpu-prof --cpu-prof-dir=${given.profile} --cpu-prof-name=${server}.cpuprofile` };
await prepare(DATABASE_URL, customers);
const asked = await subjects(DATABASE_URL, 2000);
moveTo(1);
const running: Running[] = [];
for (const server of given.servers.split(",") as Server[]) running.push(await start(server, DATABASE_URL, 0, profiled(server)));
const results: Record<string, Partial<Record<Server, Figures[]>>> = {};
try {
  const chosen = given.cases.split(",");
  for (const name of chosen) await checkEqual(name, CASES[name]!, running, asked.slice(0, 20));
  // The first turn is the compiler's.
  for (let round = -1; round < rounds; round += 1) {
    for (const name of chosen) {
      for (const [place] of running.entries()) {
        const one = running[(place + round + 1) % running.length]!;
        if (!CASES[name]!.ask[one.server]) continue;
        const figures = await measure(one, CASES[name]!, asked, { connections, seconds });
        if (round >= 0) ((results[name] ??= {})[one.server] ??= []).push(figures);
      }
    }
  }
  const memory = Object.fromEntries(running.map((one) => [one.server, one.memory()]));
  const machine = `Node ${process.versions.node}, ${cpus().length} cores (${cpus()[0]!.model.trim()})`;
  const found = { settings: { customers, rounds, seconds, connections }, machine, rounds: results, memory };
  for (const name of chosen) console.log(`\n${table(found, name)}`);
  if (given.write) write(found, DOCUMENT, readFileSync(DOCUMENT, "utf8"));
} finally {
  await Promise.all(running.map((one) => one.stop()));
}
