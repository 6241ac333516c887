import type { ClientBase } from "pg";
import { refuseEmpty, refuseForeign, schemaState } from "../migrate.ts";
import { refusalOf } from "./refusal.ts";
import type { Ending, Heading, Part } from "./format.ts";
import { readTables, SETTINGS, type Table } from "./tables.ts";

/** How many rows are asked for at once, at most; of a table with large values, where each may be a megabyte. */
const MAX_ROWS = 200;
const MAX_LARGE_ROWS = 8;

/** How many characters they may have, were all as large as the largest yet. */
const PAGE_SIZE = 4_000_000;

/**
 * The rows of all tables as they stand at one moment, however long it takes, beside whoever reads and writes. A migration
 * waits for its end. Throws StartupError.
 */
export async function* dump(client: ClientBase): AsyncGenerator<Part> {
  try {
    const state = await schemaState(client);
    refuseForeign(state);
    refuseEmpty(state);
    const names = (await readTables(client)).map(({ name }) => `public.${name}`);
    await client.query(`BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; ${SETTINGS}`);
    // Before the first look, which fixes the moment: a migration under way is then either whole or not begun.
    await client.query(`LOCK TABLE ${names.join(", ")} IN ACCESS SHARE MODE`);
    const tables = await readTables(client);
    yield { heading: await readHeading(client, tables) };
    const rows: Record<string, number> = {};
    for (const table of tables) {
      rows[table.name] = 0;
      for await (const page of pagesOf(client, table)) {
        rows[table.name]! += page.length;
        yield { table: table.name, rows: page };
      }
    }
    // After the rows: a sequence knows no transaction, and must not stand before a number that was given.
    yield { ending: { rows, sequences: await readSequences(client) } };
  } catch (error) {
    throw refusalOf(error, "the database cannot be read");
  } finally {
    // On a lost connection there is nothing left to end.
    await client.query("ROLLBACK").catch(() => {});
  }
}

async function readHeading(client: ClientBase, tables: readonly Table[]): Promise<Heading> {
  const { rows: migrations } = await client.query<Heading["migrations"][number]>(
    "SELECT migration_name AS name, checksum FROM _prisma_migrations WHERE rolled_back_at IS NULL ORDER BY 1",
  );
  return { migrations, tables: tables.map(({ name, columns }) => ({ name, columns: columns.map((column) => column.name) })) };
}

/** A table's rows in the order of its primary key; so much at once that neither many rows nor large ones fill the memory. */
async function* pagesOf(client: ClientBase, { name, columns, primaryKey, hasLargeValues }: Table): AsyncGenerator<string[]> {
  const texts = columns.map((column) => `${column.name}::text`).join(", ");
  const order = primaryKey.length > 0 ? `ORDER BY ${primaryKey.join(", ")}` : "";
  await client.query(`DECLARE page NO SCROLL CURSOR FOR SELECT array_to_json(ARRAY[${texts}])::text AS row FROM ${name} ${order}`);
  const most = hasLargeValues ? MAX_LARGE_ROWS : MAX_ROWS;
  let largest = 1;
  for (let limit = 1; ;) {
    const { rows } = await client.query<{ row: string }>(`FETCH ${limit} FROM page`);
    if (rows.length > 0) yield rows.map(({ row }) => row);
    if (rows.length < limit) break;
    largest = Math.max(largest, ...rows.map(({ row }) => row.length));
    limit = Math.max(1, Math.min(2 * limit, most, Math.floor(PAGE_SIZE / largest)));
  }
  await client.query("CLOSE page");
}

async function readSequences(client: ClientBase): Promise<Ending["sequences"]> {
  const { rows } = await client.query<{ name: string; value: string }>(
    "SELECT quote_ident(sequencename) AS name, last_value::text AS value FROM pg_sequences WHERE schemaname = 'public' AND last_value IS NOT NULL",
  );
  return Object.fromEntries(rows.map(({ name, value }) => [name, value]));
}
