import type { GraphQLResolveInfo } from "graphql";
import { within } from "../../access/principal.ts";
import type { CustomerFieldName } from "../../access/visibility.ts";
import type { Context } from "../../context.ts";
import { type Connection, MAX_COUNT, once, ROW_PATHS, toCount } from "../../graphql/connection.ts";
import { cursorsOf } from "../../graphql/cursor.ts";
import { type Keyset, keysetPage } from "../../graphql/keyset.ts";
import { type PageArgs, pageRequest, toPage } from "../../graphql/pagination.ts";
import type { CustomerRow } from "./customer.loader.ts";
import { columnsAsked } from "./customer.selection.ts";
import { searchNames } from "./customer.search.ts";
import { type CustomerFilter, customersWhere, fieldsFiltered, filterConditions, requireVisible } from "./customer.policy.ts";

export interface CustomerOrder {
  readonly field: CustomerOrderField;
  readonly direction: "ASC" | "DESC";
}

/** Each order: the field whose visibility it needs, and the column it sorts by. */
export const CUSTOMER_ORDERS = {
  CREATED_AT: { field: "createdAt", column: "createdAt" },
  UPDATED_AT: { field: "updatedAt", column: "updatedAt" },
  ACCOUNT_NAME: { field: "accountName", column: "accountNameKey" },
} as const satisfies Record<string, { field: CustomerFieldName; column: keyof CustomerRow }>;

export type CustomerOrderField = keyof typeof CUSTOMER_ORDERS;

export interface CustomersArgs extends PageArgs {
  filter?: CustomerFilter | null;
  orderBy?: CustomerOrder | null;
}

/** The fields that a list's order and filter ask about, each of which the principal must see. */
export function fieldsAsked({ orderBy, filter }: CustomersArgs): CustomerFieldName[] {
  return [...(orderBy ? [CUSTOMER_ORDERS[orderBy.field].field] : []), ...fieldsFiltered(filter ?? {})];
}

/**
 * The customers of the principal's bank and mode. Without an order: newest first, open to all since it
 * tells no value. Sorting or filtering by a field that may not be seen is FORBIDDEN_FIELD.
 */
export function listCustomers(args: CustomersArgs, context: Context, info: GraphQLResolveInfo): Connection<CustomerRow> {
  const { principal, db } = context;
  const request = pageRequest(args);
  const order = CUSTOMER_ORDERS[args.orderBy?.field ?? "CREATED_AT"];
  const asked = fieldsAsked(args);
  for (const field of asked) requireVisible(principal, field);
  context.disclosed.ask(asked);
  const conditions = filterConditions(args.filter ?? {}, new Date());
  const { search } = args.filter ?? {};
  const named = once(async () => (search == null ? null : searchNames(context, search)));

  const keyset: Keyset = { column: order.column, tieBreaker: "id", descending: args.orderBy?.direction !== "ASC" };
  const cursors = cursorsOf(context.keyring, {
    list: "customers",
    ...within(principal),
    filter: args.filter ?? {},
    order: args.orderBy ?? null,
  });
  const isNewestFirst = order === CUSTOMER_ORDERS.CREATED_AT && keyset.descending;
  const decode = (key: string | number) => (order.column === "accountNameKey" ? key : new Date(key));
  const { where, ...page } = keysetPage(keyset, request, cursors.open(args.after), cursors.open(args.before), decode);

  return {
    page: once(async () => {
      const select = { ...columnsAsked(context, info, ROW_PATHS), [order.column]: true };
      const read = async (among: readonly object[]) => {
        const query = { where: customersWhere(principal, [...conditions, ...where, ...among]), select, ...page, skip: context.offset };
        return toPage((await db.customer.findMany(query)) as unknown as CustomerRow[], request);
      };
      const found = await named();
      if (!found || !(found.isWhole || isNewestFirst)) return read([]);
      const among = await read([{ id: { in: found.ids } }]);
      // Of the newest alone, a page that is full is the list's own.
      return found.isWhole || among.hasNextPage ? among : read([]);
    }),
    count: once(async () => {
      const found = await named();
      const among = found?.isWhole ? [{ id: { in: found.ids } }] : [];
      return toCount(await db.customer.count({ where: customersWhere(principal, [...conditions, ...among]), take: MAX_COUNT + 1 }));
    }),
    cursor: (row) => {
      const key = row[order.column]!;
      return cursors.seal([key instanceof Date ? key.getTime() : key, row.id]);
    },
  };
}
