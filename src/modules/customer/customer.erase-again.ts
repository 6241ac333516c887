import { ownWork, write, type WriteServices } from "../../changes/write.ts";
import type { ErasedCustomer } from "../../database/generated/client.ts";
import { eraseCustomer } from "./customer.erase.ts";
import { CustomerNotFound } from "./customer.errors.ts";

/**
 * Erases whoever of these a restored database has brought back, each in a write of its own with its audit entry and its webhooks, and puts back
 * the tombstones that it lacks. Gives how many were erased. Safe to repeat.
 */
export async function eraseAgain(services: WriteServices, tombstones: readonly ErasedCustomer[]): Promise<number> {
  const { db, keyring } = services;
  let erased = 0;
  for (const [, ofPlace] of Map.groupBy(tombstones, ({ bankId, mode }) => `${mode} ${bankId}`)) {
    const { bankId, mode } = ofPlace[0]!;
    const reasons = new Map(ofPlace.map(({ id, reason }) => [id, reason]));
    const back = await db.customer.findMany({ where: { bankId, mode, id: { in: [...reasons.keys()] } }, select: { id: true } });
    const origin = ownWork({ tenantId: bankId, mode }, "erase-again");
    for (const { id } of back) {
      const input = { id, reason: reasons.get(id)! };
      await write(services, origin, (tx) => eraseCustomer(tx, keyring, origin.actor, input, new Date())).then(
        () => (erased += 1),
        (error: unknown) => {
          if (!(error instanceof CustomerNotFound)) throw error;
        },
      );
    }
    await db.erasedCustomer.createMany({ data: ofPlace, skipDuplicates: true });
  }
  return erased;
}
