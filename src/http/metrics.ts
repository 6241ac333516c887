import type { RequestListener } from "node:http";
import type { Metrics } from "../telemetry/metrics.ts";

/** Answers `GET /metrics`, on a port of its own: it asks for no key, so it is for the operator's network. */
export function metricsListener(metrics: Pick<Metrics, "print" | "contentType">): RequestListener {
  return async (request, response) => {
    if (request.url !== "/metrics" || request.method !== "GET") {
      response.writeHead(404).end();
      return;
    }
    response.writeHead(200, { "content-type": metrics.contentType }).end(await metrics.print());
  };
}
