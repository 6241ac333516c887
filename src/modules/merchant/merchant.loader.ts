import { createContextCache } from "@pothos/core";
import DataLoader from "dataloader";
import { within } from "../../access/principal.ts";
import type { Context } from "../../context.ts";
import type { Merchant } from "../../database/generated/client.ts";

/** Merchants of the principal's tenant and mode by UUID: all of one tick are one statement. Null: no such merchant here. */
export const merchantLoader = createContextCache(
  ({ db, principal }: Context) =>
    new DataLoader<string, Merchant | null>(async (ids) => {
      const rows = await db.merchant.findMany({ where: { ...within(principal), id: { in: [...ids] } } });
      const byId = new Map(rows.map((row) => [row.id, row]));
      return ids.map((id) => byId.get(id) ?? null);
    }),
);
