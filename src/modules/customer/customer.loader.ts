import { createContextCache } from "@pothos/core";
import DataLoader from "dataloader";
import { maySee, within } from "../../access/principal.ts";
import type { Context } from "../../context.ts";
import type { Customer } from "../../database/generated/client.ts";
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

async function loadCustomers(context: Context, keys: readonly Key[]): Promise<(CustomerRow | null)[]> {
  const found = new Map<string, CustomerRow>();
  await Promise.all(
    [...Map.groupBy(keys, ({ by }) => by)].flatMap(([by, group]) => {
      const values = [...new Set(group.map(({ value }) => value))];
      const select: CustomerSelect = Object.assign({}, KEY_COLUMNS, ...group.map((key) => key.select));
      return (maySee(context.principal, by) ? [values] : values.map((value) => [value])).map(async (some) => {
        // One row at most needs no telling which value it has.
        const told = some.length > 1;
        const rows = (await context.db.customer.findMany({
          where: { ...within(context.principal), [by]: { in: some } },
          select: told ? { ...select, [by]: true } : select,
        })) as unknown as CustomerRow[];
        for (const row of rows) found.set(`${by} ${told ? row[by] : some[0]}`, row);
      });
    }),
  );
  return keys.map(({ by, value }) => found.get(`${by} ${value}`) ?? null);
}
