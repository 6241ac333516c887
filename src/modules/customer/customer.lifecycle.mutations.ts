import { builder } from "../../graphql/builder.ts";
import { facts } from "../../graphql/field-facts.ts";
import { setConsent } from "./customer.consent.write.ts";
import { linkDevice, unlinkDevice } from "./customer.device.write.ts";
import { CustomerNotFound, DeviceRefused, InvalidCustomerData, VersionConflict } from "./customer.errors.ts";
import { LinkDeviceInput, SetConsentInput, UnlinkDeviceInput } from "./customer.inputs.ts";
import { asksVersion, changed } from "./customer.mutations.ts";
import { CustomerType } from "./customer.type.ts";

/** What moves a customer's lifecycle, beside the blacklist: consent, and devices. */
builder.mutationFields((t) => ({
  setConsent: t.field({
    type: CustomerType,
    authScopes: { scope: "customers:write" },
    description:
      "Records what a customer agreed to, or that it agrees no more: merchants then find it no more, and payments end. Repeating it changes nothing.",
    args: { input: t.arg({ type: SetConsentInput, required: true, description: "Which customer, and the consent." }) },
    errors: {
      types: [CustomerNotFound, InvalidCustomerData, VersionConflict],
      union: { name: "SetConsentResult", description: "The customer as it is now, or why nothing changed." },
    },
    extensions: facts({ asks: asksVersion }),
    resolve: changed(setConsent),
  }),
  linkDevice: t.field({
    type: CustomerType,
    authScopes: { scope: "devices:write" },
    description:
      "Links a device to a customer, by which merchants that are trusted with it find one who consented. A device belongs to one customer of " +
      "a bank. Repeating it changes nothing.",
    args: { input: t.arg({ type: LinkDeviceInput, required: true, description: "Which customer, and which device." }) },
    errors: {
      types: [CustomerNotFound, InvalidCustomerData, DeviceRefused, VersionConflict],
      union: { name: "LinkDeviceResult", description: "The customer as it is now, or why the device was not linked." },
    },
    extensions: facts({ asks: asksVersion }),
    resolve: changed(linkDevice),
  }),
  unlinkDevice: t.field({
    type: CustomerType,
    authScopes: { scope: "devices:write" },
    description: "Takes a device off a customer. One that is not linked to it changes nothing.",
    args: { input: t.arg({ type: UnlinkDeviceInput, required: true, description: "Which customer, and which device." }) },
    errors: {
      types: [CustomerNotFound, InvalidCustomerData, VersionConflict],
      union: { name: "UnlinkDeviceResult", description: "The customer as it is now, or why nothing changed." },
    },
    extensions: facts({ asks: asksVersion }),
    resolve: changed(unlinkDevice),
  }),
}));
