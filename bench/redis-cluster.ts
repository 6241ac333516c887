import { execFileSync, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { pino } from "pino";
import { openRedisCounts } from "../src/limits/redis-counts.ts";

/**
 * What becomes of shared limits when REDIS_URL names one node of a Redis Cluster. `node bench/redis-cluster.ts` starts a
 * cluster of three on this machine (redis-server and redis-cli), counts 200 keys on it, and prints how many the cluster counted.
 */
const KEYS = 200;
const PORTS = [27101, 27102, 27103];
const dir = mkdtempSync(join(tmpdir(), "customer-gateway-bench-"));
const servers = PORTS.map((port) => {
  const place = join(dir, String(port));
  mkdirSync(place);
  const words = ["--port", String(port), "--bind", "127.0.0.1", "--dir", place, "--save", "", "--cluster-enabled", "yes"];
  return spawn("redis-server", words, { stdio: "ignore" });
});
try {
  for (const port of PORTS) await answers(port);
  const nodes = PORTS.map((port) => `127.0.0.1:${port}`);
  execFileSync("redis-cli", ["--cluster", "create", ...nodes, "--cluster-yes"], { stdio: "ignore" });
  await sleep(3000);

  const counts = await openRedisCounts(`redis://127.0.0.1:${PORTS[0]}`, { log: pino({ level: "silent" }), onChange() {} });
  let shared = 0;
  for (let key = 0; key < KEYS; key++) {
    if (await counts.spend(`points:${key}`, { amount: 1, limit: 10, seconds: 60 })) shared += 1;
    // A process that was refused tries Redis again after a second: some four times in all.
    await sleep(20);
  }
  counts.close();
  console.log(`${shared} of ${KEYS} keys were counted by the cluster; the rest by the process alone`);
} finally {
  for (const server of servers) server.kill();
  rmSync(dir, { recursive: true, force: true });
}

async function answers(port: number): Promise<void> {
  for (let tries = 0; tries < 100; tries++) {
    const there = await new Promise<boolean>((resolve) => {
      const socket = connect(port, "127.0.0.1", () => resolve(true)).on("error", () => resolve(false));
      socket.once("connect", () => socket.end());
    });
    if (there) return;
    await sleep(100);
  }
  throw new Error(`no Redis on ${port}`);
}
