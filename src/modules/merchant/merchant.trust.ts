import { within } from "../../access/principal.ts";
import type { Actor } from "../../changes/record-change.ts";
import { timeOfWrite } from "../../changes/time-of-write.ts";
import type { Transaction } from "../../database/client.ts";
import type { Merchant } from "../../database/generated/client.ts";
import type { TrustLevel } from "../../database/generated/enums.ts";
import { fromGlobalId, MERCHANT_PREFIX } from "../../graphql/global-id.ts";
import { MerchantNotFound, MerchantVersionConflict } from "./merchant.errors.ts";
import { recordMerchantEvents } from "./merchant.events.ts";

export interface SetTrustLevel {
  readonly id: string;
  readonly trustLevel: TrustLevel;
  readonly expectedVersion?: number | null;
}

/**
 * Sets a merchant's trust level in the caller's transaction. A level that it has already changes nothing: no new version, no
 * history. Throws MerchantNotFound, for another tenant's as for none, and MerchantVersionConflict.
 */
export async function setTrustLevel(
  tx: Transaction,
  actor: Actor,
  { id, trustLevel, expectedVersion }: SetTrustLevel,
  now: Date,
): Promise<Merchant> {
  const merchant = await lockMerchant(tx, actor, id);
  if (expectedVersion != null && expectedVersion !== merchant.version) throw new MerchantVersionConflict(merchant.version);
  if (trustLevel === merchant.trustLevel) return merchant;
  const version = merchant.version + 1;
  const updatedAt = timeOfWrite(merchant, now);
  await tx.merchant.updateMany({ where: { ...within(actor), id: merchant.id }, data: { trustLevel, version, updatedAt } });
  await recordMerchantEvents(tx, actor, updatedAt, [{ merchantId: merchant.id, version, type: "TRUST_LEVEL_CHANGED", trustLevel }]);
  return { ...merchant, trustLevel, version, updatedAt };
}

/** Reads a merchant and holds it until the transaction ends, so that two writers come one after the other. */
async function lockMerchant(tx: Transaction, actor: Actor, globalId: string): Promise<Merchant> {
  const id = fromGlobalId(MERCHANT_PREFIX, globalId);
  if (id === null) throw new MerchantNotFound();
  const { bankId, mode } = within(actor);
  await tx.$queryRaw`
    SELECT 1 FROM merchant WHERE bank_id = ${bankId}::text AND mode = ${mode}::mode AND id = ${id}::uuid FOR NO KEY UPDATE`;
  const merchant = await tx.merchant.findFirst({ where: { ...within(actor), id } });
  if (!merchant) throw new MerchantNotFound();
  return merchant;
}
