import { Counter, Gauge, Registry } from "prom-client";

/** What the gateway counts, for Prometheus. No label names a key, a bank or a person. */
export interface Metrics {
  /** Answers by HTTP status. */
  answered(status: number): void;
  /** Errors in answers, by their code. */
  failed(code: string): void;
  /** Whether rate limits are shared by several gateways; when not, although they should be, the process limits by itself. */
  limitsShared(isShared: boolean): void;
  /** Everything, in Prometheus' text format. */
  print(): Promise<string>;
  readonly contentType: string;
}

export function createMetrics(): Metrics {
  const registers = [new Registry()] as const;
  const responses = new Counter({
    name: "gateway_http_responses_total",
    help: "Answers, by HTTP status.",
    labelNames: ["status"],
    registers: [...registers],
  });
  const errors = new Counter({
    name: "gateway_errors_total",
    help: "Errors in answers, by code.",
    labelNames: ["code"],
    registers: [...registers],
  });
  const fallback = new Gauge({
    name: "gateway_limits_fallback",
    help: "1 while this process limits by itself because Redis does not answer.",
    registers: [...registers],
  });
  const fallbacks = new Counter({
    name: "gateway_limits_fallbacks_total",
    help: "How often Redis stopped answering.",
    registers: [...registers],
  });
  return {
    answered: (status) => responses.inc({ status }),
    failed: (code) => errors.inc({ code }),
    limitsShared(isShared) {
      fallback.set(isShared ? 0 : 1);
      if (!isShared) fallbacks.inc();
    },
    print: () => registers[0].metrics(),
    contentType: registers[0].contentType,
  };
}
