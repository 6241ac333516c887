import { within } from "../../access/principal.ts";
import { type DiscoveryKey, discoveryHashes } from "../../changes/discovery.ts";
import type { Actor } from "../../changes/record-change.ts";
import type { Keyring } from "../../crypto/keyring.ts";
import { type Database, type Transaction, transaction } from "../../database/client.ts";
import type { Customer } from "../../database/generated/client.ts";
import { toGlobalId } from "../../graphql/global-id.ts";
import { noteContext } from "./customer.blacklist-entry.ts";
import { identityHashes } from "./customer.blacklisted-identity.ts";
import { columnContext, openDeviceId } from "./customer.columns.ts";
import { consentOf } from "./customer.consent.ts";
import { DEVICE_PREFIX } from "./customer.device.ts";
import type { CustomerData } from "./customer.export.type.ts";
import { arePaymentsEnabled, lifecycleOf } from "./customer.lifecycle.ts";
import { isBlacklisted } from "./customer.policy.ts";
import { toldOf } from "./customer.told.ts";

/**
 * Everything that is held on a customer of the actor's bank and mode, as it stood at one moment; null when there is no such
 * customer here. Rows come whole, less what only places them, so that a new column is told without being thought of.
 */
export async function readCustomerData(db: Database, keyring: Keyring, actor: Actor, id: string, now: Date): Promise<CustomerData | null> {
  const read = async (tx: Transaction) => {
    const customer = await tx.customer.findFirst({ where: { ...within(actor), id } });
    return customer && (await readAll(tx, keyring, actor, customer, now));
  };
  return transaction(db, read, { oneMoment: true });
}

async function readAll(tx: Transaction, keyring: Keyring, actor: Actor, customer: Customer, now: Date): Promise<CustomerData> {
  const here = within(actor);
  const ofCustomer = { ...here, customerId: customer.id };
  // Derived from the account name, for lists.
  const {
    accountNameKey: _key,
    searchKey: _words,
    consentSource: _source,
    consentAt: _at,
    consentTextVersion: _text,
    ...profile
  } = customer;
  const consent = consentOf(customer);
  const { accountNumber } = customer;

  const entries = await tx.blacklistEntry.findMany({ where: ofCustomer, orderBy: { version: "asc" } });
  const identities = await tx.blacklistedIdentity.findMany({ where: ofCustomer });
  const events = await tx.customerEvent.findMany({ where: ofCustomer, orderBy: { version: "asc" } });
  const linked = await tx.device.findMany({ where: ofCustomer, orderBy: [{ linkedAt: "asc" }, { id: "asc" }] });
  const devices = linked.map((row) => ({ ...row, id: toGlobalId(DEVICE_PREFIX, row.id), deviceId: openDeviceId(keyring, row) }));
  const found = await tx.discovery.findMany({ where: ofCustomer });
  const keys = await tx.idempotencyKey.findMany({
    // What a registration makes has the time of its key, by which the key is found.
    where: { ...here, createdAt: customer.createdAt, resultId: customer.id },
  });

  return {
    PROFILE: [
      {
        ...profile,
        blacklisted: isBlacklisted(customer, now),
        lifecycle: lifecycleOf(customer, now),
        paymentsEnabled: arePaymentsEnabled(customer, now),
        accountNumber: accountNumber && keyring.open("encryption", accountNumber, columnContext(customer, "accountNumber")),
      },
    ],
    CONSENT: consent ? [{ ...consent }] : [],
    BLACKLIST: entries.map((entry) => ({
      ...unplaced(entry),
      note: entry.note && keyring.open("encryption", entry.note, noteContext(entry)),
    })),
    BLACKLISTED_IDENTITY: identities.map(({ hash, expiresAt }) => ({ of: identityOf(keyring, actor, customer, hash), expiresAt })),
    HISTORY: events.map(unplaced),
    DEVICES: devices.map(({ hash: _hash, ...device }) => unplaced(device)),
    DISCOVERY: found.map(({ hash, ...row }) => ({ ...foundBy(keyring, customer, devices, hash), ...unplaced(row) })),
    BATCHES: await batchRows(tx, customer),
    IDEMPOTENCY: keys.map(({ mutation, key, createdAt }) => ({ mutation, key, createdAt })),
    WEBHOOKS: await deliveries(tx, customer),
  };
}

/** A row without what says whose it is, which the export says once. */
function unplaced<Row extends { bankId: string; mode: string; customerId: string }>({
  bankId: _bank,
  mode: _mode,
  customerId: _id,
  ...row
}: Row) {
  return row;
}

/** Which of the customer's values a hash of the blacklist is of; null: of none that it has now. */
function identityOf(keyring: Keyring, actor: Actor, { email, phone }: Customer, hash: Uint8Array): "email" | "phone" | null {
  const isOf = (value: { email?: string; phone?: string | null }) => identityHashes(keyring, actor, value).flat().some(equals(hash));
  return isOf({ email }) ? "email" : isOf({ phone }) ? "phone" : null;
}

/** By what merchants find the customer under a hash; null: by a value that it has no longer. */
function foundBy(
  keyring: Keyring,
  { mode, email }: Customer,
  devices: readonly { id: string; deviceId: string }[],
  hash: Uint8Array,
): { by: DiscoveryKey | null; device: string | null } {
  const isOf = (by: DiscoveryKey, value: string) => discoveryHashes(keyring, mode, by, value).some(equals(hash));
  const device = devices.find(({ deviceId }) => isOf("device", deviceId));
  return { by: device ? "device" : isOf("email", email) ? "email" : null, device: device?.id ?? null };
}

const equals = (hash: Uint8Array) => (other: Uint8Array) => Buffer.compare(hash, other) === 0;

/** The row that made the customer, whose outcome is CREATED, and refused rows that tell of it. Issues name fields and rules, no values. */
async function batchRows(tx: Transaction, customer: Customer): Promise<Record<string, unknown>[]> {
  const { bankId, mode } = customer;
  const rows = await tx.$queryRaw<{ batch: string }[]>`
    WITH ${toldOf(customer)}, row AS (
      SELECT batch_id, index FROM told
      UNION
      SELECT f.batch_id, f.index FROM batch_failure f JOIN told ON f.batch_id = told.batch_id AND f.first_index = told.index
      WHERE f.bank_id = ${bankId}::text AND f.mode = ${mode}::mode
    )
    SELECT b.id AS batch, b.created_at AS "sentAt", row.index, coalesce(f.code::text, 'CREATED') AS outcome, f.client_ref AS "clientRef",
      f.matched_on AS "matchedOn", f.first_index AS "firstIndex", f.issues
    FROM row JOIN batch b ON b.bank_id = ${bankId}::text AND b.mode = ${mode}::mode AND b.id = row.batch_id
    LEFT JOIN batch_failure f ON f.bank_id = b.bank_id AND f.mode = b.mode AND f.batch_id = b.id AND f.index = row.index
    ORDER BY b.created_at, b.id, row.index`;
  return rows.map((row) => ({ ...row, batch: toGlobalId("bat", row.batch) }));
}

/** Looked up endpoint by endpoint, as their index has them. */
async function deliveries(tx: Transaction, { bankId, mode, id }: Customer): Promise<Record<string, unknown>[]> {
  return tx.$queryRaw<Record<string, unknown>[]>`
    SELECT 'msg_' || d.id AS message, e.url, e.visibility::text, d.type::text, d.sequence, d.version, d.created_at AS "createdAt", d.state::text,
      d.attempts, d.outcome, d.tried_at AS "triedAt"
    FROM webhook_endpoint e
    JOIN webhook_delivery d ON d.bank_id = e.bank_id AND d.mode = e.mode AND d.endpoint_id = e.id AND d.subject_id = ${id}::uuid
    WHERE e.bank_id = ${bankId}::text AND e.mode = ${mode}::mode
    ORDER BY d.created_at, d.id`;
}
