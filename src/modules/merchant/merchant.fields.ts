import { originOf, write } from "../../changes/write.ts";
import { builder } from "../../graphql/builder.ts";
import { pageArgs } from "../../graphql/connection.ts";
import { TrustLevelEnum } from "../../graphql/trust-level.ts";
import { fromGlobalId, MERCHANT_PREFIX } from "../../graphql/global-id.ts";
import { registerNode } from "../../graphql/node.ts";
import { MerchantNotFound, MerchantVersionConflict } from "./merchant.errors.ts";
import { historyLoader } from "./merchant.history.ts";
import { listMerchants } from "./merchant.list.ts";
import { merchantLoader } from "./merchant.loader.ts";
import { setTrustLevel } from "./merchant.trust.ts";
import { MANAGE_MERCHANTS, MerchantConnection, MerchantType } from "./merchant.type.ts";

const MerchantFilterInput = builder.inputType("MerchantFilter", {
  description: "Only merchants that match all that is given. Null and left out: no restriction.",
  fields: (t) => ({
    trustLevels: t.field({ type: [TrustLevelEnum], description: "With one of these trust levels." }),
  }),
});

const SetTrustLevelInput = builder.inputType("SetTrustLevelInput", {
  description: "Which merchant, and what it is trusted with.",
  fields: (t) => ({
    id: t.id({ required: true, description: "The merchant." }),
    trustLevel: t.field({ type: TrustLevelEnum, required: true, description: "The trust level that it is to have." }),
    expectedVersion: t.int({ description: "The version that the caller has read: any other is MerchantVersionConflict." }),
  }),
});

registerNode(MERCHANT_PREFIX, "Merchant", MANAGE_MERCHANTS, (id, context) => merchantLoader(context).load(id));

builder.queryFields((t) => ({
  merchant: t.field({
    type: MerchantType,
    nullable: true,
    authScopes: MANAGE_MERCHANTS,
    description: "One merchant; null when there is no such merchant here.",
    args: { id: t.arg.id({ required: true, description: "The merchant's id: `mer_` and a UUID." }) },
    resolve: async (_root, { id }, context) => {
      const uuid = fromGlobalId(MERCHANT_PREFIX, id);
      return uuid === null ? null : await merchantLoader(context).load(uuid);
    },
  }),
  merchants: t.field({
    type: MerchantConnection,
    authScopes: MANAGE_MERCHANTS,
    description: "The merchants of the key's tenant and mode, newest first.",
    args: { ...pageArgs.both(), filter: t.arg({ type: MerchantFilterInput, description: "Only merchants that match all that is given." }) },
    resolve: (_root, args, context) => listMerchants(args, context),
  }),
}));

builder.mutationField("setTrustLevel", (t) =>
  t.field({
    type: MerchantType,
    authScopes: MANAGE_MERCHANTS,
    description: "Sets what a merchant is trusted with. Repeating it changes nothing and writes no history.",
    args: { input: t.arg({ type: SetTrustLevelInput, required: true, description: "Which merchant, and its trust level." }) },
    errors: {
      types: [MerchantNotFound, MerchantVersionConflict],
      union: { name: "SetTrustLevelResult", description: "The merchant as it is now, or why nothing changed." },
    },
    resolve: async (_root, { input }, context, info) => {
      const merchant = await write(context, originOf(context, info), (tx) => setTrustLevel(tx, context.principal, input, new Date()));
      // One document may write a merchant twice: what was loaded for the first answer is out of date.
      for (const loader of [merchantLoader, historyLoader]) loader(context).clearAll();
      return merchant;
    },
  }),
);
