import { within } from "../../access/principal.ts";
import { conceal, publish } from "../../changes/discovery.ts";
import type { Actor } from "../../changes/record-change.ts";
import type { Keyring } from "../../crypto/keyring.ts";
import type { Transaction } from "../../database/client.ts";
import type { Customer } from "../../database/generated/client.ts";
import { columnContext } from "./customer.columns.ts";

/** Has merchants find customers by what each has now, by its devices too, and by nothing else. */
export async function republish(
  tx: Transaction,
  keyring: Keyring,
  actor: Actor,
  customers: readonly Pick<Customer, "id" | "phrase" | "email" | "consentAt">[],
): Promise<void> {
  const idsOf = (some: typeof customers) => some.map(({ id }) => id);
  await conceal(tx, actor, idsOf(customers));
  const consenting = customers.filter(({ consentAt }) => consentAt !== null);
  if (consenting.length === 0) return;
  const devices = await tx.device.findMany({ where: { ...within(actor), customerId: { in: idsOf(consenting) } } });
  const ofCustomer = Map.groupBy(devices, ({ customerId }) => customerId);
  const found = consenting.map(({ id: customerId, phrase, email, consentAt }) => {
    const deviceIds = (ofCustomer.get(customerId) ?? []).flatMap(
      (device) => keyring.tryOpen("encryption", device.deviceId, columnContext(device, "deviceId")) ?? [],
    );
    return { customerId, phrase, email, consentAt, deviceIds };
  });
  await publish(tx, keyring, actor, found);
}
