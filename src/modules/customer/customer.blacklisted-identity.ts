import { within } from "../../access/principal.ts";
import type { Actor } from "../../changes/record-change.ts";
import type { Keyring } from "../../crypto/keyring.ts";
import type { Transaction } from "../../database/client.ts";
import { Conflict } from "../../database/fault.ts";
import type { Customer } from "../../database/generated/client.ts";
import type { Issue } from "../../graphql/issue.ts";
import { identityText } from "./customer.columns.ts";

/** Hashes of a blacklisted customer's e-mail and phone, so that a new registration with either is known. */
export async function rememberIdentity(
  tx: Transaction,
  keyring: Keyring,
  actor: Actor,
  customer: Pick<Customer, "id" | "email" | "phone">,
  expiresAt: Date | null,
): Promise<void> {
  const place = { ...within(actor), customerId: customer.id };
  await tx.blacklistedIdentity.createMany({
    data: identityHashes(keyring, actor, customer).map(([hash]) => ({ ...place, hash: hash!, expiresAt })),
    skipDuplicates: true,
  });
  await tx.blacklistedIdentity.updateMany({ where: place, data: { expiresAt } });
}

/**
 * Hashes a blacklisted customer's e-mail and phone by the newest key instead of an older one. Hashes of values that
 * the customer has no longer stay as they are: nobody can make them anew.
 */
export async function rehashIdentity(tx: Transaction, keyring: Keyring, actor: Actor, customer: Customer): Promise<void> {
  await rememberIdentity(tx, keyring, actor, customer, customer.blacklistExpiresAt);
  const older = identityHashes(keyring, actor, customer).flatMap(([, ...hashes]) => hashes);
  await tx.blacklistedIdentity.deleteMany({ where: { ...within(actor), customerId: customer.id, hash: { in: older } } });
}

/**
 * For each registration, whether its e-mail or phone is that of a blacklisted identity of this bank and
 * mode, other than `exceptId`'s own.
 */
export async function findBlacklisted(
  tx: Transaction,
  keyring: Keyring,
  actor: Actor,
  registrations: readonly { email?: string | null; phone?: string | null }[],
  now: Date,
  exceptId?: string,
): Promise<boolean[]> {
  const { bankId, mode } = within(actor);
  // To hash all that a batch holds takes longer than to ask whether there is anything to compare it with.
  if (registrations.length > 1) {
    const found = await tx.$queryRaw<unknown[]>`
      SELECT 1 FROM blacklisted_identity WHERE bank_id = ${bankId}::text AND mode = ${mode}::mode LIMIT 1`;
    if (found.length === 0) return registrations.map(() => false);
  }
  const hashes = registrations.map((registration) =>
    identityHashes(keyring, actor, registration)
      .flat()
      .map((hash) => Buffer.from(hash.buffer).toString("hex")),
  );
  // Of a batch these are a thousand: as one text, not as a thousand parameters nor an array that is escaped sign by sign.
  const rows = await tx.$queryRaw<{ hash: string }[]>`
    SELECT encode(hash, 'hex') AS hash FROM blacklisted_identity
    WHERE bank_id = ${bankId}::text AND mode = ${mode}::mode AND hash = ANY (SELECT decode(unnest(string_to_array(${hashes.flat().join()}::text, ',')), 'hex'))
      AND (expires_at IS NULL OR expires_at > ${now}::timestamptz)
      AND (${exceptId ?? null}::uuid IS NULL OR customer_id <> ${exceptId ?? null}::uuid)`;
  const known = new Set(rows.map(({ hash }) => hash));
  return hashes.map((candidates) => candidates.some((hash) => known.has(hash)));
}

/**
 * Looks again at registrations that were written: whoever had one of their e-mails may have been blacklisted and erased since
 * they were looked at first. The transaction then runs again, and refuses them.
 */
export async function recheckBlacklisted(...parameters: Parameters<typeof findBlacklisted>): Promise<void> {
  const found = await findBlacklisted(...parameters);
  if (found.includes(true)) throw new Conflict("blacklisted meanwhile");
}

/** What a refused registration is told: not which key matched, nor whom. */
export const BLACKLISTED_ISSUE: Issue = { field: null, message: "this registration cannot be accepted" };

/** For each of e-mail and phone, its hashes by every key, newest first. */
export function identityHashes(keyring: Keyring, actor: Actor, { email, phone }: { email?: string | null; phone?: string | null }) {
  const texts = [email && identityText(within(actor), "email", email), phone && identityText(within(actor), "phone", phone)];
  return texts.filter((text) => text != null && text !== "").map((text) => keyring.hashes("blacklist", text!));
}
