import type { RequestListener } from "node:http";
import type { Metrics } from "../telemetry/metrics.ts";

/**
 * Answers `GET /metrics`, on a port of its own: it asks for no key, so it is for the operator's network. 503 when what is to
 * be told cannot be found out, as when one of several processes does not answer: a sum without it would be wrong.
 */
export function metricsListener(metrics: Pick<Metrics, "print" | "contentType">): RequestListener {
  return async (request, response) => {
    if (request.url?.split("?")[0] !== "/metrics" || !["GET", "HEAD"].includes(request.method!)) {
      response.writeHead(404).end();
      return;
    }
    const text = await metrics.print().catch(() => null);
    if (text === null) response.writeHead(503, { "retry-after": "1" }).end();
    else response.writeHead(200, { "content-type": metrics.contentType }).end(text);
  };
}
