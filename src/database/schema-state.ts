import type { ClientBase } from "pg";
import { StartupError } from "../startup-error.ts";
import type { Migration } from "./migrations-folder.ts";

/**
 * How the database stands to the migrations of this version:
 * `empty` has no tables; `current` has exactly these; `older` lacks some; `newer` has some that this version
 * does not know; `foreign` belongs to something else.
 */
export type SchemaState = "empty" | "current" | "older" | "newer" | "foreign";

/** The state and, for `empty` and `older`, what is yet to be applied, in order. */
export interface SchemaReport {
  state: SchemaState;
  pending: Migration[];
}

interface Row {
  migration_name: string;
  checksum: string;
  finished: boolean;
}

/** Rolled-back rows are history only: Prisma ignores them as well. */
const APPLIED = `SELECT migration_name, checksum, finished_at IS NOT NULL AS finished
  FROM public._prisma_migrations WHERE rolled_back_at IS NULL ORDER BY started_at`;

/** Anything in the schema that is table-like and not part of an extension (PostGIS, pg_stat_statements). */
const HAS_TABLES = `SELECT EXISTS (
    SELECT FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
      AND c.relname <> '_prisma_migrations'
      AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
  ) AS has_tables`;

/**
 * Compares the database with `migrations`: one query if it has ever been migrated, else one more.
 *
 * @throws StartupError if a migration failed halfway, or was changed after it was applied.
 */
export async function inspectSchema(client: Pick<ClientBase, "query">, migrations: readonly Migration[]): Promise<SchemaReport> {
  const rows = await appliedRows(client);
  if (rows.length === 0) {
    const { rows: answer } = await client.query<{ has_tables: boolean }>(HAS_TABLES);
    return answer[0]?.has_tables ? { state: "foreign", pending: [] } : { state: "empty", pending: [...migrations] };
  }

  const known = new Map(migrations.map((migration) => [migration.name, migration]));
  // Whose database it is comes first: another program's half-done migration is no concern of ours.
  if (!rows.some((row) => known.has(row.migration_name))) return { state: "foreign", pending: [] };
  for (const row of rows) refuseBroken(row, known.get(row.migration_name));
  if (rows.some((row) => !known.has(row.migration_name))) return { state: "newer", pending: [] };

  const applied = new Set(rows.map((row) => row.migration_name));
  const pending = migrations.filter((migration) => !applied.has(migration.name));
  return { state: pending.length === 0 ? "current" : "older", pending };
}

async function appliedRows(client: Pick<ClientBase, "query">): Promise<Row[]> {
  // Asked for, not tried: within a transaction a failed query would end that. Of the catalogue itself: to_regclass answers
  // from a cache, which after waiting for another's migration still says that there is no such table.
  const { rows } = await client.query<{ exists: boolean }>(
    "SELECT EXISTS (SELECT FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relname = '_prisma_migrations') AS exists",
  );
  return rows[0]?.exists ? (await client.query<Row>(APPLIED)).rows : [];
}

function refuseBroken(row: Row, migration: Migration | undefined): void {
  if (!row.finished) {
    throw new StartupError({
      what: "the database cannot be used",
      cause: `its migration ${row.migration_name} was begun and never finished`,
      fix:
        "if a migration is running now, wait for it to end; if none is, undo what it left behind (the column `logs` of " +
        `_prisma_migrations says how far it came) and run \`npx prisma migrate resolve --rolled-back ${row.migration_name}\``,
    });
  }
  if (migration !== undefined && migration.checksum !== row.checksum) {
    throw new StartupError({
      what: "the database cannot be used",
      cause: `prisma/migrations/${row.migration_name}/migration.sql was changed after it was applied`,
      fix: "restore that file as it was released, and put the change into a new migration",
    });
  }
}
