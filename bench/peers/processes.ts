import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Server } from "./cases.ts";

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/** A server in a process of its own, on a core of its own. */
export interface Running {
  readonly server: Server;
  readonly url: string;
  /** CPU time that it has used so far, in milliseconds. */
  cpu(): number;
  /** What it holds of the memory, in MB. */
  memory(): number;
  stop(): Promise<void>;
}

/** The gateway as it ships: production's defaults, so row-level security, logs, audit; only limits are too high to meet. */
const GATEWAY_ENV = {
  NODE_ENV: "production",
  GATEWAY_KEYRING: Buffer.alloc(32, 7).toString("base64"),
  RATE_LIMIT_POINTS: "2000000000",
  LOOKUP_LIMIT: "2000000000",
  PORT: "0",
};

/** Starts a server on a core; where `taskset` is not there, wherever the system likes. */
export async function start(server: Server, databaseUrl: string, core: number, env: Record<string, string> = {}): Promise<Running> {
  const words = server === "gateway" ? [at("../../src/cli/main.ts"), "start"] : [at(`servers/${server}.ts`)];
  // What it logs goes to a file, as to a disk or a collector; a pipe would cost the sender of the load.
  const log = join(mkdtempSync(join(tmpdir(), "customer-gateway-bench-")), `${server}.log`);
  const child = spawn("taskset", ["-c", String(core), process.execPath, ...words], {
    env: { PATH: process.env["PATH"], NODE_ENV: "production", DATABASE_URL: databaseUrl, ...(server === "gateway" && GATEWAY_ENV), ...env },
    stdio: ["ignore", "pipe", openSync(log, "w")],
  });
  const url = await new Promise<string>((resolve, reject) => {
    let told = "";
    child.stdout!.on("data", (text) => {
      told += told.length < 100_000 ? String(text) : "";
      const found = /ready at (\S+)\/graphql/.exec(told)?.[1];
      if (found) resolve(found);
    });
    child.once("exit", (code) => reject(new Error(`${server} ended with ${code}: ${readFileSync(log, "utf8").slice(0, 5000)}`)));
  });
  return {
    server,
    url,
    cpu: () => cpuOf(child),
    memory: () => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, "utf8"))![1]) / 1024,
    async stop() {
      child.kill("SIGTERM");
      if (child.exitCode === null) await once(child, "exit");
      rmSync(dirname(log), { recursive: true, force: true });
    },
  };
}

function cpuOf({ pid }: ChildProcess): number {
  const [user, system] = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]!.split(" ").slice(11, 13).map(Number);
  return (user! + system!) * 10;
}

/** Keeps this process, which sends the load, off the servers' core. */
export function moveTo(core: number): void {
  execFileSync("taskset", ["-a", "-cp", String(core), String(process.pid)], { stdio: "ignore" });
}
