import { type Actor, type Change, recordChanges } from "../../changes/record-change.ts";
import { within } from "../../access/principal.ts";
import type { CustomerFieldName } from "../../access/visibility.ts";
import type { Keyring } from "../../crypto/keyring.ts";
import type { Transaction } from "../../database/client.ts";
import { type Customer, Prisma } from "../../database/generated/client.ts";
import { fromGlobalId } from "../../graphql/global-id.ts";
import { republish } from "./customer.discovery.ts";
import { CustomerNotFound, VersionConflict } from "./customer.errors.ts";
import { lifecycleChanged, lifecycleOf } from "./customer.lifecycle.ts";

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

/** Throws VersionConflict unless a customer is still as its caller read it, or the caller did not say. */
export function requireVersion(customer: Customer, expected: number | null | undefined): void {
  if (expected != null && expected !== customer.version) throw new VersionConflict(customer);
}

/** What a write makes of a customer: columns to set, the fields that they are, and what history calls it. */
export interface CustomerChange extends Pick<Change, "type" | "reason" | "expiresAt"> {
  readonly data: Partial<Customer>;
  readonly changed: readonly CustomerFieldName[];
}

/** By what merchants find a customer. */
const FOUND_BY: readonly CustomerFieldName[] = ["email", "consent", "devices"];

/**
 * Every write to a customer that is there: the columns with the next version, what it has come to by that, where merchants
 * find it, and the history of it all. The customer must be held; it is given as it is afterwards.
 */
export async function changeCustomer(
  tx: Transaction,
  keyring: Keyring,
  actor: Actor,
  customer: Customer,
  now: Date,
  { data, changed, ...change }: CustomerChange,
): Promise<Customer> {
  const written = { ...data, version: customer.version + 1, updatedAt: now };
  await tx.customer.updateMany({ where: { ...within(actor), id: customer.id }, data: written });
  const after = { ...customer, ...written };
  // Before: as the last write left it, for what has run out since is part of no history yet.
  const [before, lifecycle] = [lifecycleOf(customer, customer.updatedAt), lifecycleOf(after, now)];
  if (changed.some((field) => FOUND_BY.includes(field))) await republish(tx, keyring, actor, [after]);
  const fields = [...changed, ...lifecycleChanged(before, lifecycle)];
  await recordChanges(tx, actor, now, [{ ...change, customerId: customer.id, version: after.version, changed: fields, lifecycle }]);
  return after;
}
