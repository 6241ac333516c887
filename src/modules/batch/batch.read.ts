import { queryFromInfo } from "@pothos/plugin-prisma";
import type { OutputRef } from "@pothos/core";
import type { GraphQLResolveInfo } from "graphql";
import type { Context } from "../../context.ts";
import { builder } from "../../graphql/builder.ts";
import { fromGlobalId } from "../../graphql/global-id.ts";
import { registerNode } from "../../graphql/node.ts";
import { type KindInSchema, kindInSchema } from "./batch.kind.ts";
import { batchLoader, type BatchRow } from "./batch.store.ts";

/**
 * A batch of a kind, of the principal's bank and mode, with the columns that the operation asks of it, or null. `written`: it
 * is not read again.
 */
export async function loadBatch(
  kind: string,
  id: string,
  context: Context,
  info: GraphQLResolveInfo,
  written: BatchRow | null = null,
): Promise<BatchRow | null> {
  // Also of one that is known: it tells Pothos that the fields below have what they need.
  const { select } = queryFromInfo({ context, info, typeName: kindInSchema(kind).typename });
  return written ?? batchLoader(context).load({ kind, id, select: select ?? {} });
}

/** Has the batches of a kind read one by one: by `node`, and by a root field of this name. */
export function readableBy(field: string, { name, typename, prefix, requires }: KindInSchema, type: OutputRef<BatchRow>): void {
  registerNode(prefix, typename, requires, (id, context, info) => loadBatch(name, id, context, info));
  builder.queryField(field, (t) =>
    t.field({
      type,
      nullable: true,
      authScopes: requires,
      description: "One batch; null when there is no such batch here.",
      args: { id: t.arg.id({ required: true, description: `The batch's id: \`${prefix}_\` and a UUID.` }) },
      resolve: async (_root, { id }, context, info) => {
        const uuid = fromGlobalId(prefix, id);
        return (uuid && (await loadBatch(name, uuid, context, info))) as never;
      },
    }),
  );
}
