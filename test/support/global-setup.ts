import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import type { TestProject } from "vitest/node";
import { buildApp } from "../../src/app.ts";
import { ensureSchema } from "../../src/database/migrate.ts";
import {
  CHROMIUM_PATH,
  CURL_PATH,
  EXAMPLES_INSTALLED,
  PGBOUNCER_PATH,
  POSTGRESQL_BIN,
  REDIS_PATH,
  TEST_DATABASE_URL,
} from "./environment.ts";
import { testConfig } from "./config.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** A data directory with the tables and the demo bank, to copy. */
    templateDir: string;
    /** A database with the tables, to copy; null without PostgreSQL. */
    templateDatabase: string | null;
  }
}

/** Makes, once a run, what every test file starts from. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const templateDir = await mkdtemp(join(tmpdir(), "customer-gateway-template-"));
  await (await buildApp(testConfig({ dataDir: templateDir }))).close();
  project.provide("templateDir", templateDir);

  const templateDatabase = TEST_DATABASE_URL ? `customer_gateway_template_${process.pid}` : null;
  if (TEST_DATABASE_URL && templateDatabase) {
    await administer(TEST_DATABASE_URL, `CREATE DATABASE ${templateDatabase}`);
    await ensureSchema({ connectionString: databaseUrl(TEST_DATABASE_URL, templateDatabase) }, { autoMigrate: "if-empty" });
  }
  project.provide("templateDatabase", templateDatabase);
  sayWhatIsLeftOut();

  return async () => {
    await rm(templateDir, { recursive: true, force: true });
    if (TEST_DATABASE_URL && templateDatabase) await administer(TEST_DATABASE_URL, `DROP DATABASE ${templateDatabase} WITH (FORCE)`);
  };
}

/** Runs one statement outside any transaction, as CREATE DATABASE needs. */
export async function administer(url: string, sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}

/** The same server's address with another database. */
export function databaseUrl(url: string, database: string): string {
  const address = new URL(url);
  address.pathname = `/${database}`;
  return address.href;
}

function sayWhatIsLeftOut(): void {
  const lines = [
    !TEST_DATABASE_URL &&
      "PostgreSQL: every test runs on the embedded database only. To run them on both: TEST_DATABASE_URL=postgres://user:password@host:5432/postgres npm test",
    !CHROMIUM_PATH &&
      "Chromium: the GraphiQL page is not opened. To open it: apt-get install chromium, or CHROMIUM_PATH=/path/to/chromium npm test",
    !CURL_PATH && "curl: the lines that the first start prints, and examples/curl, are not run. To run them: apt-get install curl",
    !EXAMPLES_INSTALLED && "Examples: those with urql and Relay are not run. To run them: npm ci --prefix examples",
    TEST_DATABASE_URL && !PGBOUNCER_PATH && "PgBouncer: the gateway is not run behind it. To run it: apt-get install pgbouncer",
    !POSTGRESQL_BIN && "PostgreSQL's own programs: no server is restarted, locked or filled up. To do so: apt-get install postgresql",
    !REDIS_PATH && "Redis: limits are not shared by several gateways. To share them: apt-get install redis-server",
  ].filter(Boolean);
  if (lines.length > 0) console.log(["", "Left out:", ...lines.map((line) => `- ${line}`), ""].join("\n"));
}
