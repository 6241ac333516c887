import cluster, { type Worker } from "node:cluster";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { Config } from "./config.ts";
import { metricsListener } from "./http/metrics.ts";
import { listen, urlOf } from "./http/listen.ts";
import { StartupError } from "./startup-error.ts";
import { clusterMetrics } from "./telemetry/cluster-metrics.ts";
import { createLog } from "./telemetry/log.ts";

/** How long after a worker's end the next one starts, in milliseconds: longer each time, from the first again after a minute of life. */
const WAITS_MS = [0, 1000, 2000, 5000, 10_000, 30_000];
const LIVES_MS = 60_000;

/** Throws StartupError on the embedded database, which has one owner. */
function refuseEmbedded({ workers, databaseUrl }: Config): void {
  if (databaseUrl !== null) return;
  throw new StartupError({
    what: `${workers} workers cannot start`,
    cause: "the embedded database can be used by one process only",
    fix: "set DATABASE_URL, or start one worker",
  });
}

/** A worker says so when it serves; what it would print is for its supervisor to print once. */
export function tellReady(banner: string): void {
  process.send!({ banner });
}

/** Workers that serve. */
export interface RunningWorkers {
  /** What a start says: as one process would, and how many they are. */
  readonly banner: string;
  /** Stops them in order. Gives the exit code: that of one that could not, or 0. */
  stop(): Promise<number>;
}

/**
 * Starts workers that serve on one port, and replaces those that die; this process serves nothing itself but their metrics,
 * added up. The first starts alone: what keeps it from starting is said by it, and ends this process with its exit code.
 * Throws StartupError when there can be none.
 */
export async function startWorkers(config: Config): Promise<RunningWorkers> {
  refuseEmbedded(config);
  const log = createLog(config.logLevel);
  let isStarted = false;
  let isStopping = false;
  let failures = 0;
  const ready = new WeakSet<Worker>();

  async function start(): Promise<string> {
    const worker = cluster.fork({ PORT: port });
    const born = performance.now();
    const ended = once(worker, "exit") as Promise<[number | null, string | null]>;
    void ended.then(([code, signal]) => replace(worker, performance.now() - born, code, signal));
    const [told] = (await Promise.race([once(worker, "message"), ended])) as [{ banner?: string } | number | null];
    if (typeof told === "object" && told?.banner !== undefined) {
      ready.add(worker);
      return told.banner;
    }
    if (!isStarted) process.exit(typeof told === "number" ? told : 1);
    return "";
  }

  function replace(worker: Worker, livedMs: number, code: number | null, signal: string | null): void {
    if (isStopping || !isStarted) return;
    failures = livedMs > LIVES_MS ? 0 : failures + 1;
    const waitMs = WAITS_MS[Math.min(failures, WAITS_MS.length - 1)]!;
    log.error({ worker: worker.process.pid, code, signal, waitMs }, "a worker has ended; another is started");
    setTimeout(() => void (isStopping || start()), waitMs);
  }

  const workers = () => Object.values(cluster.workers ?? {}) as Worker[];
  process.on("exit", () => workers().forEach((worker) => worker.process.kill("SIGKILL")));

  const metricsUrl = await serveMetrics(config);
  const port = await findPort(config);
  const lines = [await start()];
  await Promise.all(Array.from({ length: config.workers - 1 }, start));
  isStarted = true;
  lines.push(`${config.workers} workers serve it.`);
  if (metricsUrl) lines.push(`Their metrics are told, added up, at ${metricsUrl}`);
  if (config.redisUrl === null) log.warn({ workers: config.workers }, "without REDIS_URL each worker grants each key its whole limit");
  return {
    banner: lines.join("\n"),
    async stop() {
      isStopping = true;
      const codes = workers().map(async (worker) => {
        const ended = once(worker, "exit") as Promise<[number | null]>;
        // In a terminal they have had the signal as well, and take both for one wish.
        worker.process.kill("SIGTERM");
        const [code] = await ended;
        // One that was still starting has nothing to end in order.
        return ready.has(worker) ? (code ?? 1) : 0;
      });
      return Math.max(0, ...(await Promise.all(codes)));
    },
  };
}

/** The port that all will share: a worker by itself would not see that another gateway's workers have it. */
async function findPort({ host, port }: Config): Promise<string> {
  const probe = createServer();
  await listen(probe, { host, port, variable: "PORT" });
  const found = (probe.address() as AddressInfo).port;
  probe.close();
  await once(probe, "close");
  return String(found);
}

/** Null when no port is given. */
async function serveMetrics({ host, metricsPort }: Config): Promise<string | null> {
  if (metricsPort === null) return null;
  const server = createServer(metricsListener(clusterMetrics()));
  await listen(server, { host, port: metricsPort, variable: "METRICS_PORT" });
  return `${urlOf(server)}/metrics`;
}
