// Makes the next migration out of what changed in prisma/schema.prisma, or checks that nothing is missing:
//
//   node scripts/db-migration.ts add_customer_title     writes prisma/migrations/<timestamp>_add_customer_title
//   node scripts/db-migration.ts --check                exits 1 if the migrations do not make the schema
//   node scripts/db-migration.ts --print                prints the SQL that makes the whole schema from nothing
//
// It compares by replaying the migrations in a throwaway embedded database: no server, no download.

import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { openEmbedded } from "../src/database/embedded.ts";
import { MIGRATIONS_DIR, type Migration, readMigrations } from "../src/database/migrations-folder.ts";
import { migrationList, NO_FILTERS, openSchemaEngine } from "../src/database/schema-engine.ts";

const SCHEMA = join(MIGRATIONS_DIR, "../schema.prisma");

/**
 * Indexes that only the migrations know, because Prisma's schema language has no words for them; the engine
 * would drop them as strangers. Each has its reason beside it in the migration that makes it.
 */
const HAND_WRITTEN_INDEXES: ReadonlySet<string> = new Set(["customer_search", "customer_blacklist_expiry", "webhook_delivery_due"]);

/** The SQL that leads from the migrations to the schema; "" if there is nothing to do. */
async function missingSql(migrations: Migration[]): Promise<string> {
  const dir = mkdtempSync(join(tmpdir(), "customer-gateway-shadow-"));
  const embedded = await openEmbedded({ dataDir: dir });
  const client = new pg.Client(embedded.connection);
  try {
    await client.connect();
    const engine = await openSchemaEngine(client, { shadow: true });
    const { stdout } = await engine.diff({
      from: { tag: "migrations", ...migrationList(MIGRATIONS_DIR, migrations) },
      to: { tag: "schemaDatamodel", files: [{ path: SCHEMA, content: readFileSync(SCHEMA, "utf8") }] },
      script: true,
      exitCode: null,
      filters: NO_FILTERS,
    });
    return withoutHandWritten(stdout ?? "");
  } finally {
    await client.end();
    await embedded.close();
    rmSync(dir, { recursive: true, force: true });
  }
}

/** The engine writes each step as a comment line and its statement, with an empty line between steps. */
function withoutHandWritten(sql: string): string {
  const steps = sql.split(/\n(?=-- \w)/).filter((step) => {
    const dropped = /^-- DropIndex\nDROP INDEX "([^"]+)";/.exec(step)?.[1];
    return dropped === undefined || !HAND_WRITTEN_INDEXES.has(dropped);
  });
  const rest = steps.join("\n").trim();
  return rest === "-- This is an empty migration." ? "" : rest;
}

function write(name: string, sql: string): string {
  const timestamp = new Date().toISOString().replace(/\D/g, "").slice(0, 14);
  const dir = join(MIGRATIONS_DIR, `${timestamp}_${name}`);
  mkdirSync(dir, { recursive: true });
  writeFileSync(join(dir, "migration.sql"), `${sql}\n`);
  return join(dir, "migration.sql");
}

const USAGE = "Usage: node scripts/db-migration.ts NAME | --check | --print   (NAME: lower case letters, digits and _)";
const argument = process.argv[2] ?? "";
if (argument === "--print") {
  console.log(await missingSql([]));
} else if (argument !== "--check" && !/^[a-z][a-z0-9_]*$/.test(argument)) {
  console.error(USAGE);
  process.exitCode = 2;
} else {
  const sql = await missingSql(readMigrations());
  if (argument === "--check") {
    if (sql !== "") console.error(`The migrations do not make prisma/schema.prisma. Missing:\n\n${sql}`);
    process.exitCode = sql === "" ? 0 : 1;
  } else if (sql === "") {
    console.log("Nothing to do: the migrations make prisma/schema.prisma.");
  } else {
    console.log(`Wrote ${write(argument, sql)}: read it, and edit it where data must be moved.`);
  }
}
