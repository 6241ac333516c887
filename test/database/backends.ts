import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { openEmbedded } from "../../src/database/embedded.ts";

/** An administrator's URL, e.g. postgres://postgres@127.0.0.1:5432/postgres; unset: no test on a server. */
export const ADMIN_URL = process.env["TEST_DATABASE_URL"];

/** An empty database of a test's own. */
export interface TestDatabase {
  connection: pg.PoolConfig;
  drop(): Promise<void>;
}

/** A directory of the test's own under the system's temporary one. */
export function temporaryDir(): { dir: string; remove(): void } {
  const dir = mkdtempSync(join(tmpdir(), "customer-gateway-test-"));
  return { dir, remove: () => rmSync(dir, { recursive: true, force: true }) };
}

export async function embeddedDatabase(): Promise<TestDatabase> {
  const { dir, remove } = temporaryDir();
  const embedded = await openEmbedded({ dataDir: dir });
  return { connection: embedded.connection, drop: () => embedded.close().finally(remove) };
}

let made = 0;

/** A fresh database on the server of ADMIN_URL. */
export async function serverDatabase(): Promise<TestDatabase> {
  const name = `gateway_test_${process.pid}_${Date.now()}_${(made += 1)}`;
  await admin(`CREATE DATABASE ${name}`);
  const url = new URL(ADMIN_URL ?? "");
  url.pathname = `/${name}`;
  return { connection: { connectionString: url.href }, drop: () => admin(`DROP DATABASE ${name} WITH (FORCE)`) };
}

async function admin(sql: string): Promise<void> {
  await withClient({ connectionString: ADMIN_URL }, (client) => client.query(sql));
}

/** Runs `fn` on a connection of its own. */
export async function withClient<T>(connection: pg.PoolConfig, fn: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client(connection);
  client.on("error", () => {});
  await client.connect();
  try {
    return await fn(client);
  } finally {
    await client.end();
  }
}

/** The backends a case runs on: `[name, opener]`, the server only if there is one. */
export const BACKENDS: [string, () => Promise<TestDatabase>][] = [
  ["embedded", embeddedDatabase],
  ...(ADMIN_URL === undefined ? [] : ([["PostgreSQL", serverDatabase]] as [string, () => Promise<TestDatabase>][])),
];
