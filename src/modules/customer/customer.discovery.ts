import { within } from "../../access/principal.ts";
import { conceal, publish } from "../../changes/discovery.ts";
import type { Actor } from "../../changes/record-change.ts";
import type { Keyring } from "../../crypto/keyring.ts";
import type { Transaction } from "../../database/client.ts";
import type { Customer } from "../../database/generated/client.ts";
import { openDeviceId } from "./customer.columns.ts";

/** Has merchants find a customer by what it has now, by its devices too, and by nothing else. */
export async function republish(
  tx: Transaction,
  keyring: Keyring,
  actor: Actor,
  { id: customerId, phrase, email, consentAt }: Pick<Customer, "id" | "phrase" | "email" | "consentAt">,
): Promise<void> {
  await conceal(tx, actor, customerId);
  if (consentAt === null) return;
  const devices = await tx.device.findMany({ where: { ...within(actor), customerId } });
  const deviceIds = devices.map((device) => openDeviceId(keyring, device));
  await publish(tx, keyring, actor, [{ customerId, phrase, email, consentAt, deviceIds }]);
}
