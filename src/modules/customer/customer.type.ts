import type { GraphQLResolveInfo } from "graphql";
import { maySee } from "../../access/principal.ts";
import { redactedFields } from "../../access/redaction.ts";
import { CUSTOMER_FIELDS, type CustomerFieldName, printVisibility, SCOPE_OF_VISIBILITY } from "../../access/visibility.ts";
import type { Context } from "../../context.ts";
import { builder } from "../../graphql/builder.ts";
import { CustomerFieldEnum, CustomerLifecycleEnum, GenderEnum } from "../../graphql/enums.ts";
import { facts } from "../../graphql/field-facts.ts";
import { nodeInterface } from "../../graphql/node.ts";
import { isBlacklisted } from "./customer.policy.ts";
import { BlacklistEntryType, blacklistEntryLoader } from "./customer.blacklist-entry.ts";
import { consentOf, ConsentType } from "./customer.consent.ts";
import { CustomerEventConnection, customerHistory } from "./customer.history.ts";
import { columnContext } from "./customer.columns.ts";
import { devicesLoader, DeviceType, MAX_DEVICES } from "./customer.device.ts";
import { arePaymentsEnabled, type LifecycleFacts, lifecycleOf } from "./customer.lifecycle.ts";
import type { CustomerRow } from "./customer.loader.ts";
import { connectionType, pageArgs } from "../../graphql/connection.ts";

const DESCRIPTIONS: Record<CustomerFieldName, string> = {
  id: "A random UUID. `node(id:)` takes it as it is.",
  bankId: "The bank that the customer belongs to.",
  phrase: "The customer's human-sayable identity, unique on the network: words joined by `-`. Assigned by the gateway.",
  accountName: "The full name of the account, at most 200 characters.",
  gender: "The customer's gender; null when it is not known.",
  displayPicture: "An http or https address of a picture.",
  country: "ISO 3166-1 alpha-2.",
  firstname: "Given name, at most 100 characters.",
  lastname: "Family name, at most 100 characters.",
  middlename: "Middle name, at most 100 characters.",
  email: "Unique within the bank and mode; lower case, its domain in ASCII.",
  phone: "E.164, e.g. `+2348012345678`.",
  dialCode: "The country calling code of the phone, e.g. `+234`.",
  address: "Postal address, at most 500 characters.",
  state: "State or region, at most 100 characters.",
  clientRef: "The bank's own reference for the client, unique within the bank and mode.",
  reference: "The bank's own internal reference, unique within the bank and mode.",
  consent: "What the customer agreed to, where and when; null when none was given.",
  lifecycle: "How far the customer has come at this moment.",
  paymentsEnabled: "Whether the customer can pay: not without consent, not without a device, not while blacklisted.",
  blacklisted: "Whether a blacklist entry is in force at this moment.",
  version: "Grows by one with every write; for `expectedVersion`.",
  createdAt: "When the customer was registered.",
  updatedAt: "When the customer was last written.",
  accountNumber: "The bank account number. Encrypted at rest.",
  blacklist: "The blacklist entry in force; null when there is none.",
  history: "Who changed what and when, newest first.",
  devices: `The customer's devices, newest first; at most ${MAX_DEVICES}.`,
};

/** The schema's description of a field: what it is, and what it takes to see it. */
function describe(name: CustomerFieldName): string {
  const { tier } = CUSTOMER_FIELDS[name];
  const rule = tier === "STANDARD" ? "" : " Null when withheld; see `redactedFields`.";
  return `${DESCRIPTIONS[name]}\n\n${tier}: needs \`${SCOPE_OF_VISIBILITY[tier]}\`.${rule}`;
}

/**
 * The part of a field's definition that its line in the visibility table decides: its description, and a resolver that
 * answers null and reports when it is withheld. The columns that it reads: customer.selection.ts.
 */
function governed<Args extends object, Result>(name: CustomerFieldName, show: (row: CustomerRow, context: Context, args: Args) => Result) {
  const audited = CUSTOMER_FIELDS[name].tier !== "STANDARD";
  return {
    description: describe(name),
    resolve: (row: CustomerRow, args: Args, context: Context, info: GraphQLResolveInfo): Result => {
      if (maySee(context.principal, name)) {
        if (audited) context.disclosed.show(name, row.id);
        return show(row, context, args);
      }
      context.withheld.add(context.principal, name, info);
      return null as Result;
    },
  };
}

const column = (name: CustomerFieldName & keyof CustomerRow) => governed(name, (row) => row[name] as never);

/** Fields in the order of the visibility table, which is the order of `redactedFields`. */
export const CustomerType = builder.objectRef<CustomerRow>("Customer").implement({
  description:
    "A customer of a bank. Each field needs a visibility, which the key's scopes grant. A field that may not be seen " +
    "is null, never an error and never left out: `redactedFields` names it, and `extensions.visibility` says what it needs. " +
    `Each tier includes the ones before it; \`X-Visibility\` lowers it for one request.\n\n${printVisibility()}`,
  interfaces: [nodeInterface],
  fields: (t) => ({
    id: t.id(column("id")),
    bankId: t.id(column("bankId")),
    phrase: t.string(column("phrase")),
    accountName: t.string(column("accountName")),
    gender: t.field({ type: GenderEnum, nullable: true, ...column("gender") }),
    displayPicture: t.field({ type: "URL", nullable: true, ...column("displayPicture") }),
    country: t.field({ type: "CountryCode", ...column("country") }),
    firstname: t.string({ nullable: true, ...column("firstname") }),
    lastname: t.string({ nullable: true, ...column("lastname") }),
    middlename: t.string({ nullable: true, ...column("middlename") }),
    email: t.field({ type: "EmailAddress", nullable: true, ...column("email") }),
    phone: t.string({ nullable: true, ...column("phone") }),
    dialCode: t.string({ nullable: true, ...column("dialCode") }),
    address: t.string({ nullable: true, ...column("address") }),
    state: t.string({ nullable: true, ...column("state") }),
    clientRef: t.string({ nullable: true, ...column("clientRef") }),
    reference: t.string({ nullable: true, ...column("reference") }),
    consent: t.field({ type: ConsentType, nullable: true, ...governed("consent", consentOf) }),
    lifecycle: t.field({
      type: CustomerLifecycleEnum,
      nullable: true,
      ...governed("lifecycle", (row) => lifecycleOf(row as LifecycleFacts, new Date())),
    }),
    paymentsEnabled: t.boolean({
      nullable: true,
      ...governed("paymentsEnabled", (row) => arePaymentsEnabled(row as LifecycleFacts, new Date())),
    }),
    blacklisted: t.boolean({ nullable: true, ...governed("blacklisted", (row) => isBlacklisted(row as never, new Date())) }),
    version: t.int({ nullable: true, ...column("version") }),
    createdAt: t.field({ type: "DateTime", nullable: true, ...column("createdAt") }),
    updatedAt: t.field({ type: "DateTime", nullable: true, ...column("updatedAt") }),
    accountNumber: t.string({
      nullable: true,
      ...governed("accountNumber", (row, { keyring }) =>
        row.accountNumber ? keyring.open("encryption", row.accountNumber, columnContext(row, "accountNumber")) : null,
      ),
    }),
    blacklist: t.field({
      type: BlacklistEntryType,
      nullable: true,
      ...governed("blacklist", (row, context) => blacklistEntryLoader(context).load(row.id)),
    }),
    history: t.field({
      type: CustomerEventConnection,
      nullable: true,
      args: pageArgs.forward(),
      ...governed("history", customerHistory),
    }),
    devices: t.field({
      type: [DeviceType],
      nullable: true,
      extensions: facts({ size: () => MAX_DEVICES }),
      ...governed("devices", (row, context) => devicesLoader(context).load(row.id)),
    }),
    redactedFields: t.field({
      type: [CustomerFieldEnum],
      description: "The fields of this customer that were asked for here and withheld, in schema order.",
      resolve: (_row, _args, { principal }, info) => redactedFields(principal, info),
    }),
  }),
});

export const CustomerConnection = connectionType("Customer", CustomerType, { counted: true });
