import type { GraphQLResolveInfo } from "graphql";
import type { Context } from "../../context.ts";
import { builder } from "../../graphql/builder.ts";
import { pageArgs } from "../../graphql/connection.ts";
import { badUserInput } from "../../graphql/errors.ts";
import { ANY, type ArgsOrAny, facts } from "../../graphql/field-facts.ts";
import { registerNode } from "../../graphql/node.ts";
import { CustomerBy, CustomerFilterInput, CustomerOrderInput } from "./customer.inputs.ts";
import { fieldsAsked, listCustomers } from "./customer.list.ts";
import { customerLoader, type CustomerLookup, type CustomerRow } from "./customer.loader.ts";
import { lookupValue } from "./customer.policy.ts";
import { columnsAsked } from "./customer.selection.ts";
import { CustomerConnection, CustomerType } from "./customer.type.ts";

/** The most values that one list of a filter may hold. */
const MAX_FILTER_VALUES = 500;

/** What a look-up by e-mail costs, in points: who tries addresses runs out soon. Source: contract §5. */
const LOOKUP_BY_EMAIL = 20;

/** Whether a customer may be asked for by one of these keys. */
const asksBy = ({ by }: ArgsOrAny, ...keys: CustomerLookup[]) => by === ANY || keys.some((key) => by[key] !== undefined);

const READ_CUSTOMERS = { scope: "customers:read" } as const;

/** A customer of the principal's bank and mode with the columns that the operation asks of it, or null. */
export function loadCustomer(by: CustomerLookup, value: string, context: Context, info: GraphQLResolveInfo): Promise<CustomerRow | null> {
  return customerLoader(context).load({ by, value, select: columnsAsked(context, info) });
}

registerNode("", "Customer", READ_CUSTOMERS, (id, context, info) => loadCustomer("id", id, context, info));

builder.queryFields((t) => ({
  customer: t.field({
    type: CustomerType,
    nullable: true,
    authScopes: READ_CUSTOMERS,
    description: "One customer by one of its unique keys; null when there is no such customer here.",
    args: { by: t.arg({ type: CustomerBy, required: true, description: "Exactly one key." }) },
    extensions: facts({
      points: (args) => (asksBy(args, "email") ? LOOKUP_BY_EMAIL : 1),
      lookups: (args) => (asksBy(args, "email", "reference", "clientRef") ? 1 : 0),
    }),
    resolve: async (_root, { by }, context, info) => {
      const [[key, given]] = Object.entries(by) as [[CustomerLookup, string]];
      context.disclosed.ask([key]);
      const value = lookupValue(key, given);
      return value === null ? null : await loadCustomer(key, value, context, info);
    },
  }),
  customers: t.field({
    type: CustomerConnection,
    authScopes: READ_CUSTOMERS,
    description:
      "The customers of the key's bank and mode, newest first unless ordered otherwise. Pages are cut by keyset: " +
      "page 10,000 costs what page 1 costs, and rows inserted meanwhile are neither skipped nor repeated under the default order.",
    args: {
      ...pageArgs.both(),
      filter: t.arg({ type: CustomerFilterInput, description: "Only customers that match all that is given." }),
      orderBy: t.arg({ type: CustomerOrderInput, description: "Without it: newest first." }),
    },
    extensions: facts({ asks: fieldsAsked }),
    resolve: (_root, args, context, info) => {
      for (const [name, value] of Object.entries(args.filter ?? {})) {
        if (Array.isArray(value) && value.length > MAX_FILTER_VALUES) {
          throw badUserInput(`filter.${name} takes at most ${MAX_FILTER_VALUES} values.`);
        }
      }
      return listCustomers(args, context, info);
    },
  }),
}));
