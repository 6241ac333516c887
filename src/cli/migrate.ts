import { Command } from "commander";
import type pg from "pg";
import { readConfig } from "../config.ts";
import { ensureSchema } from "../database/migrate.ts";
import { StartupError } from "../startup-error.ts";

/** `migrate`: brings the tables of DATABASE_URL to this version. The embedded database does so by itself. */
export function migrateCommand(): Command {
  return new Command("migrate").description("bring the tables of DATABASE_URL to this version").action(async () => {
    const connection = operatorDatabase();
    const applied = await ensureSchema(connection, { autoMigrate: "always" });
    console.log(applied.length > 0 ? `Applied: ${applied.join(", ")}` : "There was nothing to do.");
  });
}

/** How to reach the operator's own PostgreSQL. Throws StartupError when there is none. */
export function operatorDatabase(): pg.PoolConfig {
  const { databaseUrl } = readConfig();
  if (databaseUrl === null) {
    throw new StartupError({
      what: "there is no database to work on",
      cause: "DATABASE_URL is not set, and the embedded database needs no such command",
      fix: "set DATABASE_URL to the address of PostgreSQL",
    });
  }
  return { connectionString: databaseUrl };
}
