import cluster from "node:cluster";
import { createServer, type RequestListener, type Server } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { type App, type AppOptions, buildApp } from "./app.ts";
import type { Config } from "./config.ts";
import { createDrain } from "./http/drain.ts";
import { listen, urlOf } from "./http/listen.ts";
import { metricsListener } from "./http/metrics.ts";

/** A gateway that listens. */
export interface RunningGateway {
  readonly app: App;
  /** E.g. `http://127.0.0.1:4000`. */
  readonly url: string;
  /** Where metrics are told; null: nowhere. */
  readonly metricsUrl: string | null;
  /**
   * Is unready from now on; after SHUTDOWN_DELAY_MS takes no new connection, lets requests under way finish for up to
   * SHUTDOWN_TIMEOUT_MS, then closes everything. Gives the number of connections whose requests did not finish, and were cut off.
   */
  stop(): Promise<number>;
}

/** How long a connection may take, in milliseconds. */
export interface Timeouts {
  /** From its opening, or a request's first byte, to the end of the headers. */
  readonly headersMs: number;
  /** To the end of the body. What is slower is answered 408 and cut; an answer may take as long as it takes. */
  readonly requestMs: number;
  /** Between two requests. */
  readonly keepAliveMs: number;
  /** How often slow connections are looked for: those that are found together are cut together, while others wait. */
  readonly checkMs: number;
}

/** A megabyte over a poor line takes 20 s; load balancers keep connections for 60 s, and must be the first to let go. */
const TIMEOUTS: Timeouts = { headersMs: 10_000, requestMs: 30_000, keepAliveMs: 65_000, checkMs: 100 };

export interface StartOptions extends AppOptions {
  /** Other than the usual ones. For tests. */
  readonly timeouts?: Partial<Timeouts>;
}

/** Builds the gateway and listens. Throws StartupError; nothing is left open then. */
export async function startGateway(config: Config, { timeouts, ...options }: StartOptions = {}): Promise<RunningGateway> {
  let handle: RequestListener = answerUnready;
  const { headersMs, requestMs, keepAliveMs, checkMs } = { ...TIMEOUTS, ...timeouts };
  const server = createServer(
    { headersTimeout: headersMs, requestTimeout: requestMs, keepAliveTimeout: keepAliveMs, connectionsCheckingInterval: checkMs },
    (request, response) => handle(request, response),
  );
  const drain = createDrain(server);
  // Taken before the database is touched: a port that is in use ends the start with nothing done.
  await listen(server, { ...config, variable: "PORT" });
  let app: App;
  let metrics: Server | null = null;
  try {
    app = await buildApp(config, options);
    metrics = await serveMetrics(app, config);
  } catch (error) {
    server.close();
    server.closeAllConnections();
    throw error;
  }
  handle = app.handle;
  return {
    app,
    url: urlOf(server),
    metricsUrl: metrics && `${urlOf(metrics)}/metrics`,
    async stop() {
      app.endStreams();
      await sleep(config.shutdownDelayMs);
      const cutOff = await drain.run(config.shutdownTimeoutMs);
      metrics?.close();
      metrics?.closeAllConnections();
      await app.close();
      return cutOff;
    },
  };
}

/** Null when no port is given, and of a worker, whose supervisor tells them. Closes the gateway and throws StartupError when the port cannot be had. */
async function serveMetrics(app: App, { host, metricsPort }: Config): Promise<Server | null> {
  if (metricsPort === null || cluster.isWorker) return null;
  const server = createServer(metricsListener(app.metrics));
  try {
    await listen(server, { host, port: metricsPort, variable: "METRICS_PORT" });
  } catch (error) {
    await app.close();
    throw error;
  }
  return server;
}

/** The answer while the gateway starts: alive, and not ready for anything. */
const answerUnready: RequestListener = (request, response) => {
  if (request.url === "/health/live") {
    response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify({ status: "live" }));
    return;
  }
  const error = { message: "The gateway is starting.", extensions: { code: "UNAVAILABLE" } };
  response.writeHead(503, { "content-type": "application/json", "retry-after": "1" }).end(JSON.stringify({ errors: [error] }));
};
