import { queryFromInfo } from "@pothos/plugin-prisma";
import type { GraphQLResolveInfo } from "graphql";
import { within } from "../../access/principal.ts";
import type { Context } from "../../context.ts";
import { builder } from "../../graphql/builder.ts";
import { type Connection, connectionType, once, pageArgs, ROW_PATHS } from "../../graphql/connection.ts";
import { cursorsOf } from "../../graphql/cursor.ts";
import { newestFirst } from "../../graphql/keyset.ts";
import { type PageArgs, pageRequest, toPage } from "../../graphql/pagination.ts";
import { BatchResultType, CUSTOMER_BATCHES } from "../customer/customer.batch.type.ts";
import { readableBy } from "./batch.read.ts";
import type { BatchRow } from "./batch.store.ts";

const BatchResultConnection = connectionType("BatchResult", BatchResultType);

readableBy("batch", CUSTOMER_BATCHES, BatchResultType);

builder.queryField("batches", (t) =>
  t.field({
    type: BatchResultConnection,
    authScopes: CUSTOMER_BATCHES.requires,
    description: "The batches of customers of the key's bank and mode, newest first.",
    args: pageArgs.both(),
    resolve: (_root, args, context, info) => listBatches(args, context, info) as never,
  }),
);

function listBatches(args: PageArgs, context: Context, info: GraphQLResolveInfo): Connection<BatchRow> {
  const request = pageRequest(args);
  const cursors = cursorsOf(context.keyring, { list: "batches", ...within(context.principal) });
  const { where, ...page } = newestFirst(request, cursors, args);
  return {
    page: once(async () => {
      const { select } = queryFromInfo({ context, info, paths: ROW_PATHS, select: { id: true, createdAt: true } });
      const rows = await context.db.batch.findMany({
        where: { ...within(context.principal), kind: CUSTOMER_BATCHES.name, AND: where },
        select,
        ...page,
      });
      return toPage(rows as unknown as BatchRow[], request);
    }),
    cursor: ({ createdAt, id }) => cursors.seal([createdAt!.getTime(), id]),
    count: () => Promise.reject(new Error("batches are not counted")),
  };
}
