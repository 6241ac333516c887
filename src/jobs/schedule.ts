import type { Logger } from "pino";
import { describeFault } from "../telemetry/log.ts";

/** Work that is repeated while the gateway runs. It must be safe to run in several processes at once. */
export interface Job {
  readonly name: string;
  readonly everyMs: number;
  run(): Promise<unknown>;
}

/**
 * Runs each job at once and then again and again, never twice at the same time in this process. A failed run
 * is logged and tried again at its next turn. `stop` waits for runs under way.
 */
export function schedule(jobs: readonly Job[], log: Logger): { stop(): Promise<void> } {
  let stopped = false;
  const running = new Map<Job, Promise<unknown>>();
  const run = (job: Job) => {
    if (stopped || running.has(job)) return;
    const turn = job
      .run()
      .catch((error: unknown) => log.error({ job: job.name, fault: describeFault(error) }, "job failed"))
      .finally(() => running.delete(job));
    running.set(job, turn);
  };
  const timers = jobs.map((job) => {
    run(job);
    return setInterval(run, job.everyMs, job).unref();
  });
  return {
    async stop() {
      stopped = true;
      timers.forEach(clearInterval);
      await Promise.all(running.values());
    },
  };
}
