import { type Job, PgBoss } from "pg-boss";
import type { PoolConfig } from "pg";
import type { Logger } from "pino";
import { StartupError } from "../startup-error.ts";
import { describeFault } from "../telemetry/log.ts";

/** Work that any gateway on the database may do. `key` names it: of a queue, one job a key waits or runs at a time. */
export interface QueuedJob {
  readonly key: string;
  /** Ids only: what is queued lies in the database as it is. */
  readonly data: object;
}

/** Other than one at a time, and one a key. */
export interface HowToWork {
  /** How many jobs at once in this process. */
  readonly atOnce: number;
  /** A job of the same key may wait while one runs, which does not have to be waited for should its process have died. */
  readonly overlapping: boolean;
}

/** The queues, in the database's schema `jobs`. */
export interface Queue {
  /**
   * Adds jobs; one whose key is waiting or running already is left out. Never throws: who sends has a record of its own
   * of what is to be done, and sends again.
   */
  send(name: string, jobs: readonly QueuedJob[]): Promise<void>;
  /**
   * Does a queue's jobs, one at a time in this process unless told otherwise. A job that throws is tried again with growing waits, up to a
   * minute; one whose process has died, after half a minute. `signal` says that this process stops.
   */
  work(name: string, run: (data: never, signal: AbortSignal) => Promise<void>, how?: HowToWork): Promise<void>;
  /** How many jobs wait and run, in all gateways on the database, by queue that this process works on. Some seconds old. */
  depth(): Promise<{ queue: string; waiting: number; running: number }[]>;
  /** Waits for jobs under way, for some seconds at most. */
  close(): Promise<void>;
}

/** What every queue is made with; in seconds. A process that has not said for 10 s that it lives is taken for dead. */
const QUEUE = {
  policy: "exclusive",
  heartbeatSeconds: 10,
  expireInSeconds: 3600,
  retryLimit: 100,
  retryBackoff: true,
  retryDelayMax: 60,
  deleteAfterSeconds: 3600,
} as const;

const STOP_TIMEOUT_MS = 8_000;

/** Opens the queues on connections of their own. Throws StartupError when its tables cannot be made. */
export async function openQueue(connection: PoolConfig, log: Logger): Promise<Queue> {
  const boss = new PgBoss({
    ...(connection as object),
    application_name: "customer-gateway queue",
    schema: "jobs",
    connectionTimeoutMillis: 5_000,
    schedule: false,
    // How often it looks for jobs whose process has died.
    superviseIntervalSeconds: 10,
    monitorIntervalSeconds: 10,
  });
  boss.on("error", (error) => log.warn({ fault: describeFault(error) }, "queue fault"));
  await boss.start().catch((error: unknown) => {
    throw new StartupError({
      what: "the queue of background work cannot be opened",
      cause: (error as Error).message.split("\n", 1)[0]!,
      fix: "GRANT CREATE ON DATABASE to the user of DATABASE_URL, or start once as a user that may make the schema `jobs`",
    });
  });
  const stopping = new AbortController();
  const workers = new Map<string, string[]>();
  const wake = (name: string) => workers.get(name)?.forEach((worker) => boss.notifyWorker(worker));
  return {
    async send(name, jobs) {
      try {
        await boss.insert(
          name,
          jobs.map(({ key, data }) => ({ singletonKey: key, data })),
        );
        wake(name);
      } catch (error) {
        log.warn({ queue: name, fault: describeFault(error) }, "jobs could not be queued");
      }
    },
    async work(name, run, { atOnce, overlapping } = { atOnce: 1, overlapping: false }) {
      await boss.createQueue(name, { ...QUEUE, ...(overlapping && { policy: "short" }) });
      // Many workers would ask the database all the time: they are woken when there is something.
      const options = atOnce > 1 ? { pollingIntervalSeconds: 10 } : {};
      const work = async ([job]: Job<never>[]) => {
        try {
          await run(job!.data, AbortSignal.any([stopping.signal, job!.signal]));
        } catch (error) {
          log.error({ queue: name, job: job!.id, fault: describeFault(error) }, "job failed");
          // Kept with the job, in the database: so without a text or a cause, which may quote a value.
          // oxlint-disable-next-line eslint/preserve-caught-error
          throw new Error((error as Error).name);
        } finally {
          // The next one at once, not at the next look.
          setImmediate(wake, name);
        }
      };
      // Each on its own, since of several that pg-boss makes at once only the first can be woken.
      workers.set(name, await Promise.all(Array.from({ length: atOnce }, () => boss.work<never>(name, options, work))));
    },
    depth: () =>
      Promise.all(
        [...workers.keys()].map(async (queue) => {
          const [stats] = await boss.getQueueStats(queue);
          return { queue, waiting: stats?.queuedCount ?? 0, running: stats?.activeCount ?? 0 };
        }),
      ),
    async close() {
      stopping.abort();
      await boss.stop({ graceful: true, timeout: STOP_TIMEOUT_MS });
    },
  };
}
