import { within } from "../../access/principal.ts";
import type { Actor } from "../../changes/record-change.ts";
import { tallyOf } from "../../changes/tally.ts";
import type { Transaction } from "../../database/client.ts";
import type { MerchantEvent } from "../../database/generated/client.ts";
import { MERCHANT_PREFIX, toGlobalId } from "../../graphql/global-id.ts";

/**
 * Records what happened to merchants in the transaction that makes it: every write to a merchant goes through here, and nothing
 * else writes their history. The transaction must be one of `write`.
 */
export async function recordMerchantEvents(
  tx: Transaction,
  actor: Actor,
  at: Date,
  events: readonly Pick<MerchantEvent, "merchantId" | "version" | "type" | "trustLevel">[],
): Promise<void> {
  for (const { merchantId } of events) tallyOf(tx).merchants.add(toGlobalId(MERCHANT_PREFIX, merchantId));
  await tx.merchantEvent.createMany({ data: events.map((event) => ({ ...within(actor), ...event, actor: actor.keyId, at })) });
}
