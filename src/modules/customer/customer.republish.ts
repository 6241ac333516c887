import { GATEWAY_ACTOR } from "../../changes/record-change.ts";
import type { Keyring } from "../../crypto/keyring.ts";
import { type Database, type Transaction, transaction } from "../../database/client.ts";
import { type Customer, type Device, Prisma } from "../../database/generated/client.ts";
import { columnContext, deviceText } from "./customer.columns.ts";
import { republish } from "./customer.discovery.ts";

/** How many customers one transaction renews, so that nobody waits long for one of them. */
const AT_ONCE = 100;

type Place = Pick<Customer, "bankId" | "mode" | "id">;

/** Before the first customer of the table. */
export const FIRST_CUSTOMER: Place = { bankId: "", mode: "SANDBOX", id: "00000000-0000-0000-0000-000000000000" };

/**
 * Of the next `limit` customers, seals and hashes devices anew that an older key did, and has merchants find who consented
 * by the newest key; those too who consented before there was such a table. The last customer that was looked at, or null
 * when there are no more.
 */
export async function republishCustomers(db: Database, keyring: Keyring, after: Place, limit: number): Promise<Place | null> {
  const newest = Buffer.from(keyring.ids[0]!, "hex");
  const rows = await db.$queryRaw<(Place & { isOlder: boolean })[]>`
    SELECT c.bank_id AS "bankId", c.mode::text AS mode, c.id,
      EXISTS (SELECT FROM device d WHERE d.bank_id = c.bank_id AND d.mode = c.mode AND d.customer_id = c.id
        AND (substring(d.hash FROM 1 FOR 4) <> ${newest}::bytea OR substring(d.device_id FROM 1 FOR 4) <> ${newest}::bytea))
      OR c.consent_at IS NOT NULL AND NOT EXISTS (SELECT FROM discovery d WHERE d.bank_id = c.bank_id AND d.mode = c.mode AND d.customer_id = c.id
        AND substring(d.hash FROM 1 FOR 4) = ${newest}::bytea) AS "isOlder"
    FROM (
      SELECT bank_id, mode, id, consent_at FROM customer
      WHERE (bank_id, mode, id) > (${after.bankId}::text, ${after.mode}::mode, ${after.id}::uuid)
      ORDER BY bank_id, mode, id LIMIT ${limit}::int
    ) AS c ORDER BY c.bank_id, c.mode, c.id`;
  const older = Map.groupBy(
    rows.filter(({ isOlder }) => isOlder),
    ({ bankId, mode }) => `${mode} ${bankId}`,
  );
  for (const ofPlace of older.values()) {
    for (let from = 0; from < ofPlace.length; from += AT_ONCE) await renew(db, keyring, ofPlace.slice(from, from + AT_ONCE));
  }
  return rows.length < limit ? null : rows.at(-1)!;
}

/** Customers of one bank and mode, held meanwhile; who was erased since is none of them. */
async function renew(db: Database, keyring: Keyring, places: readonly Place[]): Promise<void> {
  const { bankId, mode } = places[0]!;
  const actor = { tenantId: bankId, mode, keyId: GATEWAY_ACTOR };
  await transaction(db, async (tx) => {
    const customers = await tx.$queryRaw<Pick<Customer, "id" | "phrase" | "email" | "consentAt">[]>`
      SELECT id, phrase, email, consent_at AS "consentAt" FROM customer
      WHERE bank_id = ${bankId}::text AND mode = ${mode}::mode AND id = ANY (${places.map(({ id }) => id)}::uuid[])
      ORDER BY id FOR NO KEY UPDATE`;
    const customerId = { in: customers.map(({ id }) => id) };
    for (const device of await tx.device.findMany({ where: { bankId, mode, customerId } })) await resealDevice(tx, keyring, device);
    await republish(tx, keyring, actor, customers);
  });
}

/** Of one that another row has by the newest key, the hash stays as it is; one that no key opens stays whole. So all others go on. */
async function resealDevice(tx: Transaction, keyring: Keyring, device: Device): Promise<void> {
  const { bankId, mode, id } = device;
  const context = columnContext(device, "deviceId");
  const deviceId = keyring.tryOpen("encryption", device.deviceId, context);
  if (deviceId === null) return;
  const hash = keyring.hashes("device", deviceText(device, deviceId))[0]!;
  const sealed = keyring.seal("encryption", deviceId, context);
  const taken = Prisma.sql`EXISTS (
    SELECT FROM device o WHERE o.bank_id = ${bankId}::text AND o.mode = ${mode}::mode AND o.hash = ${hash}::bytea AND o.id <> ${id}::uuid)`;
  await tx.$executeRaw`
    UPDATE device SET device_id = ${sealed}::bytea, hash = CASE WHEN ${taken} THEN hash ELSE ${hash}::bytea END
    WHERE bank_id = ${bankId}::text AND mode = ${mode}::mode AND id = ${id}::uuid`;
}
