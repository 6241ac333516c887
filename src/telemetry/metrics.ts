import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from "prom-client";
import { tellSupervisor } from "./cluster-metrics.ts";
import { addStateMetrics, type StateSources } from "./state-metrics.ts";

/** What the gateway counts, for Prometheus. No label names a key, a bank or a person. */
export interface Metrics {
  /** An answer. */
  answered(answer: AnswerFacts): void;
  /** Errors in answers, by their code. */
  failed(code: string): void;
  /** A request that was refused because too many run. */
  shed(): void;
  /** Whether rate limits are shared by several gateways; when not, although they should be, the process limits by itself. */
  limitsShared(isShared: boolean): void;
  /** Everything, in Prometheus' text format. */
  print(): Promise<string>;
  readonly contentType: string;
}

export interface AnswerFacts {
  readonly status: number;
  /** As it is described, `/v1/customers/{key}`; `other` for what is no route. */
  readonly route: string;
  /** The name of the registered document that ran; null: none did. */
  readonly document: string | null;
  readonly seconds: number;
}

export interface MetricsOptions extends StateSources {
  /** Whether somebody will ask: watching the process costs a little, and is left out when nobody does. */
  readonly isServed: boolean;
}

/** So many documents are counted by name, whoever publishes how many: the first that run. The rest is `other`. */
const MAX_DOCUMENTS = 500;

/** Upper bounds in seconds: a look-up takes some milliseconds, and a request 20 s at most. */
const DURATIONS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20];

export function createMetrics({ isServed, ...sources }: MetricsOptions): Metrics {
  const register = new Registry();
  const registers = [register];
  const responses = new Counter({
    name: "gateway_http_responses_total",
    help: "Answers, by HTTP status.",
    labelNames: ["status"],
    registers,
  });
  const durations = new Histogram({
    name: "gateway_http_request_duration_seconds",
    help: "Time from a request's headers to its answer's, by route. A stream's answer begins at once.",
    labelNames: ["route"],
    buckets: DURATIONS,
    registers,
  });
  const documents = new Counter({
    name: "gateway_document_requests_total",
    help: "Requests to /graphql and /v1, by the name of the registered document that ran; other: none did, or there are too many names.",
    labelNames: ["document"],
    registers,
  });
  const errors = new Counter({ name: "gateway_errors_total", help: "Errors in answers, by code.", labelNames: ["code"], registers });
  const fallback = new Gauge({
    name: "gateway_limits_fallback",
    help: "1 while this process limits by itself because Redis does not answer.",
    aggregator: "max",
    registers,
  });
  const fallbacks = new Counter({ name: "gateway_limits_fallbacks_total", help: "How often Redis stopped answering.", registers });
  const shed = new Counter({ name: "gateway_requests_shed_total", help: "Requests that were refused because too many ran.", registers });
  if (isServed) {
    collectDefaultMetrics({ register });
    tellSupervisor(register);
    addStateMetrics(register, sources);
  }
  const names = new Set<string>();
  const isCounted = (name: string) => names.has(name) || (names.size < MAX_DOCUMENTS && names.add(name));
  return {
    answered({ status, route, document, seconds }) {
      responses.inc({ status });
      durations.observe({ route }, seconds);
      if (route !== "/graphql" && !route.startsWith("/v1/")) return;
      documents.inc({ document: document !== null && isCounted(document) ? document : "other" });
    },
    shed: () => shed.inc(),
    failed: (code) => errors.inc({ code }),
    limitsShared(isShared) {
      fallback.set(isShared ? 0 : 1);
      if (!isShared) fallbacks.inc();
    },
    print: () => register.metrics(),
    contentType: register.contentType,
  };
}
