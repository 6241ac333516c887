import { createContextCache } from "@pothos/core";
import DataLoader from "dataloader";
import { within } from "../../access/principal.ts";
import type { Context } from "../../context.ts";
import type { Device } from "../../database/generated/client.ts";
import { builder } from "../../graphql/builder.ts";
import { toGlobalId } from "../../graphql/global-id.ts";
import { nodeInterface, registerNode } from "../../graphql/node.ts";
import { openDeviceId } from "./customer.columns.ts";

/** The most devices that a customer can have. */
export const MAX_DEVICES = 20;

/** The prefix of a device's global id. */
export const DEVICE_PREFIX = "dev";

/** The devices of each customer, by customer id, newest first. Those of all customers of a list are one statement. */
export const devicesLoader = createContextCache(
  ({ db, principal }: Context) =>
    new DataLoader<string, Device[]>(async (customerIds) => {
      const devices = await db.device.findMany({
        where: { ...within(principal), customerId: { in: [...customerIds] } },
        orderBy: [{ linkedAt: "desc" }, { id: "desc" }],
      });
      const byCustomer = Map.groupBy(devices, ({ customerId }) => customerId);
      return customerIds.map((id) => byCustomer.get(id) ?? []);
    }),
);

/** A device alone is a customer's device all the same: to see it is to see `Customer.devices`. */
registerNode(DEVICE_PREFIX, "Device", { visibility: "SENSITIVE" }, async (id, { db, principal, disclosed }) => {
  const device = await db.device.findFirst({ where: { ...within(principal), id } });
  if (device) disclosed.show("devices", device.customerId);
  return device;
});

export const DeviceType = builder.objectRef<Device>("Device").implement({
  description: "A device of a customer, by which merchants that are trusted with it find the customer.",
  interfaces: [nodeInterface],
  fields: (t) => ({
    id: t.id({ description: "`dev_` and a UUID.", resolve: ({ id }) => toGlobalId(DEVICE_PREFIX, id) }),
    deviceId: t.string({
      description: "The device's own id, as it was linked. Encrypted at rest.",
      resolve: (device, _args, { keyring }) => openDeviceId(keyring, device),
    }),
    actor: t.exposeString("actor", { description: "The id of the key that linked it." }),
    linkedAt: t.field({ type: "DateTime", description: "Since when.", resolve: ({ linkedAt }) => linkedAt }),
  }),
});
