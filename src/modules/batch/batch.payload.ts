import { within } from "../../access/principal.ts";
import type { Actor } from "../../changes/record-change.ts";
import type { Origin } from "../../changes/write.ts";
import type { Keyring } from "../../crypto/keyring.ts";
import type { Database, Transaction } from "../../database/client.ts";

/** What a worker needs of a batch: the rows as they came, and on whose behalf it writes them. */
export interface BatchPayload {
  readonly rows: readonly unknown[];
  readonly atomic: boolean;
  readonly origin: Origin;
}

/** Keeps a batch's rows until they are processed: encrypted, bound to their batch. */
export async function savePayload(tx: Transaction, keyring: Keyring, actor: Actor, batchId: string, payload: BatchPayload): Promise<void> {
  const { tenantId, tenantKind, mode, keyId } = actor;
  const text = JSON.stringify({ ...payload, origin: { ...payload.origin, actor: { tenantId, tenantKind, mode, keyId } } });
  const sealed = keyring.seal("encryption", text, contextOf(actor, batchId));
  await tx.batchPayload.create({ data: { ...within(actor), batchId, sealed } });
}

/** The rows of a batch; null when they have been processed. Throws UndecipherableError. */
export async function openPayload(
  db: Database,
  keyring: Keyring,
  place: Pick<Actor, "tenantId" | "mode">,
  batchId: string,
): Promise<BatchPayload | null> {
  const row = await db.batchPayload.findFirst({ where: { ...within(place), batchId } });
  return row && (JSON.parse(keyring.open("encryption", row.sealed, contextOf(place, batchId))) as BatchPayload);
}

/** Deletes a batch's rows: nothing of them is needed any more. */
export async function removePayload(tx: Transaction, place: Pick<Actor, "tenantId" | "mode">, batchId: string): Promise<void> {
  await tx.batchPayload.deleteMany({ where: { ...within(place), batchId } });
}

const contextOf = (place: Pick<Actor, "tenantId" | "mode">, batchId: string) => {
  const { bankId, mode } = within(place);
  return `${bankId}|${mode}|batch ${batchId}`;
};
