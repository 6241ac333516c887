import { setTimeout as sleep } from "node:timers/promises";
import { Gauge, type Registry } from "prom-client";

/** What is looked up at the moment somebody asks for metrics. */
export interface StateSources {
  /** The database's pool: connections that are open, those that are idle, and those who wait for one. */
  readonly pool: () => { readonly open: number; readonly idle: number; readonly waiting: number };
  /** Null: there are none. How many replicas can be read from, and how many reads went where so far. */
  readonly replicas: (() => { readonly usable: number; readonly onReplica: number; readonly onPrimary: number }) | null;
  /** The queues of background work: jobs that wait, and jobs under way, in all gateways on the database. */
  readonly queues: () => Promise<readonly { readonly queue: string; readonly waiting: number; readonly running: number }[]>;
}

/** How long an answer waits for the queues, which the database is asked for; without them it is still an answer. */
const PATIENCE_MS = 1000;

export function addStateMetrics(register: Registry, { pool, queues, replicas }: StateSources): void {
  const registers = [register];
  const gauge = (name: string, help: string, value: () => number) =>
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(value());
      },
    });
  gauge("gateway_database_connections", "Connections of this process's pool that are open.", () => pool().open);
  gauge("gateway_database_connections_idle", "Open connections that nobody uses.", () => pool().idle);
  gauge("gateway_database_connections_waiting", "Who waits for a connection, because all are in use.", () => pool().waiting);

  const reads = () => replicas?.() ?? { usable: 0, onReplica: 0, onPrimary: 0 };
  gauge("gateway_replicas_usable", "Replicas that queries may read from; the others rest after a fault.", () => reads().usable);
  gauge("gateway_replica_reads", "Queries that read from a replica, since the start.", () => reads().onReplica);
  gauge("gateway_primary_reads", "Queries that read from the primary although there are replicas.", () => reads().onPrimary);

  const jobs = new Gauge({
    name: "gateway_queue_jobs",
    help: "Jobs of background work by queue, in all gateways on the database, as counted in the last seconds: waiting, running.",
    labelNames: ["queue", "state"],
    aggregator: "max",
    registers: [],
    async collect() {
      const found = await Promise.race([queues().catch(() => []), sleep(PATIENCE_MS, [], { ref: false })]);
      // Rather nothing than what was so once.
      this.reset();
      for (const { queue, waiting, running } of found) {
        this.set({ queue, state: "waiting" }, waiting);
        this.set({ queue, state: "running" }, running);
      }
    },
  });
  register.registerMetric(jobs);
}
