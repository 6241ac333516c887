import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { median } from "./in-turn.ts";

/**
 * How long a start takes, from the process to its first answer: the first one, which makes the embedded database and the demo; each
 * later one; and one on PostgreSQL, whose tables are there. `DATABASE_URL=postgres://… node bench/start.ts` needs an empty database
 * and prints medians in seconds, of starts in turn.
 */
const databaseUrl = process.env["DATABASE_URL"];
if (!databaseUrl) throw new Error("set DATABASE_URL to an empty PostgreSQL database");
const ROUNDS = 5;
const MAIN = fileURLToPath(new URL("../src/cli/main.ts", import.meta.url));
const dir = mkdtempSync(join(tmpdir(), "customer-gateway-bench-"));

/** Starts a gateway, asks whether it is ready, stops it; the seconds until it said yes. */
async function start(env: Record<string, string>): Promise<number> {
  const started = performance.now();
  const child = spawn(process.execPath, [MAIN, "start"], {
    env: { PATH: process.env["PATH"], PORT: "0", ...env },
    stdio: ["ignore", "pipe", "ignore"],
  });
  try {
    let told = "";
    for await (const text of child.stdout) {
      told += String(text);
      const [base] = /http:\/\/127\.0\.0\.1:\d+/.exec(told) ?? [];
      if (!base) continue;
      const { status } = await fetch(`${base}/health/ready`);
      if (status !== 200) throw new Error(`not ready: ${status}`);
      return (performance.now() - started) / 1000;
    }
    throw new Error(`it ended: ${told}`);
  } finally {
    child.kill("SIGTERM");
    if (child.exitCode === null) await once(child, "exit");
  }
}

const OWN = { DATABASE_URL: databaseUrl, DATA_DIR: join(dir, "own") };
const WAYS: Record<string, (round: number) => Promise<number>> = {
  "the first, embedded": (round) => start({ DATA_DIR: join(dir, String(round)) }),
  "a later one, embedded": (round) => start({ DATA_DIR: join(dir, String(round)) }),
  "a later one, on PostgreSQL": () => start(OWN),
};
await start(OWN);
const seconds = Object.fromEntries(Object.keys(WAYS).map((name): [string, number[]] => [name, []]));
for (let round = 0; round < ROUNDS; round += 1) for (const [name, way] of Object.entries(WAYS)) seconds[name]!.push(await way(round));
for (const [name, of] of Object.entries(seconds))
  console.log(`${name}: ${median(of).toFixed(2)} s (${of.map((one) => one.toFixed(2)).join(", ")})`);
rmSync(dir, { recursive: true });
