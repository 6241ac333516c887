import { publish } from "../../src/changes/discovery.ts";
import { transaction } from "../../src/database/client.ts";
import { columnContext } from "../../src/modules/customer/customer.columns.ts";
import type { TestGateway } from "./gateway.ts";

/** A device of a customer, and what merchants find the customer by, as linking with consent leaves them. */
export async function makeDiscoverable(
  gateway: TestGateway,
  customerId: string,
  deviceId: string,
): Promise<{ device: string; consentAt: Date }> {
  const { db, keyring } = gateway.app.services;
  const { bankId, mode, phrase, email } = await db.customer.findFirstOrThrow({ where: { id: customerId } });
  const place = { bankId, mode, id: crypto.randomUUID() };
  const consentAt = new Date("2026-01-02T03:04:05.000Z");
  await db.device.create({
    data: {
      ...place,
      customerId,
      hash: keyring.hashes("device", `${bankId}|${mode}|${deviceId}`)[0]!,
      deviceId: keyring.seal("encryption", deviceId, columnContext(place, "deviceId")),
      actor: "0123456789abcdef",
      linkedAt: consentAt,
    },
  });
  const actor = { tenantId: bankId, mode, keyId: "0123456789abcdef" };
  await transaction(db, (tx) => publish(tx, keyring, actor, [{ customerId, phrase, consentAt, email, deviceIds: [deviceId] }]));
  return { device: place.id, consentAt };
}
