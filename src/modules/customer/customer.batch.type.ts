import { builder } from "../../graphql/builder.ts";
import { pageArgs, ROW_PATHS } from "../../graphql/connection.ts";
import { registerKind } from "../batch/batch.kind.ts";
import { batchType, listCreated } from "../batch/batch.type.ts";
import { customerLoader, KEY_COLUMNS } from "./customer.loader.ts";
import { columnsAsked } from "./customer.selection.ts";
import { CustomerConnection } from "./customer.type.ts";

/** Batches of customers. Who sends them reads them; so does who may see the EXTENDED fields that they are made of. */
export const CUSTOMER_BATCHES = registerKind({
  name: "CUSTOMER",
  typename: "BatchResult",
  prefix: "bat",
  requires: { $any: { scope: "batches:write", visibility: "EXTENDED" } },
  thing: { typename: "Customer", prefix: "" },
});

export const BatchResultType = batchType(
  CUSTOMER_BATCHES,
  "A batch of customers: what was sent, and what became of each row. Read with `batches:write` or EXTENDED visibility.",
);

builder.prismaObjectFields(BatchResultType, (t) => ({
  customerIds: t.idList({
    description: "The ids of the created customers, in the order of the rows. Stored: an erased customer's id stays.",
    select: { createdIds: true },
    resolve: ({ createdIds }) => createdIds,
  }),
  customers: t.field({
    type: CustomerConnection,
    authScopes: { scope: "customers:read" },
    description: "The created customers, in the order of the rows, under the caller's visibility. Needs `customers:read`.",
    args: pageArgs.forward(),
    select: { createdIds: true },
    resolve: (batch, args, context, info) => {
      const loadWith = (columns: object) => (id: string) => customerLoader(context).load({ by: "id", value: id, select: columns });
      return listCreated(batch, args, context, { load: loadWith(columnsAsked(context, info, ROW_PATHS)), find: loadWith(KEY_COLUMNS) });
    },
  }),
}));
