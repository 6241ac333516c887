import { within } from "../access/principal.ts";
import type { Keyring } from "../crypto/keyring.ts";
import type { Transaction } from "../database/client.ts";
import type { Mode } from "../database/generated/enums.ts";
import type { Actor } from "./record-change.ts";

/** What a merchant can know a customer by. */
export type DiscoveryKey = "email" | "device";

/** A customer as merchants of its mode may find it. */
export interface Discoverable {
  readonly customerId: string;
  readonly phrase: string;
  /** Null: the customer has not consented, and is not found. */
  readonly consentAt: Date | null;
  /** In their normal forms. */
  readonly email: string;
  readonly deviceIds?: readonly string[];
}

/** The keyed hashes that a value may stand under, newest first. Of the mode and not of the bank: who asks knows no bank. */
export function discoveryHashes(keyring: Keyring, mode: Mode, by: DiscoveryKey, value: string): Uint8Array<ArrayBuffer>[] {
  return keyring.hashes("discovery", `${mode}|${by}|${value}`);
}

/**
 * Has merchants find customers of the actor's bank and mode, by the newest key: one statement, however many. Those who have
 * not consented are left out. Of customers who may be found already, `conceal` comes first.
 */
export async function publish(tx: Transaction, keyring: Keyring, actor: Actor, customers: readonly Discoverable[]): Promise<void> {
  const { bankId, mode } = within(actor);
  const data = customers.flatMap(({ customerId, phrase, consentAt, email, deviceIds = [] }) => {
    if (consentAt === null) return [];
    const keys = [["email", email] as const, ...deviceIds.map((id) => ["device", id] as const)];
    return keys.map(([by, value]) => ({
      bankId,
      mode,
      customerId,
      phrase,
      consentAt,
      hash: discoveryHashes(keyring, mode, by, value)[0]!,
    }));
  });
  if (data.length > 0) await tx.discovery.createMany({ data, skipDuplicates: true });
}

/** Has merchants find customers no more. */
export async function conceal(tx: Transaction, actor: Actor, customerIds: readonly string[]): Promise<void> {
  await tx.discovery.deleteMany({ where: { ...within(actor), customerId: { in: [...customerIds] } } });
}
