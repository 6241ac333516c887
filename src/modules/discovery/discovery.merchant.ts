import { createContextCache } from "@pothos/core";
import DataLoader from "dataloader";
import { within } from "../../access/principal.ts";
import type { Scope } from "../../access/scopes.ts";
import { lackingTrust, limitFactorOf } from "../../access/trust.ts";
import type { Context } from "../../context.ts";
import type { TrustLevel } from "../../database/generated/enums.ts";
import { badUserInput, forbidden } from "../../graphql/errors.ts";
import { fromGlobalId, MERCHANT_PREFIX, toGlobalId } from "../../graphql/global-id.ts";

/** The merchant that a question is asked for: its global id, and how many times the usual limits it has. */
export interface Asking {
  readonly id: string;
  readonly factor: number;
}

/**
 * What the principal's tenant trusts its merchants with, by their ids, and nothing else of them: who asks may not read merchants. Null: it has
 * none of that id in this mode.
 */
const trustLoader = createContextCache(
  ({ db, principal }: Context) =>
    new DataLoader<string, TrustLevel | null>(async (ids) => {
      const rows = await db.merchant.findMany({
        where: { ...within(principal), id: { in: [...ids] } },
        select: { id: true, trustLevel: true },
      });
      const levels = new Map(rows.map(({ id, trustLevel }) => [id, trustLevel]));
      return ids.map((id) => levels.get(id) ?? null);
    }),
);

/**
 * For whom a question is asked that needs a scope: a merchant's own key asks for itself, anybody else's for the merchant that `entityId`
 * names, one of its own. The merchant's level decides, whoever asks: one that is too low is FORBIDDEN. Throws BAD_USER_INPUT where it is left
 * out, and for a merchant of another tenant or mode as for none.
 */
export async function askingFor(context: Context, entityId: string | null | undefined, scope: Scope): Promise<Asking> {
  const { tenantId, trustLevel: own } = context.principal;
  if (own === null && entityId == null) throw wrongEntity("is required: the merchant that you ask for.");
  const uuid = fromGlobalId(MERCHANT_PREFIX, entityId ?? tenantId);
  const id = uuid && toGlobalId(MERCHANT_PREFIX, uuid);
  const trustLevel = own === null ? uuid && (await trustLoader(context).load(uuid)) : id === tenantId && own;
  if (!id || !trustLevel) throw wrongEntity("there is no such merchant here.");
  const lacks = lackingTrust(trustLevel, scope);
  if (lacks !== null) throw forbidden(lacks);
  return { id, factor: limitFactorOf(trustLevel) };
}

const wrongEntity = (message: string) => badUserInput(`entityId: ${message}`, { inputPath: "entityId" });
