import { createContextCache } from "@pothos/core";
import DataLoader from "dataloader";
import { within } from "../../access/principal.ts";
import type { Scope } from "../../access/scopes.ts";
import { lackingTrust } from "../../access/trust.ts";
import type { Context } from "../../context.ts";
import type { TrustLevel } from "../../database/generated/enums.ts";
import { badUserInput, forbidden } from "../../graphql/errors.ts";
import { fromGlobalId, MERCHANT_PREFIX, toGlobalId } from "../../graphql/global-id.ts";

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

/** A merchant that questions may be asked for. */
export interface Entity {
  readonly id: string;
  readonly trustLevel: TrustLevel;
}

/**
 * For whom a question is asked: a merchant's own key asks for itself, anybody else's for the merchant that `entityId` names, one of its own.
 * Null: there is no such merchant, or one of another tenant or mode.
 */
async function entityOf(context: Context, entityId: string | null | undefined): Promise<Entity | null> {
  const { tenantId, trustLevel: own } = context.principal;
  const uuid = fromGlobalId(MERCHANT_PREFIX, entityId ?? tenantId);
  const id = uuid && toGlobalId(MERCHANT_PREFIX, uuid);
  const trustLevel = own === null ? uuid && (await trustLoader(context).load(uuid)) : id === tenantId && own;
  return id && trustLevel ? { id, trustLevel } : null;
}

/** What the merchant that is named lacks for a question; null: nothing, or there is no such merchant, which is no matter of access. */
export async function lackingEntity(context: Context, entityId: string | null | undefined, scope: Scope): Promise<string | null> {
  const entity = await entityOf(context, entityId);
  return entity && lackingTrust(entity.trustLevel, scope);
}

/**
 * For whom a question is asked that needs a scope. The merchant's level decides, whoever asks: one that is too low is FORBIDDEN. Throws
 * BAD_USER_INPUT where it is left out, and for a merchant of another tenant or mode as for none.
 */
export async function askingFor(context: Context, entityId: string | null | undefined, scope: Scope): Promise<Entity> {
  if (context.principal.trustLevel === null && entityId == null) throw wrongEntity("is required: the merchant that you ask for.");
  const entity = await entityOf(context, entityId);
  if (!entity) throw wrongEntity("there is no such merchant here.");
  const lacks = lackingTrust(entity.trustLevel, scope);
  if (lacks !== null) throw forbidden(lacks);
  return entity;
}

const wrongEntity = (message: string) => badUserInput(`entityId: ${message}`, { inputPath: "entityId" });
