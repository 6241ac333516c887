import { createContextCache } from "@pothos/core";
import DataLoader from "dataloader";
import { maySee, within } from "../../access/principal.ts";
import type { Context } from "../../context.ts";
import { type Customer, Prisma } from "../../database/generated/client.ts";
import { readRows } from "../../database/read-rows.ts";
import { CUSTOMER_FIELDS, type CustomerFieldName } from "../../access/visibility.ts";

/** The columns to read: `{email: true}`. */
export type CustomerSelect = { [Column in keyof Customer]?: boolean };

/** The columns that were read of a customer; the key always. */
export type CustomerRow = Pick<Customer, "id" | "bankId" | "mode"> & Partial<Customer>;

/** By which unique column a customer is looked up. */
export type CustomerLookup = "id" | "email" | "phrase" | "reference" | "clientRef";

interface Key {
  readonly by: CustomerLookup;
  readonly value: string;
  readonly select: CustomerSelect;
}

/** What every read of a customer needs. */
export const KEY_COLUMNS = { id: true, bankId: true, mode: true } as const;

/** The columns that a field is made of, as Prisma selects them. */
export function columnsOf(field: CustomerFieldName): CustomerSelect {
  return Object.fromEntries(CUSTOMER_FIELDS[field].columns.map((column) => [column, true]));
}

/**
 * Loads customers of the principal's bank and mode by any unique column: all look-ups of one tick by
 * the same column are one statement, which reads the columns that any of them needs. By a column that
 * may not be seen, each value is a statement: it is compared with and never selected. Null: no such
 * customer here.
 */
export const customerLoader = createContextCache(
  (context: Context) =>
    new DataLoader<Key, CustomerRow | null, string>((keys) => loadCustomers(context, keys), {
      cacheKeyFn: ({ by, value, select }) => JSON.stringify([by, value, Object.keys(select).sort()]),
    }),
);

/** The columns, by the model's names, of the bank's customers that have one of these values. */
async function readCustomers(
  { db, principal }: Context,
  by: CustomerLookup,
  values: readonly string[],
  fields: readonly (keyof Customer)[],
): Promise<CustomerRow[]> {
  const { bankId, mode } = within(principal);
  const text = `SELECT ${fields.map((field) => COLUMNS[field]).join(", ")} FROM "public"."customer"
    WHERE "bank_id" = $1 AND "mode" = $2::mode AND ${COLUMNS[by]} = ANY($3::${by === "id" ? "uuid" : "text"}[])`;
  const rows = await readRows(db, { text, values: [bankId, mode, values] });
  return rows.map((row) => Object.fromEntries(fields.map((field, index) => [field, row[index]])) as unknown as CustomerRow);
}

/** The column of each of the model's fields, as a statement names it. */
const COLUMNS = Object.fromEntries(
  Object.keys(Prisma.CustomerScalarFieldEnum).map((field) => [
    field,
    `"customer"."${field.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)}"`,
  ]),
) as Record<keyof Customer, string>;

async function loadCustomers(context: Context, keys: readonly Key[]): Promise<(CustomerRow | null)[]> {
  const found = new Map<string, CustomerRow>();
  await Promise.all(
    [...Map.groupBy(keys, ({ by }) => by)].flatMap(([by, group]) => {
      const values = [...new Set(group.map(({ value }) => value))];
      const select: CustomerSelect = Object.assign({}, KEY_COLUMNS, ...group.map((key) => key.select));
      return (maySee(context.principal, by) ? [values] : values.map((value) => [value])).map(async (some) => {
        // One row at most needs no telling which value it has.
        const told = some.length > 1;
        const fields = Object.keys(told ? { ...select, [by]: true } : select) as (keyof Customer)[];
        for (const row of await readCustomers(context, by, some, fields)) found.set(`${by} ${told ? row[by] : some[0]}`, row);
      });
    }),
  );
  return keys.map(({ by, value }) => found.get(`${by} ${value}`) ?? null);
}
