import { GATEWAY_ACTOR } from "../../changes/record-change.ts";
import type { Keyring } from "../../crypto/keyring.ts";
import { type Database, transaction } from "../../database/client.ts";
import type { BlacklistedIdentity } from "../../database/generated/client.ts";
import { identityHashes, rehashIdentity } from "./customer.blacklisted-identity.ts";
import { CustomerNotFound } from "./customer.errors.ts";
import { isBlacklisted } from "./customer.policy.ts";
import { lockCustomer } from "./customer.write.ts";

type Identity = Omit<BlacklistedIdentity, "expiresAt">;

/** Before the first identity of the table. */
export const FIRST_IDENTITY: Identity = {
  bankId: "",
  mode: "SANDBOX",
  hash: new Uint8Array(),
  customerId: "00000000-0000-0000-0000-000000000000",
};

/**
 * Hashes anew, by the newest key, those of the next `limit` identities that an older key hashed from an e-mail or
 * phone that its customer has now. Others cannot be made anew: their keys must be kept. The last identity that was
 * looked at, or null when there are no more.
 */
export async function rehashIdentities(db: Database, keyring: Keyring, after: Identity, limit: number): Promise<Identity | null> {
  const rows = await db.$queryRaw<Identity[]>`
    SELECT bank_id AS "bankId", mode::text AS mode, hash, customer_id AS "customerId" FROM blacklisted_identity
    WHERE (bank_id, mode, hash, customer_id) > (${after.bankId}::text, ${after.mode}::mode, ${after.hash}::bytea, ${after.customerId}::uuid)
    ORDER BY bank_id, mode, hash, customer_id LIMIT ${limit}::int`;
  const older = rows.filter(({ hash }) => hex(hash).slice(0, 8) !== keyring.ids[0]);
  for (const identity of older) await rehash(db, keyring, identity);
  return rows.length < limit ? null : rows.at(-1)!;
}

async function rehash(db: Database, keyring: Keyring, { bankId, mode, customerId, hash }: Identity): Promise<void> {
  const actor = { tenantId: bankId, mode, keyId: GATEWAY_ACTOR };
  const isOf = (customer: { email: string; phone: string | null }) =>
    identityHashes(keyring, actor, customer)
      .flat()
      .some((one) => hex(one) === hex(hash));
  // First without holding the customer: most that stay under an older key stay there for ever.
  const customer = await db.customer.findUnique({
    where: { bankId_mode_id: { bankId, mode, id: customerId } },
    select: { email: true, phone: true },
  });
  if (!customer || !isOf(customer)) return;
  await transaction(db, async (tx) => {
    const held = await lockCustomer(tx, actor, customerId);
    if (isBlacklisted(held, new Date())) await rehashIdentity(tx, keyring, actor, held);
  }).catch((error: unknown) => {
    if (!(error instanceof CustomerNotFound)) throw error;
  });
}

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");
