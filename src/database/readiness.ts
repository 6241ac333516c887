import pg from "pg";
import { answerWithin } from "../answer-within.ts";
import { CONNECTIONS, timeLimits } from "./client.ts";
import type { Connection } from "./deadline.ts";
import { readMigrations } from "./migrations-folder.ts";
import { inspectSchema } from "./schema-state.ts";

/** How the gateway stands, as `/health/ready` tells it. */
export interface Readiness {
  /** `ready`: everything below is ok. `stopping`: it serves what still comes, and wants no more. */
  readonly status: "ready" | "unready" | "stopping";
  /** Whether the customers can be read: not while the server is away, hangs, or the table is locked. */
  readonly database: Truth;
  /** Whether the tables are those of this version; not once another version has migrated them. */
  readonly migrations: Truth;
  /** Whether the queue of background work can be read. */
  readonly queue: Truth;
}

type Truth = "ok" | "failing";

/** How long each part may take, its connection included, before it counts as failing; in milliseconds. */
const PATIENCE_MS = 2000;

/**
 * Looks, when asked, at what the gateway needs. On connections of its own: a pool that is in full use is no reason to take
 * a gateway out, since the others would only get its load. Never rejects, and looks once however many ask at once.
 */
export function createReadiness(connection: Connection, stopping: AbortSignal): { check(): Promise<Readiness>; close(): Promise<void> } {
  const pool = new pg.Pool({
    application_name: "customer-gateway health",
    max: CONNECTIONS.readiness,
    ...connection,
    ...timeLimits(connection, { statement_timeout: PATIENCE_MS }),
    connectionTimeoutMillis: PATIENCE_MS,
    query_timeout: PATIENCE_MS,
    idleTimeoutMillis: 60_000,
  });
  // A connection that breaks while nobody uses it is no fault of a look's; the next one opens another.
  pool.on("error", () => {});
  const migrations = readMigrations();
  const parts = {
    database: () => pool.query("SELECT FROM customer LIMIT 1"),
    migrations: async () => {
      const { state } = await inspectSchema(pool, migrations);
      if (state !== "current") throw new Error(state);
    },
    queue: () => pool.query("SELECT FROM jobs.version LIMIT 1"),
  };
  const truth = (part: () => Promise<unknown>): Promise<Truth> =>
    answerWithin(PATIENCE_MS, part()).then(
      () => "ok",
      () => "failing",
    );

  async function look(): Promise<Readiness> {
    const [database, migrated, queue] = await Promise.all([truth(parts.database), truth(parts.migrations), truth(parts.queue)]);
    const isReady = [database, migrated, queue].every((part) => part === "ok");
    return { status: stopping.aborted ? "stopping" : isReady ? "ready" : "unready", database, migrations: migrated, queue };
  }

  let looking: Promise<Readiness> | undefined;
  return {
    check: () => (looking ??= look().finally(() => (looking = undefined))),
    close: () => pool.end(),
  };
}
