import type { Actor } from "../../changes/record-change.ts";
import { within } from "../../access/principal.ts";
import type { Transaction } from "../../database/client.ts";
import { type Customer, Prisma } from "../../database/generated/client.ts";
import { fromGlobalId } from "../../graphql/global-id.ts";
import { CustomerNotFound } from "./customer.errors.ts";

/**
 * Reads a customer of the actor's bank and mode and holds it until the transaction ends, so that two
 * writers come one after the other; to erase it also waits for those who have only met it (`findExisting`).
 * Throws CustomerNotFound, for another bank's as for none.
 */
export async function lockCustomer(tx: Transaction, actor: Actor, globalId: string, to: "write" | "erase" = "write"): Promise<Customer> {
  const id = fromGlobalId("", globalId);
  if (id === null) throw new CustomerNotFound();
  const { bankId, mode } = within(actor);
  const strength = to === "erase" ? Prisma.sql`FOR UPDATE` : Prisma.sql`FOR NO KEY UPDATE`;
  await tx.$queryRaw`
    SELECT 1 FROM customer WHERE bank_id = ${bankId}::text AND mode = ${mode}::mode AND id = ${id}::uuid ${strength}`;
  const customer = await tx.customer.findFirst({ where: { ...within(actor), id } });
  if (!customer) throw new CustomerNotFound();
  return customer;
}

/**
 * When a write to a locked customer happens: now, but not before its last write, which may have waited
 * less for the lock or gone by another gateway's clock. So times in a history never run backwards.
 */
export function timeOfWrite({ updatedAt }: Pick<Customer, "updatedAt">, now: Date): Date {
  return now > updatedAt ? now : updatedAt;
}
