import { existsSync, readdirSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";

/** An address of PostgreSQL whose user may create databases, or undefined: those tests are then left out. */
export const TEST_DATABASE_URL = process.env["TEST_DATABASE_URL"];

/** A Chromium to drive, or undefined: those tests are then left out. */
export const CHROMIUM_PATH =
  process.env["CHROMIUM_PATH"] ?? ["/usr/bin/chromium", "/usr/bin/chromium-browser"].find((path) => existsSync(path));

/** A curl to run the printed lines with, or undefined: that test is then left out. */
export const CURL_PATH = onPath("curl");

/** The folder of PostgreSQL's own programs, to start servers of a test's own, or undefined: those tests are then left out. */
export const POSTGRESQL_BIN = postgresqlBin();

/** A PgBouncer to put before PostgreSQL, or undefined: that test is then left out. */
export const PGBOUNCER_PATH = TEST_DATABASE_URL && onPath("pgbouncer");

/** A redis-server to start and stop, or undefined: those tests are then left out. */
export const REDIS_PATH = onPath("redis-server");

/** Whether what the examples need is installed; if not, those that need it are left out. */
export const EXAMPLES_INSTALLED = existsSync(join(import.meta.dirname, "../../examples/node_modules/.package-lock.json"));

function postgresqlBin(): string | undefined {
  const versions = existsSync("/usr/lib/postgresql") ? readdirSync("/usr/lib/postgresql").sort((a, b) => Number(b) - Number(a)) : [];
  const bin = versions.map((version) => `/usr/lib/postgresql/${version}/bin`).find((dir) => existsSync(join(dir, "initdb")));
  return bin ?? (onPath("initdb") && dirname(onPath("initdb")!));
}

function onPath(name: string): string | undefined {
  return [...(process.env["PATH"] ?? "").split(delimiter), "/usr/sbin"].map((dir) => join(dir, name)).find((path) => existsSync(path));
}
