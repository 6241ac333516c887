import { randomUUID } from "node:crypto";
import { within } from "../../access/principal.ts";
import type { Actor } from "../../changes/record-change.ts";
import { timeOfWrite } from "../../changes/time-of-write.ts";
import type { Keyring } from "../../crypto/keyring.ts";
import type { Transaction } from "../../database/client.ts";
import { Conflict } from "../../database/fault.ts";
import type { Customer } from "../../database/generated/client.ts";
import { expireIfDue } from "./customer.blacklist.ts";
import { columnContext, deviceText } from "./customer.columns.ts";
import { MAX_DEVICES } from "./customer.device.ts";
import { DeviceRefused, InvalidCustomerData } from "./customer.errors.ts";
import { normalDeviceId } from "../../rules/device.ts";
import { Violation } from "../../rules/text.ts";
import { changeCustomer, lockCustomer, requireVersion } from "./customer.write.ts";

export interface DeviceInput {
  readonly id: string;
  readonly deviceId: string;
  readonly expectedVersion?: number | null;
}

/** A device's id as it is stored and looked for: NFC, trimmed. Throws InvalidCustomerData. */
function normaliseDeviceId(raw: string): string {
  const result = normalDeviceId(raw);
  if (result instanceof Violation) throw new InvalidCustomerData([{ field: "deviceId", message: result.message }]);
  return result;
}

/**
 * Links a device to a customer, in the caller's transaction. One that is linked to it already changes nothing. Throws
 * CustomerNotFound, InvalidCustomerData, VersionConflict, and DeviceRefused for a blacklisted customer, for a device of
 * another customer of this bank and mode, and for more devices than a customer can have.
 */
export async function linkDevice(tx: Transaction, keyring: Keyring, actor: Actor, input: DeviceInput, asked: Date): Promise<void> {
  const { customer, deviceId, known, now } = await openDevice(tx, keyring, actor, input, asked);
  if (customer.blacklisted) throw new DeviceRefused("BLACKLISTED", customer.id);
  if (known && known.customerId !== customer.id) throw new DeviceRefused("LINKED_TO_ANOTHER", customer.id);
  if (known) return;
  if (customer.deviceCount >= MAX_DEVICES) throw new DeviceRefused("TOO_MANY", customer.id);
  const place = { ...within(actor), id: randomUUID() };
  const { count } = await tx.device.createMany({
    data: {
      ...place,
      customerId: customer.id,
      hash: keyring.hashes("device", deviceText(place, deviceId))[0]!,
      deviceId: keyring.seal("encryption", deviceId, columnContext(place, "deviceId")),
      actor: actor.keyId,
      linkedAt: now,
    },
    skipDuplicates: true,
  });
  // Another customer's, this moment: the transaction runs again, and finds it.
  if (count === 0) throw new Conflict("the device was linked meanwhile");
  await change(tx, keyring, actor, customer, now, "DEVICE_LINKED");
}

/**
 * Takes a device off a customer, in the caller's transaction. One that is not linked to it changes nothing. Throws
 * CustomerNotFound, InvalidCustomerData, VersionConflict.
 */
export async function unlinkDevice(tx: Transaction, keyring: Keyring, actor: Actor, input: DeviceInput, asked: Date): Promise<void> {
  const { customer, known, now } = await openDevice(tx, keyring, actor, input, asked);
  if (known?.customerId !== customer.id) return;
  await tx.device.deleteMany({ where: { ...within(actor), id: known.id } });
  await change(tx, keyring, actor, customer, now, "DEVICE_UNLINKED");
}

/** The customer, held, and who of this bank and mode has the device; by every key, for it may have been linked under an older one. */
async function openDevice(tx: Transaction, keyring: Keyring, actor: Actor, input: DeviceInput, asked: Date) {
  const deviceId = normaliseDeviceId(input.deviceId);
  const held = await lockCustomer(tx, actor, input.id);
  const now = timeOfWrite(held, asked);
  requireVersion(held, input.expectedVersion);
  const hashes = keyring.hashes("device", deviceText(within(actor), deviceId));
  await holdDevice(tx, hashes);
  const linked = await tx.device.findMany({ where: { ...within(actor), hash: { in: hashes } } });
  // Of one that stands twice, which no gateway does any more, the customer's own.
  const known = linked.find(({ customerId }) => customerId === held.id) ?? linked[0];
  return { customer: await expireIfDue(tx, keyring, actor, held, now), deviceId, known, now };
}

/**
 * Has whoever else links or unlinks a device wait for this transaction's end. The unique index alone compares hashes of one key: while keys rotate,
 * two gateways make them by two. By every key and in order, so that gateways that share one wait for each other.
 */
async function holdDevice(tx: Transaction, hashes: readonly Uint8Array[]): Promise<void> {
  const names = hashes.map((hash) => `device ${Buffer.from(hash).toString("hex")}`).sort();
  await tx.$executeRaw`SELECT pg_advisory_xact_lock(hashtextextended(name, 0)) FROM unnest(${names}::text[]) AS name`;
}

const STEP = { DEVICE_LINKED: 1, DEVICE_UNLINKED: -1 } as const;

async function change(tx: Transaction, keyring: Keyring, actor: Actor, customer: Customer, now: Date, type: keyof typeof STEP) {
  const data = { deviceCount: customer.deviceCount + STEP[type] };
  await changeCustomer(tx, keyring, actor, customer, now, { type, data, changed: ["devices"] });
}
