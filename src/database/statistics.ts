import type { Job } from "../jobs/schedule.ts";
import type { Database } from "./client.ts";

/** Fewer new rows change no plan. */
const MIN_CHANGES = 1000;

/** What was erased stands in the planner's statistics until they are made anew: of a table that has changed at all, so late at most. */
const FORGET_AFTER_MS = 60 * 60 * 1000;

/** Of the time, at most this part goes into it. */
const SHARE = 0.02;
const EVERY_MS = 2_000;

/**
 * Tells PostgreSQL's planner soon of a bank that grows. Every index is led by bank and mode, and of a bank that it has
 * not heard of it expects no row: then any index seems as good as the one that finds a single row, and a look-up reads
 * all that the bank has. Autovacuum looks once a minute, and only when a tenth of the whole table is new: during an
 * import into a database of many banks, that is never. Statistics hold values of rows, so they are made anew after fewer changes too, and where
 * PostgreSQL no longer knows how old they are: after a crash, and at each start of the embedded database.
 */
export function analyzeGrowth(db: Database, forgetAfterMs = FORGET_AFTER_MS): Job {
  // By table, how long the last time took.
  const took = new Map<string, number>();
  return {
    name: "analyze-growth",
    everyMs: EVERY_MS,
    async run() {
      const grown = await db.$queryRaw<{ name: string; idleMs: number }[]>`
        SELECT t.relname::text AS name,
          extract(epoch FROM clock_timestamp() - coalesce(analyzed, 'epoch'))::float8 * 1000 AS "idleMs"
        FROM pg_stat_user_tables t JOIN pg_attribute a ON a.attrelid = t.relid AND a.attname = 'bank_id'
        CROSS JOIN LATERAL (SELECT greatest(last_analyze, last_autoanalyze) AS analyzed) AS latest
        WHERE schemaname = current_schema() AND (n_mod_since_analyze >= ${MIN_CHANGES}::int OR n_mod_since_analyze > 0
          AND analyzed < clock_timestamp() - ${forgetAfterMs}::float8 * interval '1 ms'
          OR analyzed IS NULL
          AND EXISTS (SELECT FROM pg_stats s WHERE s.schemaname = t.schemaname AND s.tablename = t.relname))`;
      for (const { name, idleMs } of grown) {
        if (idleMs < (took.get(name) ?? 0) / SHARE) continue;
        const started = performance.now();
        await db.$executeRawUnsafe(`ANALYZE "${name}"`);
        took.set(name, performance.now() - started);
      }
    },
  };
}
