import type { ClientBase } from "pg";

/** A table of the gateway, as the catalogue tells of it; every name is quoted as SQL takes it. */
export interface Table {
  readonly name: string;
  /** Without generated ones, which make themselves. */
  readonly columns: readonly { readonly name: string; readonly type: string }[];
  readonly primaryKey: readonly string[];
  /** The other tables that its foreign keys point to. */
  readonly refersTo: readonly string[];
  /** Whether some values were too large for PostgreSQL to keep within their rows. */
  readonly hasLargeValues: boolean;
}

/**
 * All of schema `public` but what belongs to an extension, and `_prisma_migrations`: which migrations there are stands at
 * a backup's beginning, and the tables that it goes into have a record of their own. Other schemas are no part of it:
 * `jobs` is the queue's, which names batches by id and fills itself again from `batch` and `batch_payload`.
 */
const TABLES = `
  SELECT quote_ident(c.relname) AS name,
    (SELECT json_agg(json_build_object('name', quote_ident(attname), 'type', format_type(atttypid, atttypmod)) ORDER BY attnum)
      FROM pg_attribute WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped AND attgenerated = '') AS columns,
    ARRAY(SELECT quote_ident(a.attname) FROM pg_index i, unnest(i.indkey::int2[]) WITH ORDINALITY AS k (number, place), pg_attribute a
      WHERE i.indrelid = c.oid AND i.indisprimary AND a.attrelid = c.oid AND a.attnum = k.number ORDER BY k.place) AS "primaryKey",
    ARRAY(SELECT DISTINCT quote_ident(other.relname) FROM pg_constraint f JOIN pg_class other ON other.oid = f.confrelid
      WHERE f.contype = 'f' AND f.conrelid = c.oid AND f.confrelid <> c.oid) AS "refersTo",
    coalesce(pg_relation_size(c.reltoastrelid), 0) > 0 AS "hasLargeValues"
  FROM pg_class c
  WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND c.relname <> '_prisma_migrations'
    AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
  ORDER BY c.relname`;

/** The tables whose rows make up the database, each after those that its rows refer to. */
export async function readTables(client: ClientBase): Promise<Table[]> {
  const { rows: waiting } = await client.query<Table>(TABLES);
  const sorted: Table[] = [];
  while (sorted.length < waiting.length) {
    const isThere = (name: string) => sorted.some((table) => table.name === name);
    const next = waiting.filter((table) => !isThere(table.name) && table.refersTo.every(isThere));
    if (next.length === 0) throw new Error("some tables refer to each other in a circle, so none can be filled first");
    sorted.push(...next);
  }
  return sorted;
}

/**
 * For the transaction that a whole database is read or written in: values have one form, whatever the server's or the
 * role's settings, and nothing is cut off because it takes long. A user whom row-level security would hide rows from is
 * refused: by default PostgreSQL leaves them out without a word.
 */
export const SETTINGS = `
  SET LOCAL search_path = public; SET LOCAL row_security = off;
  SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0;
  SET LOCAL datestyle = 'ISO, YMD'; SET LOCAL intervalstyle = postgres; SET LOCAL timezone = 'UTC';
  SET LOCAL bytea_output = hex; SET LOCAL extra_float_digits = 1`;
