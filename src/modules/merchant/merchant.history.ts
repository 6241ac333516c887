import { within } from "../../access/principal.ts";
import type { Context } from "../../context.ts";
import type { Merchant, MerchantEvent } from "../../database/generated/client.ts";
import type { MerchantEventType } from "../../database/generated/enums.ts";
import { builder } from "../../graphql/builder.ts";
import { type Connection, connectionType } from "../../graphql/connection.ts";
import { TrustLevelEnum } from "../../graphql/trust-level.ts";
import { createHistoryLoader, type HistoryKey, historyOf } from "../../graphql/history.ts";
import type { PageArgs } from "../../graphql/pagination.ts";

const MerchantEventTypeEnum = builder.enumType("MerchantEventType", {
  description: "What happened to a merchant.",
  values: {
    CREATED: { description: "The merchant was registered." },
    TRUST_LEVEL_CHANGED: { description: "Its trust level was set to another." },
  } satisfies Record<MerchantEventType, object>,
});

const MerchantEventType_ = builder.objectRef<MerchantEvent>("MerchantEvent").implement({
  description: "Something that happened to a merchant: who did what and when.",
  fields: (t) => ({
    version: t.exposeInt("version", { description: "The version of the merchant that this made." }),
    type: t.field({ type: MerchantEventTypeEnum, description: "What happened.", resolve: ({ type }) => type }),
    actor: t.exposeString("actor", { description: "The id of the key that did it." }),
    trustLevel: t.field({ type: TrustLevelEnum, description: "The trust level from then on.", resolve: ({ trustLevel }) => trustLevel }),
    at: t.field({ type: "DateTime", description: "When.", resolve: ({ at }) => at }),
  }),
});

export const MerchantEventConnection = connectionType("MerchantEvent", MerchantEventType_);

/** The history of one merchant, newest first. */
export function merchantHistory({ id }: Merchant, args: PageArgs, context: Context): Connection<MerchantEvent> {
  return historyOf(historyLoader, "merchantHistory", id, args, context);
}

/** Histories by merchant and page; of all merchants of a list they are one statement. */
export const historyLoader = createHistoryLoader(loadHistories);

async function loadHistories({ db, principal }: Context, keys: readonly HistoryKey[]): Promise<MerchantEvent[][]> {
  const { bankId, mode } = within(principal);
  const wanted = keys.map((key, place) => ({ ...key, place }));
  const rows = await db.$queryRaw<(MerchantEvent & { place: number })[]>`
    SELECT wanted.place, event.*
    FROM jsonb_to_recordset(${JSON.stringify(wanted)}::jsonb) AS wanted(place int, "of" uuid, below int, take int)
    CROSS JOIN LATERAL (
      SELECT version, type, actor, trust_level AS "trustLevel", at
      FROM merchant_event
      WHERE bank_id = ${bankId}::text AND mode = ${mode}::mode AND merchant_id = wanted."of" AND version < wanted.below
      ORDER BY version DESC
      LIMIT wanted.take
    ) AS event
    ORDER BY wanted.place, event.version DESC`;
  const byPlace = Map.groupBy(rows, ({ place }) => place);
  return keys.map((_, place) => byPlace.get(place) ?? []);
}
