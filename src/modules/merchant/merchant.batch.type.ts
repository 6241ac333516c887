import { builder } from "../../graphql/builder.ts";
import { pageArgs } from "../../graphql/connection.ts";
import { MERCHANT_PREFIX, toGlobalId } from "../../graphql/global-id.ts";
import { registerKind } from "../batch/batch.kind.ts";
import { batchType, listCreated } from "../batch/batch.type.ts";
import { merchantLoader } from "./merchant.loader.ts";
import { MANAGE_MERCHANTS, MerchantConnection } from "./merchant.type.ts";

export const MERCHANT_BATCHES = registerKind({
  name: "MERCHANT",
  typename: "MerchantBatchResult",
  prefix: "mbt",
  requires: MANAGE_MERCHANTS,
  thing: { typename: "Merchant", prefix: MERCHANT_PREFIX },
});

export const MerchantBatchResultType = batchType(
  MERCHANT_BATCHES,
  "A batch of merchants: what was sent, and what became of each row. Read with `merchants:write`.",
);

builder.prismaObjectFields(MerchantBatchResultType, (t) => ({
  merchantIds: t.idList({
    description: "The ids of the created merchants, in the order of the rows.",
    select: { createdIds: true },
    resolve: ({ createdIds }) => createdIds.map((id) => toGlobalId(MERCHANT_PREFIX, id)),
  }),
  merchants: t.field({
    type: MerchantConnection,
    description: "The created merchants, in the order of the rows.",
    args: pageArgs.forward(),
    select: { createdIds: true },
    resolve: (batch, args, context) => {
      const load = (id: string) => merchantLoader(context).load(id);
      return listCreated(batch, args, context, { load, find: load });
    },
  }),
}));
