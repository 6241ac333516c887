import type { Principal } from "../access/principal.ts";
import { within } from "../access/principal.ts";
import type { CustomerFieldName } from "../access/visibility.ts";
import type { Transaction } from "../database/client.ts";
import { INSERT_DELIVERIES } from "./outbox.ts";
import { tallyOf } from "./tally.ts";
import type { BlacklistReason, CustomerEventType, CustomerLifecycle } from "../database/generated/enums.ts";

/** One write to one customer. */
export interface Change {
  readonly customerId: string;
  readonly type: CustomerEventType;
  /** The version that the write made. */
  readonly version: number;
  /** The fields that the write set or cleared: names, never values. Empty for CREATED. */
  readonly changed?: readonly CustomerFieldName[];
  /** What the customer has come to by it; null when it is gone. */
  readonly lifecycle: CustomerLifecycle | null;
  readonly reason?: BlacklistReason | null;
  readonly expiresAt?: Date | null;
}

/** Who writes, and where: a principal, or the gateway's own jobs acting within one bank and mode. */
export type Actor = Pick<Principal, "tenantId" | "mode" | "keyId"> & Partial<Pick<Principal, "tenantKind">>;

/** The actor that jobs write as. */
export const GATEWAY_ACTOR = "gateway";

/**
 * Records changes in the transaction that makes them. Every write to a customer goes through here and
 * nothing else writes history, so that history is complete, and whatever else must follow a change
 * has one place to stand: the webhooks do. One statement, however many changes. The transaction must be one of `write`,
 * which adds the audit's entry: anywhere else this throws.
 */
export async function recordChanges(tx: Transaction, actor: Actor, at: Date, changes: readonly Change[]): Promise<void> {
  if (changes.length === 0) return;
  tallyOf(tx).add(changes);
  const { bankId, mode } = within(actor);
  const rows = changes.map((change) => ({
    customer_id: change.customerId,
    version: change.version,
    type: change.type,
    changed: change.changed,
    lifecycle: change.lifecycle,
    reason: change.reason,
    expires_at: change.expiresAt,
  }));
  await tx.$executeRaw`
    WITH change AS (
    INSERT INTO customer_event (bank_id, mode, customer_id, version, type, actor, changed, lifecycle, reason, expires_at, at)
    SELECT ${bankId}::text, ${mode}::mode, r.customer_id, r.version, r.type, ${actor.keyId}::text, coalesce(r.changed, '{}'), r.lifecycle, r.reason, r.expires_at, ${at}::timestamptz
    FROM json_to_recordset(${JSON.stringify(rows)}::json) AS r(
      customer_id uuid, version int, type customer_event_type, changed text[], lifecycle customer_lifecycle, reason blacklist_reason, expires_at timestamptz
    ) RETURNING *)
    ${INSERT_DELIVERIES}`;
}
