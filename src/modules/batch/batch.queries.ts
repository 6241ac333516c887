import { queryFromInfo } from "@pothos/plugin-prisma";
import type { GraphQLResolveInfo } from "graphql";
import { within } from "../../access/principal.ts";
import type { Context } from "../../context.ts";
import { builder } from "../../graphql/builder.ts";
import { type Connection, connectionType, once, pageArgs, ROW_PATHS } from "../../graphql/connection.ts";
import { cursorsOf } from "../../graphql/cursor.ts";
import { keysetPage } from "../../graphql/keyset.ts";
import { fromGlobalId } from "../../graphql/global-id.ts";
import { registerNode } from "../../graphql/node.ts";
import { type PageArgs, pageRequest, toPage } from "../../graphql/pagination.ts";
import { batchLoader, type BatchRow } from "./batch.store.ts";
import { BATCH_PREFIX, BatchResultType, READ_BATCHES } from "./batch.type.ts";

const BatchResultConnection = connectionType("BatchResult", BatchResultType);

/** A batch of the principal's bank and mode with the columns that the operation asks of it, or null. `written`: it is not read again. */
export async function loadBatch(
  id: string,
  context: Context,
  info: GraphQLResolveInfo,
  written: BatchRow | null = null,
): Promise<BatchRow | null> {
  // Also of one that is known: it tells Pothos that the fields below have what they need.
  const { select } = queryFromInfo({ context, info, typeName: "BatchResult" });
  return written ?? batchLoader(context).load({ id, select: select ?? {} });
}

registerNode(BATCH_PREFIX, "BatchResult", READ_BATCHES, loadBatch);

builder.queryFields((t) => ({
  batch: t.field({
    type: BatchResultType,
    nullable: true,
    authScopes: READ_BATCHES,
    description: "One batch; null when there is no such batch here.",
    args: { id: t.arg.id({ required: true, description: "The batch's id: `bat_` and a UUID." }) },
    resolve: async (_root, { id }, context, info) => {
      const uuid = fromGlobalId(BATCH_PREFIX, id);
      return (uuid && (await loadBatch(uuid, context, info))) as never;
    },
  }),
  batches: t.field({
    type: BatchResultConnection,
    authScopes: READ_BATCHES,
    description: "The batches of the key's bank and mode, newest first.",
    args: pageArgs.both(),
    resolve: (_root, args, context, info) => listBatches(args, context, info) as never,
  }),
}));

function listBatches(args: PageArgs, context: Context, info: GraphQLResolveInfo): Connection<BatchRow> {
  const request = pageRequest(args);
  const cursors = cursorsOf(context.keyring, { list: "batches", ...within(context.principal) });
  const { where, ...page } = keysetPage(
    { column: "createdAt", tieBreaker: "id", descending: true },
    request,
    cursors.open(args.after),
    cursors.open(args.before),
    (key) => new Date(key),
  );
  return {
    page: once(async () => {
      const { select } = queryFromInfo({ context, info, paths: ROW_PATHS, select: { id: true, createdAt: true } });
      const rows = await context.db.batch.findMany({ where: { ...within(context.principal), AND: where }, select, ...page });
      return toPage(rows as unknown as BatchRow[], request);
    }),
    cursor: ({ createdAt, id }) => cursors.seal([createdAt!.getTime(), id]),
    count: () => Promise.reject(new Error("batches are not counted")),
  };
}
