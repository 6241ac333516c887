import { builder, type Types } from "../../graphql/builder.ts";
import { BlacklistReasonEnum, ErasureReasonEnum, GenderEnum, OrderDirectionEnum } from "../../graphql/enums.ts";
import { ConsentInputType } from "./customer.consent.ts";
import type { CustomerOrderField } from "./customer.list.ts";

export const CustomerBy = builder.inputType("CustomerBy", {
  isOneOf: true,
  description: "Exactly one unique key of a customer. A text that no customer can have finds none.",
  fields: (t) => ({
    id: t.id({ description: "The customer's id." }),
    email: t.string({ description: "The e-mail address, in any case." }),
    phrase: t.string({ description: "The phrase." }),
    reference: t.string({ description: "The bank's internal reference." }),
    clientRef: t.string({ description: "The bank's reference for the client." }),
  }),
});

const DateTimeRange = builder.inputType("DateTimeRange", {
  description: "A span of time: from ≤ t < to. Either end may be open.",
  fields: (t) => ({
    from: t.field({ type: "DateTime", description: "The first moment in it." }),
    to: t.field({ type: "DateTime", description: "The first moment after it." }),
  }),
});

export const CustomerFilterInput = builder.inputType("CustomerFilter", {
  description:
    "Conditions that must all hold. A list matches any of its values, at most 500, and nothing when it is empty. " +
    "A field that the key may not see cannot be filtered by: FORBIDDEN_FIELD.",
  fields: (t) => ({
    ids: t.idList({ description: "Any of these ids. STANDARD." }),
    phrases: t.stringList({ description: "Any of these phrases. STANDARD." }),
    references: t.stringList({ description: "Any of these references. EXTENDED." }),
    clientRefs: t.stringList({ description: "Any of these client references. EXTENDED." }),
    emails: t.stringList({ description: "Any of these e-mail addresses, in any case. EXTENDED." }),
    countries: t.stringList({ description: "Any of these countries, ISO 3166-1 alpha-2. STANDARD." }),
    genders: t.field({ type: [GenderEnum], description: "Any of these genders. STANDARD." }),
    blacklisted: t.boolean({ description: "Whether a blacklist entry is in force. EXTENDED." }),
    createdAt: t.field({ type: DateTimeRange, description: "When registered. EXTENDED." }),
    updatedAt: t.field({ type: DateTimeRange, description: "When last written. EXTENDED." }),
    search: t.string({
      description:
        "Words of the account name: each must begin a word of it, in any order, case and accents aside. No word: no condition. STANDARD.",
    }),
  }),
});

const CustomerOrderFieldEnum = builder.enumType("CustomerOrderField", {
  description: "What customers can be sorted by.",
  values: {
    CREATED_AT: { description: "When registered. EXTENDED." },
    UPDATED_AT: { description: "When last written. EXTENDED." },
    ACCOUNT_NAME: { description: "The account name case-folded, in byte order, then id. STANDARD." },
  } satisfies Record<CustomerOrderField, object>,
});

export const CustomerOrderInput = builder.inputType("CustomerOrder", {
  description: "A sort order. Sorting by a field that the key may not see is FORBIDDEN_FIELD.",
  fields: (t) => ({
    field: t.field({ type: CustomerOrderFieldEnum, required: true, description: "What to sort by." }),
    direction: t.field({ type: OrderDirectionEnum, required: true, description: "Which way." }),
  }),
});

export const CreateCustomerInput = builder.inputType("CreateCustomerInput", {
  description:
    "A new customer. firstname, lastname, email, and a country or an E.164 phone are required; accountName defaults " +
    "to the names and country to the phone's. All is plain text so that every violation is told, not the first.",
  fields: (t) => ({
    clientRef: t.string({ description: "The bank's own reference for the client, unique, at most 100 characters." }),
    firstname: t.string({ description: "Given name, at most 100 characters. Required." }),
    middlename: t.string({ description: "Middle name, at most 100 characters." }),
    lastname: t.string({ description: "Family name, at most 100 characters. Required." }),
    accountName: t.string({ description: "Full name of the account, at most 200 characters. Default: the names." }),
    country: t.string({ description: "ISO 3166-1 alpha-2, in any case. Default: the phone's." }),
    email: t.string({ description: "E-mail address, unique, at most 254 characters. Required." }),
    phone: t.string({ description: "Phone number: E.164, or national with a country." }),
    address: t.string({ description: "Postal address, at most 500 characters." }),
    state: t.string({ description: "State or region, at most 100 characters." }),
    gender: t.field({ type: GenderEnum, description: "Gender." }),
    displayPicture: t.string({ description: "An http or https address, at most 2,048 characters." }),
    accountNumber: t.string({ description: "Bank account number, at most 34 characters." }),
    reference: t.string({ description: "The bank's own internal reference, unique, at most 100 characters." }),
    consent: t.field({ type: ConsentInputType, description: "What the customer agreed to; `setConsent` changes it." }),
    idempotencyKey: t.string({
      description:
        "1 to 255 characters; the Idempotency-Key header means the same. Within 24 hours the same key and input gives " +
        "the first answer again, and another input an IdempotencyConflict.",
    }),
  }),
});

const CustomerUpdateInput = builder.inputType("CustomerUpdateInput", {
  description: "Fields to set. One left out is unchanged; null clears an optional field and is invalid for a required one.",
  fields: (t) => ({
    firstname: t.string({ description: "Given name, at most 100 characters. Cannot be cleared." }),
    middlename: t.string({ description: "Middle name, at most 100 characters." }),
    lastname: t.string({ description: "Family name, at most 100 characters. Cannot be cleared." }),
    accountName: t.string({ description: "Full name of the account, at most 200 characters. Cannot be cleared." }),
    email: t.string({ description: "E-mail address, unique. Cannot be cleared." }),
    phone: t.string({ description: "Phone number: E.164, or national in the customer's country." }),
    address: t.string({ description: "Postal address, at most 500 characters." }),
    state: t.string({ description: "State or region, at most 100 characters." }),
    gender: t.field({ type: GenderEnum, description: "Gender." }),
    displayPicture: t.string({ description: "An http or https address, at most 2,048 characters." }),
  }),
});

const EXPECTED_VERSION =
  "The version that the caller read; when the customer has moved on, nothing is written and the answer is VersionConflict. " +
  "Needs EXTENDED visibility, as `version` does.";

export const UpdateCustomerInput = builder.inputType("UpdateCustomerInput", {
  description: "Which customer to update, and with what.",
  fields: (t) => ({
    id: t.id({ required: true, description: "The customer's id." }),
    expectedVersion: t.int({ description: EXPECTED_VERSION }),
    update: t.field({ type: CustomerUpdateInput, required: true, description: "The fields to set." }),
  }),
});

export const SetBlacklistInput = builder.inputType("SetBlacklistInput", {
  description: "Whether a customer is to be blacklisted, and why.",
  fields: (t) => ({
    id: t.id({ required: true, description: "The customer's id." }),
    blacklisted: t.boolean({ required: true, description: "True: on the blacklist. False: off it." }),
    reason: t.field({
      type: BlacklistReasonEnum,
      description: "Why. Left out: OTHER for a new entry, unchanged for the one in force.",
    }),
    note: t.string({
      description: "For the bank's staff, at most 1,000 characters. Only with `blacklisted: true`. Left out: unchanged; null clears.",
    }),
    expiresAt: t.field({
      type: "DateTime",
      description: "In the future: until when. Only with `blacklisted: true`. Left out: unchanged; null: until lifted.",
    }),
    expectedVersion: t.int({ description: EXPECTED_VERSION }),
  }),
});

export const SetConsentInput = builder.inputType("SetConsentInput", {
  description: "What a customer agreed to, or that it agrees no more.",
  fields: (t) => ({
    id: t.id({ required: true, description: "The customer's id." }),
    consent: t.field({ type: ConsentInputType, description: "The consent, whole. Null withdraws it; it cannot be left out." }),
    expectedVersion: t.int({ description: EXPECTED_VERSION }),
  }),
});

const deviceFields = (t: PothosSchemaTypes.InputFieldBuilder<Types, "InputObject">) => ({
  id: t.id({ required: true, description: "The customer's id." }),
  deviceId: t.string({
    required: true,
    description: "The device's own id: 1 to 255 characters, compared sign by sign after trimming.",
  }),
  expectedVersion: t.int({ description: EXPECTED_VERSION }),
});

export const LinkDeviceInput = builder.inputType("LinkDeviceInput", {
  description: "Which device to link to which customer.",
  fields: deviceFields,
});

export const UnlinkDeviceInput = builder.inputType("UnlinkDeviceInput", {
  description: "Which device to take off which customer.",
  fields: deviceFields,
});

export const EraseCustomerInput = builder.inputType("EraseCustomerInput", {
  description: "Whose data is to be destroyed, and why.",
  fields: (t) => ({
    id: t.id({ required: true, description: "The customer's id." }),
    reason: t.field({ type: ErasureReasonEnum, required: true, defaultValue: "OTHER", description: "Why." }),
  }),
});
