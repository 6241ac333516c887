import type { Logger } from "pino";
import type { Metrics } from "../telemetry/metrics.ts";
import type { RequestFacts } from "../telemetry/request-facts.ts";
import type { Tracing } from "../telemetry/tracing.ts";
import type { HttpRequest } from "./request.ts";

/** What tells of requests. */
export interface ObserveParts {
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly tracing: Tracing | null;
}

/** Answers a request and tells of it: one line of the log, the metrics, and a span when traces are kept. */
export type Observe = (request: HttpRequest, facts: RequestFacts, answer: () => Promise<Response>) => Promise<Response>;

export function createObserve({ log, metrics, tracing }: ObserveParts): Observe {
  async function tell(request: HttpRequest, facts: RequestFacts, answer: () => Promise<Response>, traceId?: string): Promise<Response> {
    const started = performance.now();
    const response = await answer();
    const ms = performance.now() - started;
    const { requestId, route, keyId, document, operation, points, codes } = facts;
    metrics.answered({ status: response.status, route, document: document?.name ?? null, seconds: ms / 1000 });
    log.info(
      {
        requestId,
        method: request.method,
        route,
        status: response.status,
        ...(keyId !== null && { keyId }),
        ...(document && { document: document.name, hash: document.hash }),
        ...(operation !== null && { operation }),
        ...(points !== null && { points }),
        ...(codes.size > 0 && { codes: [...codes] }),
        ms: Math.round(ms),
        ...(traceId && { traceId }),
      },
      "request",
    );
    return response;
  }

  if (!tracing) return tell;
  return (request, facts, answer) => {
    const { method, headers } = request;
    const attributes = { "http.request.method": method, "gateway.request_id": facts.requestId };
    return tracing.within({ name: method, attributes, traceparent: headers.get("traceparent") }, async (span) => {
      const response = await tell(request, facts, answer, span.traceId);
      span.rename(`${method} ${facts.route}`);
      span.note({
        "http.route": facts.route,
        "http.response.status_code": response.status,
        "gateway.document": facts.document?.name ?? undefined,
        "gateway.points": facts.points ?? undefined,
        "gateway.error_codes": facts.codes.size > 0 ? [...facts.codes] : undefined,
      });
      if (response.status >= 500) span.fail(String(response.status));
      return response;
    });
  };
}
