import type pg from "pg";
import type { Config } from "../config.ts";
import { claimDataDir } from "../database/data-dir.ts";
import { hasEmbedded, openEmbedded } from "../database/embedded.ts";
import { connect } from "../database/migrate.ts";
import { StartupError } from "../startup-error.ts";
import { stopOnSignal } from "./stop-signal.ts";

/** Runs `use` on DATABASE_URL, or else on DATA_DIR, which no gateway may hold; `prepare` comes before the connection. */
export async function withDatabase<Result>(
  { databaseUrl, dataDir }: Pick<Config, "databaseUrl" | "dataDir">,
  use: (client: pg.Client) => Promise<Result>,
  prepare: (connection: pg.PoolConfig) => Promise<unknown> = async () => {},
): Promise<Result> {
  const run = async (connection: pg.PoolConfig) => {
    await prepare(connection);
    const client = await connect({ application_name: "customer-gateway backup", keepAlive: true, ...connection });
    return use(client).finally(() => client.end());
  };
  return withConnection({ databaseUrl, dataDir }, run);
}

/** Runs `use` on an address of DATABASE_URL, or else of DATA_DIR's embedded database, which no gateway may hold. */
export async function withConnection<Result>(
  { databaseUrl, dataDir }: Pick<Config, "databaseUrl" | "dataDir">,
  use: (connection: pg.PoolConfig) => Promise<Result>,
): Promise<Result> {
  return databaseUrl === null ? withEmbedded(dataDir, use) : use({ connectionString: databaseUrl });
}

/** Runs `use` on the embedded database of a data directory that no gateway holds. Throws StartupError when one does. */
export async function withEmbedded<Result>(dataDir: string, use: (connection: pg.PoolConfig) => Promise<Result>): Promise<Result> {
  const claim = claimDataDir(dataDir);
  try {
    const embedded = await openEmbedded({ dataDir });
    return await use(embedded.connection).finally(() => embedded.close());
  } finally {
    claim.release();
  }
}

/** Throws StartupError when a data directory has no database: opening it would make one. */
export function refuseNoEmbedded(dataDir: string): void {
  if (hasEmbedded(dataDir)) return;
  throw new StartupError({
    what: "there is no data to take",
    cause: `the data directory ${dataDir} has no database`,
    fix: "check DATA_DIR, or DATABASE_URL",
  });
}

/** Runs what a signal may stop: nothing of it is then left, and the command ends with 3. */
export async function stoppable(what: string, run: (stop: AbortSignal) => Promise<void>): Promise<void> {
  const stop = stopOnSignal();
  try {
    await run(stop);
  } catch (error) {
    if (!stop.aborted) throw error;
    console.error(`The ${what} was stopped before its end, and nothing is left of it.`);
    process.exitCode = 3;
  }
}

/** `12 rows of 14 tables`. */
export function countOf(rows: Readonly<Record<string, number>>): string {
  const counts = Object.values(rows);
  return `${counts.reduce((sum, count) => sum + count, 0)} rows of ${counts.length} tables`;
}
