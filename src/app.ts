import type { IncomingMessage, ServerResponse } from "node:http";
import type { Logger } from "pino";
import { createAuthenticate } from "./access/authenticate.ts";
import { createVerifyToken } from "./access/jwt.ts";
import { createAudit } from "./audit/audit.ts";
import type { Config } from "./config.ts";
import type { Services } from "./context.ts";
import { CONNECTIONS, createClient, poolState, timeLimits } from "./database/client.ts";
import { claimDataDir } from "./database/data-dir.ts";
import type { Connection } from "./database/deadline.ts";
import { openEmbedded } from "./database/embedded.ts";
import { refuseOtherKeyring } from "./database/sealed-data.ts";
import { analyzeGrowth } from "./database/statistics.ts";
import { createReadiness } from "./database/readiness.ts";
import { openReplicas } from "./database/replicas.ts";
import { createTenantDatabase } from "./database/tenant-database.ts";
import { ensureSchema } from "./database/migrate.ts";
import { type DemoKeys, findDemoCustomerId, findDemoKeys, seedDemoBank } from "./demo/demo-bank.ts";
import { createDocumentRegister } from "./documents/register.ts";
import { createListener } from "./http/listener.ts";
import { isLoopback } from "./http/loopback.ts";
import { createFetch, type Fetch } from "./http/server.ts";
import { openQueue } from "./jobs/queue.ts";
import { schedule } from "./jobs/schedule.ts";
import { developmentKeyring } from "./keyring-file.ts";
import { BATCH_QUEUE, batchWorker, resumeBatches } from "./modules/batch/batch.worker.ts";
import { customerBatch } from "./modules/customer/customer.batch.ts";
import { expireBlacklists } from "./modules/customer/customer.jobs.ts";
import { resealCustomers } from "./modules/customer/customer.reseal.job.ts";
import { MERCHANT_BATCH } from "./modules/merchant/merchant.batch.ts";
import { resealWebhookSecrets } from "./modules/webhook/webhook.jobs.ts";
import { createSender } from "./modules/webhook/webhook.send.ts";
import { ENDPOINTS_AT_ONCE, resumeWebhooks, WEBHOOK_QUEUE, webhookWorker } from "./modules/webhook/webhook.worker.ts";
import { createReadAs } from "./read-as.ts";
import { retentionJobs } from "./retention.ts";
import { openLimits } from "./limits/limits.ts";
import { createLog } from "./telemetry/log.ts";
import { createMetrics, type Metrics } from "./telemetry/metrics.ts";
import { openTracing } from "./telemetry/tracing.ts";

/** The gateway, open and ready to answer. */
export interface App {
  /** Answers a request as a server would, with every limit, without a port. */
  readonly fetch: Fetch;
  /** The same for node:http. */
  readonly handle: (request: IncomingMessage, response: ServerResponse) => void;
  readonly services: Services;
  readonly metrics: Metrics;
  /** The demo bank's keys; null when the database is the operator's own. `isNew`: this start made them. */
  readonly demo: { readonly keys: DemoKeys; readonly isNew: boolean } | null;
  /** Ends streams: the rest serves on until `close`. */
  endStreams(): void;
  /** Ends jobs and connections, in this order; safe to call twice. */
  close(): Promise<void>;
}

export interface AppOptions {
  /** Sees the text of every SQL statement. For tests. */
  readonly onQuery?: (sql: string) => void;
  readonly log?: Logger;
  /** Called when the embedded database dies: nothing works from then on. */
  readonly onFailure?: (error: Error) => void;
  /** The clock that limits go by, in milliseconds since 1970. For tests. */
  readonly limitsNow?: () => number;
  /** How long webhooks wait between tries, in seconds. For tests. */
  readonly webhookWaits?: readonly number[];
}

/** When PostgreSQL cancels a statement of the queue, whose own work goes over all its jobs. */
const QUEUE_STATEMENT_MS = 30_000;

/**
 * Opens everything in order: database, schema, keys, demo bank, routes, jobs. Throws StartupError for what an
 * operator mends; whatever was open by then is closed again.
 */
export async function buildApp(
  config: Config,
  { onQuery, onFailure, limitsNow, webhookWaits, log = createLog(config.logLevel) }: AppOptions = {},
): Promise<App> {
  const closers: (() => unknown)[] = [];
  let closing: Promise<void> | undefined;
  const close = () =>
    (closing ??= (async () => {
      for (const closer of closers.reverse()) await closer();
    })());
  try {
    const tracing = await openTracing(config.otlpEndpoint, log);
    closers.push(() => tracing?.close());
    const connection = await openDatabase(config, closers, onFailure);
    const db = createClient(connection, { onQuery, watch: tracing?.statement });
    closers.push(() => db.$disconnect());
    const keyring = config.keyring ?? developmentKeyring(config.dataDir);
    await refuseOtherKeyring(db, keyring.ids);
    const audit = createAudit(db, keyring, log);
    closers.push(() => audit.close());
    const ofQueue = { max: CONNECTIONS.queue, ...connection, ...timeLimits(connection, { statement_timeout: QUEUE_STATEMENT_MS }) };
    const queue = await openQueue(ofQueue, log);
    closers.push(() => queue.close());
    const stopping = new AbortController();
    closers.push(() => stopping.abort());
    const webhookRules = { allowPrivate: config.webhooksMayBePrivate };
    const services: Services = { db, log, keyring, audit, queue, webhookRules, stopping: stopping.signal };
    const tenantDatabase = createTenantDatabase(db, config.rowLevelSecurity);
    await queue.work(BATCH_QUEUE, batchWorker(services, tenantDatabase, { CUSTOMER: customerBatch(keyring), MERCHANT: MERCHANT_BATCH }));
    const demo = config.databaseUrl === null ? await openDemo(services, config.dataDir) : null;
    const { authenticate, lastUse } = createAuthenticate(
      db,
      config.jwtIssuers.length > 0 ? createVerifyToken(config.jwtIssuers, db) : null,
      config.production,
    );
    const replicas = await openReplicas(config, { primary: db, tenantDatabase, options: { watch: tracing?.statement }, log });
    closers.push(() => replicas?.close());
    const metrics = createMetrics({
      isServed: config.metricsPort !== null,
      pool: () => poolState(db),
      queues: () => queue.depth(),
      replicas: replicas && (() => replicas.state()),
    });
    const limits = await openLimits(config, { log, now: limitsNow, onChange: (isShared) => metrics.limitsShared(isShared) });
    closers.push(() => limits.close());
    const sender = createSender(webhookRules);
    closers.push(() => sender.close());
    const read = createReadAs({ services, tenantDatabase, limits });
    const dispatch = webhookWorker(services, { read, send: sender.send, waits: webhookWaits });
    await queue.work(WEBHOOK_QUEUE, dispatch, { atOnce: ENDPOINTS_AT_ONCE, overlapping: true });
    const readiness = createReadiness(connection, stopping.signal);
    closers.push(() => readiness.close());
    const register = createDocumentRegister(db);
    // A database that is gone takes the last seconds' counts with it, and nothing else.
    closers.push(() => register.writeUses.run().catch(() => {}));
    const fetch = createFetch({
      limits,
      metrics,
      tracing,
      replicas,
      services,
      tenantDatabase,
      authenticate,
      register,
      corsOrigins: config.corsOrigins,
      requestTimeoutMs: config.requestTimeoutMs,
      maxRequests: config.maxRequests,
      readiness: () => readiness.check(),
      production: config.production,
      graphiql: config.graphiql
        ? {
            demo:
              demo && !config.production && isLoopback(config.host)
                ? { key: demo.keys.internal, findCustomerId: () => findDemoCustomerId(db) }
                : null,
          }
        : null,
    });
    const jobs = schedule(
      [
        expireBlacklists(services),
        resealCustomers(db, services.keyring, log),
        ...retentionJobs(services, config.retentionDays),
        resumeBatches(services),
        resumeWebhooks(services),
        resealWebhookSecrets(db, services.keyring),
        analyzeGrowth(db),
        lastUse,
        register.writeUses,
        ...audit.jobs,
      ],
      log,
    );
    closers.push(() => jobs.stop());
    return { fetch, handle: createListener(fetch), services, metrics, demo, endStreams: () => stopping.abort(), close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** The operator's PostgreSQL, or the embedded database, with its tables as this version expects them. */
async function openDatabase(
  { databaseUrl, dataDir }: Config,
  closers: (() => unknown)[],
  onFailure?: (error: Error) => void,
): Promise<Connection> {
  if (databaseUrl !== null) {
    const connection = { connectionString: databaseUrl };
    await ensureSchema(connection, { autoMigrate: "if-empty" });
    return connection;
  }
  const claim = claimDataDir(dataDir);
  closers.push(() => claim.release());
  const embedded = await openEmbedded({ dataDir, onFailure });
  closers.push(() => embedded.close());
  await ensureSchema(embedded.connection, { autoMigrate: "always" });
  return embedded.connection;
}

async function openDemo(services: Services, dataDir: string) {
  const keys = await findDemoKeys(services.db, dataDir);
  return keys ? { keys, isNew: false } : { keys: await seedDemoBank(services, dataDir), isNew: true };
}
