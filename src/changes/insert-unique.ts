import { within } from "../access/principal.ts";
import { isRetry, type Transaction } from "../database/client.ts";
import { Prisma } from "../database/generated/client.ts";
import { CUSTOMER_KEYS, type CustomerKey } from "../graphql/enums.ts";
import type { Actor } from "./record-change.ts";

/** The tables whose rows have the three unique keys. */
export type KeyedTable = "customer" | "merchant";

/** What is to be inserted, by its keys. */
export type Keyed = { readonly [Key in CustomerKey]?: string | null };

/** The row of this bank and mode that already has one of the keys, and which. */
export interface Existing {
  readonly existingId: string;
  readonly matchedOn: CustomerKey;
}

/** What became of one row that was to be inserted. */
export type Insertion = { readonly id: string } | Existing;

/** A try that left a row neither inserted nor found is a one-in-millions event; several in a row mean that something else is wrong. */
const MAX_ATTEMPTS = 5;

/**
 * Inserts rows by one statement. The answer has one entry for each, in order: its new id, or the row of this bank and mode
 * that already has one of its keys. The unique indexes decide, so that of two callers at once exactly one wins.
 * `insertOnce` tells of each whether it was inserted, by a statement that ends with `turn`. A row that met something
 * else than its keys, such as a taken phrase, is given to it again.
 *
 * Batches write side by side. Those that hold the same keys may come to wait for each other in a circle, since three
 * unique indexes leave no order that would never do so; PostgreSQL then ends one of them, and when that runs again it
 * has the bank and mode to itself, so it meets none. One row alone cannot wait in a circle. The statement itself takes
 * the lock, before its first row. What was committed while it waited conflicts all the same: the indexes decide, not
 * the statement's snapshot.
 */
export async function insertUnique<Row extends Keyed, Made extends { id: string }>(
  tx: Transaction,
  actor: Actor,
  table: KeyedTable,
  rows: readonly Row[],
  insertOnce: (rows: readonly Row[], turn: Prisma.Sql) => Promise<(Made | undefined)[]>,
): Promise<(Made | Existing)[]> {
  const results: (Made | Existing | undefined)[] = rows.map(() => undefined);
  const turn = turnOf(tx, actor, table, rows.length > 1);
  let open = rows.map((_, index) => index);
  for (let attempt = 0; open.length > 0; attempt++) {
    if (attempt === MAX_ATTEMPTS) throw new Error(`rows were neither inserted into ${table} nor found there`);
    const rowsOf = (indexes: readonly number[]) => indexes.map((index) => rows[index]!);
    const made = await insertOnce(rowsOf(open), turn);
    open.forEach((index, place) => (results[index] = made[place]));
    open = open.filter((index) => !results[index]);
    const existing = await findExisting(tx, actor, table, rowsOf(open));
    open.forEach((index, place) => (results[index] = existing[place]));
    open = open.filter((index) => !results[index]);
  }
  return results as (Made | Existing)[];
}

/** The end of the statement that inserts: it waits for its turn, and leaves out what meets a key. */
function turnOf(tx: Transaction, actor: Actor, table: KeyedTable, isBatch: boolean): Prisma.Sql {
  const { bankId, mode } = within(actor);
  const name = `${table} batch|${bankId}|${mode}`;
  const lock = !isBatch ? "none" : isRetry(tx) ? "alone" : "shared";
  return Prisma.sql`
    WHERE (
      SELECT CASE ${lock}::text
        WHEN 'alone' THEN pg_advisory_xact_lock(hashtextextended(${name}::text, 0)) IS NOT NULL
        WHEN 'shared' THEN pg_advisory_xact_lock_shared(hashtextextended(${name}::text, 0)) IS NOT NULL
        ELSE true
      END
    )
    ON CONFLICT DO NOTHING
    RETURNING id`;
}

/**
 * For each row, the one of this bank and mode that has one of its keys; undefined where none has. Those found are not
 * erased before the transaction ends: what it then tells of them is what an erasure must find.
 */
export async function findExisting(
  tx: Transaction,
  actor: Actor,
  table: KeyedTable,
  rows: readonly Keyed[],
): Promise<(Existing | undefined)[]> {
  if (rows.length === 0) return [];
  const wanted = (key: CustomerKey) => rows.flatMap((row) => row[key] ?? []);
  const { bankId, mode } = within(actor);
  const found = await tx.$queryRaw<({ id: string } & Keyed)[]>`
    SELECT id, email, client_ref AS "clientRef", reference FROM ${Prisma.raw(table)}
    WHERE bank_id = ${bankId}::text AND mode = ${mode}::mode
      AND (email = ANY (${wanted("email")}::text[]) OR client_ref = ANY (${wanted("clientRef")}::text[]) OR reference = ANY (${wanted("reference")}::text[]))
    FOR KEY SHARE`;
  const ids = new Map(found.flatMap((row) => CUSTOMER_KEYS.map((key) => [`${key} ${row[key]}`, row.id] as const)));
  return rows.map((row) => {
    for (const matchedOn of CUSTOMER_KEYS) {
      const existingId = row[matchedOn] && ids.get(`${matchedOn} ${row[matchedOn]}`);
      if (existingId) return { existingId, matchedOn };
    }
    return undefined;
  });
}
