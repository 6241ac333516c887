import cluster from "node:cluster";
import { AggregatorRegistry, type Registry } from "prom-client";
import type { Metrics } from "./metrics.ts";

/** Lets the process that started this worker ask for its metrics; nothing in a process that is none. */
export function tellSupervisor(register: Registry): void {
  if (!cluster.isWorker) return;
  AggregatorRegistry.setRegistries([register]);
  // Made for what it does: it answers when it is asked.
  void new AggregatorRegistry();
}

/** The metrics of all workers of this process as one: each by its own way to be added up. */
export function clusterMetrics(): Pick<Metrics, "print" | "contentType"> {
  const all = new AggregatorRegistry();
  return { print: () => all.clusterMetrics(), contentType: all.contentType };
}
