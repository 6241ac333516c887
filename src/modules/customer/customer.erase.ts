import { within } from "../../access/principal.ts";
import { conceal } from "../../changes/discovery.ts";
import { type Actor, recordChanges } from "../../changes/record-change.ts";
import { timeOfWrite } from "../../changes/time-of-write.ts";
import type { Keyring } from "../../crypto/keyring.ts";
import type { Transaction } from "../../database/client.ts";
import type { Customer, ErasedCustomer } from "../../database/generated/client.ts";
import type { ErasureReason } from "../../database/generated/enums.ts";
import { builder } from "../../graphql/builder.ts";
import { ErasureReasonEnum } from "../../graphql/enums.ts";
import { rehashIdentity } from "./customer.blacklisted-identity.ts";
import { isBlacklisted } from "./customer.policy.ts";
import { toldOf } from "./customer.told.ts";
import { lockCustomer } from "./customer.write.ts";

/**
 * Destroys every personal value of a customer in the caller's transaction: the row, its devices, where merchants find it,
 * notes of the blacklist, and what batches keep of the bank's references for it. What is left holds none: its history, the tombstone, and of who is
 * blacklisted at this moment the keyed hashes of e-mail and phone, by the newest key. Throws CustomerNotFound, for who was
 * erased before as for who never was. Source: contract §4.
 */
export async function eraseCustomer(
  tx: Transaction,
  keyring: Keyring,
  actor: Actor,
  { id, reason }: { readonly id: string; readonly reason: ErasureReason },
  asked: Date,
): Promise<ErasedCustomer> {
  const customer = await lockCustomer(tx, actor, id, "erase");
  const at = timeOfWrite(customer, asked);
  const here = within(actor);
  const ofCustomer = { ...here, customerId: customer.id };

  if (isBlacklisted(customer, at)) await rehashIdentity(tx, keyring, actor, customer);
  else await tx.blacklistedIdentity.deleteMany({ where: ofCustomer });
  await tx.blacklistEntry.deleteMany({ where: ofCustomer });
  await tx.device.deleteMany({ where: ofCustomer });
  await conceal(tx, actor, [customer.id]);
  await forgetClientRefs(tx, customer);
  await tx.customer.deleteMany({ where: { ...here, id: customer.id } });

  await recordChanges(tx, actor, at, [{ customerId: customer.id, type: "ERASED", version: customer.version + 1, lifecycle: null }]);
  return tx.erasedCustomer.create({ data: { ...here, id: customer.id, phrase: customer.phrase, reason, actor: actor.keyId, at } });
}

/** Takes the bank's references out of the failures of batches that tell of a customer. */
async function forgetClientRefs(tx: Transaction, customer: Customer): Promise<void> {
  const { bankId, mode } = customer;
  await tx.$executeRaw`
    WITH ${toldOf(customer)}
    UPDATE batch_failure f SET client_ref = NULL, client_ref_key = NULL FROM told
    WHERE f.bank_id = ${bankId}::text AND f.mode = ${mode}::mode AND f.batch_id = told.batch_id
      AND (f.index = told.index OR f.first_index = told.index)`;
}

export const CustomerErasedType = builder.objectRef<ErasedCustomer>("CustomerErased").implement({
  description: "What is left of a customer whose data was destroyed.",
  fields: (t) => ({
    id: t.exposeID("id", { description: "The id that the customer had." }),
    phrase: t.exposeString("phrase", { description: "The phrase that the customer had." }),
    reason: t.field({ type: ErasureReasonEnum, description: "Why.", resolve: ({ reason }) => reason }),
    actor: t.exposeString("actor", { description: "The id of the key that erased it; `gateway` for the gateway's own work." }),
    erasedAt: t.field({ type: "DateTime", description: "When.", resolve: ({ at }) => at }),
  }),
});
