// The gateway beside its peers: node bench/peers/run.ts [--customers 500000] [--rounds 5] [--seconds 3] [--connections 16]
//
// `DATABASE_URL` names an empty database on PostgreSQL, or one that an earlier run filled. Each server has one core, the load
// another; the servers take turns within each round, so that what else the machine does falls on all. Linux.

import { parseArgs } from "node:util";
import { CASES, type Server, SERVERS } from "./cases.ts";
import { prepare, subjects } from "./database.ts";
import { checkEqual, type Figures, measure, medians, ratio } from "./measure.ts";
import { moveTo, type Running, start } from "./processes.ts";

const { values: given } = parseArgs({
  options: {
    customers: { type: "string", default: "500000" },
    rounds: { type: "string", default: "5" },
    seconds: { type: "string", default: "3" },
    connections: { type: "string", default: "16" },
    cases: { type: "string", default: Object.keys(CASES).join() },
    servers: { type: "string", default: SERVERS.join() },
    profile: { type: "string" },
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
  for (const name of chosen) {
    console.log(`\n${CASES[name]!.title}`);
    console.table(
      Object.fromEntries(
        running
          .filter(({ server }) => results[name]![server])
          .map(({ server, memory }) => {
            const { perSecond, p50, p99, cpu } = medians(results[name]![server]!);
            return [
              server,
              {
                "requests/s": Math.round(perSecond),
                "p50 ms": p50,
                "p99 ms": p99,
                "CPU ms": cpu.toFixed(3),
                "memory MB": Math.round(memory()),
                "gateway is": results[name]!.gateway ? `${ratio(results[name]!, "gateway", server).toFixed(2)} ×` : "",
              },
            ];
          }),
      ),
    );
  }
} finally {
  await Promise.all(running.map((one) => one.stop()));
}
