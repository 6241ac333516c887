import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { StartupError } from "../startup-error.ts";
import { MIGRATIONS_DIR, type Migration, readMigrations } from "./migrations-folder.ts";
import { migrationList, NO_FILTERS, openSchemaEngine, type SchemaEngine } from "./schema-engine.ts";
import { inspectSchema, type SchemaReport, type SchemaState } from "./schema-state.ts";

/** The lock that `prisma migrate deploy` takes too, so the two exclude each other. */
const MIGRATION_LOCK = 72_707_369;

/** How the database stands to this version's migrations. @throws StartupError: see inspectSchema. */
export async function schemaState(client: pg.ClientBase, migrations = readMigrations()): Promise<SchemaState> {
  return (await inspectSchema(client, migrations)).state;
}

/**
 * Brings the database up to date and returns the names of what it applied, in order; [] if it was current.
 *
 * Prisma's engine applies and records each migration, as `prisma migrate deploy` would, but in a transaction
 * of its own: a process killed midway leaves the finished ones and nothing of the one it was at. So a
 * migration must not contain what PostgreSQL refuses in a transaction (CREATE INDEX CONCURRENTLY).
 * Two processes at once take turns; the second finds nothing to do.
 *
 * @throws StartupError if the database is newer or foreign, or a migration fails (which is then undone).
 */
export async function migrate(client: pg.ClientBase, migrations = readMigrations()): Promise<string[]> {
  const applied: string[] = [];
  let engine: SchemaEngine | undefined;
  let reason: string | undefined;
  try {
    for (;;) {
      await client.query("BEGIN");
      // A migration may well take longer than any request should, and so may waiting for another's.
      await client.query("SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0");
      await client.query(`SELECT pg_advisory_xact_lock(${MIGRATION_LOCK})`);
      const report = await inspectSchema(client, migrations);
      refuseForeign(report.state);
      const next = report.pending[0];
      if (next === undefined) return applied;
      engine ??= await openSchemaEngine(client, { onScriptError: (error) => (reason = error.message) });
      await applyOne(engine, migrations, report).catch((error: Error) => {
        throw failed(next, reason ?? error.message);
      });
      // The engine takes the same lock for the whole session, which behind a pooler is over with the transaction.
      await client.query("SELECT pg_advisory_unlock_all()");
      await client.query("COMMIT");
      applied.push(next.name);
    }
  } finally {
    engine?.free();
    // Ends the last look as well as a failure; on a lost connection there is nothing left to end.
    await client.query("ROLLBACK").catch(() => {});
    await client.query("SELECT pg_advisory_unlock_all()").catch(() => {});
  }
}

/** The engine applies all that it is shown and does not find recorded: so it is shown one more each time. */
async function applyOne(engine: SchemaEngine, migrations: readonly Migration[], { pending }: SchemaReport): Promise<void> {
  const later = new Set(pending.slice(1));
  const shown = migrations.filter((migration) => !later.has(migration));
  await engine.applyMigrations({ migrationsList: migrationList(MIGRATIONS_DIR, shown), filters: NO_FILTERS });
}

function failed(migration: Migration, reason: string): StartupError {
  return new StartupError({
    what: `the migration ${migration.name} failed and was undone`,
    // Below the first line the engine's errors are its call stack.
    cause: reason.split("\n", 1)[0] ?? reason,
    fix: "mend what it names (the user needs the right to create tables and extensions), then run `npm run migrate`",
  });
}

/** When a command may migrate: an embedded database `always`, one that others may share only `if-empty`; who only looks, `never`. */
export interface EnsureSchemaOptions {
  autoMigrate: "never" | "if-empty" | "always";
}

/**
 * Makes sure, before anything is served, that the database has exactly the tables this version expects.
 * Opens one connection and closes it. Returns the names of the migrations it applied.
 *
 * @throws StartupError if the database cannot be reached, or is `older` (and may not be migrated here),
 *   `newer` or `foreign`, or `empty` with `never`, or a migration fails.
 */
export async function ensureSchema(
  connection: pg.PoolConfig,
  { autoMigrate }: EnsureSchemaOptions,
  migrations = readMigrations(),
): Promise<string[]> {
  const client = await connect(connection);
  try {
    const state = autoMigrate === "if-empty" ? await settledState(client, migrations) : await schemaState(client, migrations);
    if (state === "current") return [];
    refuseForeign(state);
    if (autoMigrate === "always" || (state === "empty" && autoMigrate === "if-empty")) return await migrate(client, migrations);
    refuseEmpty(state);
    throw new StartupError({
      what: "the database cannot be used",
      cause: "its tables are those of an older version of the gateway",
      fix: "take a backup and run `npm run migrate`",
    });
  } finally {
    await client.end();
  }
}

/** For how long a database may stay as old as it is before it is taken for that, in ms. */
const SETTLED_MS = 3000;

/** The state once nobody is migrating: another gateway that started on the empty database applies one migration after the other. */
async function settledState(client: pg.Client, migrations: Migration[]): Promise<SchemaState> {
  let left = Infinity;
  let since = Date.now();
  for (;;) {
    const { state, pending } = await inspectSchema(client, migrations);
    if (state !== "older") return state;
    if (pending.length < left) since = Date.now();
    else if (Date.now() - since > SETTLED_MS) return state;
    left = pending.length;
    await sleep(100);
  }
}

/** One connection, not a pool. Throws StartupError when there is none to be had. */
export async function connect(connection: pg.PoolConfig): Promise<pg.Client> {
  try {
    // Here too: this is where the address is taken apart, and its certificates are read.
    const client = new pg.Client({ connectionTimeoutMillis: 10_000, ...connection });
    // A lost connection shows as the error of the query it interrupts.
    client.on("error", () => {});
    await client.connect();
    return client;
  } catch (error) {
    throw unreachable(error);
  }
}

/** Throws StartupError for tables that this version does not know. */
export function refuseForeign(state: SchemaState): void {
  if (state === "newer") {
    throw new StartupError({
      what: "the database cannot be used",
      cause: "it was migrated by a newer version of the gateway",
      fix: "start the version of the gateway that matches, or upgrade this one",
    });
  }
  if (state === "foreign") {
    throw new StartupError({
      what: "the database cannot be used",
      cause: "it has tables that are not the gateway's",
      fix: "point DATABASE_URL at an empty database",
    });
  }
}

/** Throws StartupError for a database without tables. */
export function refuseEmpty(state: SchemaState): void {
  if (state !== "empty") return;
  throw new StartupError({
    what: "the database cannot be used",
    cause: "it is empty: no gateway has written to it",
    fix: "check DATABASE_URL, or DATA_DIR",
  });
}

/** Why a connection failed. pg's messages name host, user and database, never the password. */
export function unreachable(error: unknown): StartupError {
  const { message, code } = error as { message?: string; code?: string };
  return new StartupError({
    what: "the database cannot be reached",
    cause:
      code === "ERR_INVALID_URL"
        ? "DATABASE_URL is malformed (in a password, special characters are written as %XX)"
        : message || code || "no reason given",
    fix: "check that PostgreSQL runs and that DATABASE_URL names it, its user and its password",
  });
}
