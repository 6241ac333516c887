import {
  CUSTOMER_FIELD_NAMES,
  FIELDS_OF_TIER,
  SCOPE_OF_VISIBILITY,
  toEnumName,
  type Visibility,
  VISIBILITIES,
} from "../access/visibility.ts";
import type {
  Audience,
  BlacklistReason,
  CustomerEventType,
  CustomerLifecycle,
  ErasureReason,
  Gender,
  Mode,
  TenantKind,
} from "../database/generated/enums.ts";
import { builder } from "./builder.ts";

export const ModeEnum = builder.enumType("Mode", {
  description: "Two separate sets of data behind the same API, chosen by the key.",
  values: {
    SANDBOX: { description: "Data to try things out with." },
    LIVE: { description: "Real customers." },
  } satisfies Record<Mode, object>,
});

export const ClientAccessEnum = builder.enumType("ClientAccess", {
  description: "Whether an APP may send the text of documents. A PARTNER never does.",
  values: {
    OPEN: { description: "Text, or registered documents." },
    TRUSTED: { description: "The client's registered documents only; text is DOCUMENT_REQUIRED." },
  },
});

export const DocumentStateEnum = builder.enumType("DocumentState", {
  description: "Whether a registered document runs.",
  values: {
    ACTIVE: { description: "It runs." },
    DEPRECATED: { description: "It runs, and its answers have a `Deprecation` header." },
    RETIRED: { description: "It is DOCUMENT_NOT_FOUND, and cannot be published again." },
  },
});

export const AudienceEnum = builder.enumType("Audience", {
  description: "Whom a key was made for.",
  values: {
    APP: { description: "A bank's own front end." },
    INTERNAL: { description: "A bank's staff and their tools, GraphiQL among them." },
    PARTNER: { description: "An outside integrator: registered documents only." },
  } satisfies Record<Audience, object>,
});

export const TenantKindEnum = builder.enumType("TenantKind", {
  description: "What a tenant is.",
  values: {
    BANK: { description: "A bank: customers belong to one." },
    PROVIDER: { description: "A payment provider with merchants of its own." },
    MERCHANT: { description: "A merchant of a provider." },
    OPERATOR: { description: "Whoever runs the gateway. Has no customers." },
  } satisfies Record<TenantKind, object>,
});

export const VisibilityEnum = builder.enumType("Visibility", {
  description: "Which fields of a customer may be seen; each tier includes the ones before it.",
  values: Object.fromEntries(
    VISIBILITIES.map((tier) => [
      tier,
      { description: `Shows ${FIELDS_OF_TIER[tier].join(", ")}. Needs \`${SCOPE_OF_VISIBILITY[tier]}\`.` },
    ]),
  ) as Record<Visibility, { description: string }>,
});

export const CustomerFieldEnum = builder.enumType("CustomerField", {
  description: "A field of Customer, in upper snake case.",
  values: Object.fromEntries(CUSTOMER_FIELD_NAMES.map((name) => [toEnumName(name), { value: name, description: `\`Customer.${name}\`` }])),
});

export const GenderEnum = builder.enumType("Gender", {
  description: "A customer's gender.",
  values: {
    MALE: { description: "Male." },
    FEMALE: { description: "Female." },
    OTHER: { description: "Neither of the two. Not known is null." },
  } satisfies Record<Gender, object>,
});

export const BlacklistReasonEnum = builder.enumType("BlacklistReason", {
  description: "Why a customer was blacklisted.",
  values: {
    FRAUD: { description: "Fraud, proven or suspected." },
    CHARGEBACK: { description: "Payments were charged back." },
    COMPLIANCE: { description: "A law or a rule of the bank demands it." },
    REQUEST: { description: "The customer asked for it." },
    OTHER: { description: "Anything else; the note may say what." },
  } satisfies Record<BlacklistReason, object>,
});

export const CustomerEventTypeEnum = builder.enumType("CustomerEventType", {
  description: "What happened to a customer.",
  values: {
    CREATED: { description: "The customer was registered." },
    UPDATED: { description: "Fields were set or cleared; `changedFields` names them." },
    BLACKLISTED: { description: "The customer was blacklisted, or the entry in force was changed." },
    UNBLACKLISTED: { description: "The customer was taken off the blacklist." },
    BLACKLIST_EXPIRED: { description: "The blacklist entry ran out at its `expiresAt`." },
    DEVICE_LINKED: { description: "A device was linked." },
    DEVICE_UNLINKED: { description: "A device was unlinked." },
    CONSENT_GIVEN: { description: "Consent was recorded, or another in its place." },
    CONSENT_WITHDRAWN: { description: "Consent was withdrawn." },
    // ERASED is not among them: who was erased is null, and so has no history to read.
  } satisfies Record<Exclude<CustomerEventType, "ERASED">, object>,
});

export const CustomerLifecycleEnum = builder.enumType("CustomerLifecycle", {
  description: "How far a customer has come. Each step stands on those before it.",
  values: {
    REGISTERED: { description: "The bank knows the customer; consent is not given, or was withdrawn." },
    ONBOARDED: { description: "The customer consented." },
    DEVICE_LINKED: { description: "The customer consented and has a device, and is blacklisted." },
    PAYMENTS_ENABLED: { description: "The customer consented, has a device and is not blacklisted." },
  } satisfies Record<CustomerLifecycle, object>,
});

/** Why a device is not linked. */
export type DeviceRefusal = "BLACKLISTED" | "LINKED_TO_ANOTHER" | "TOO_MANY";

export const DeviceRefusalEnum = builder.enumType("DeviceRefusal", {
  description: "Why a device cannot be linked.",
  values: {
    BLACKLISTED: { description: "The customer is blacklisted." },
    LINKED_TO_ANOTHER: { description: "The device is linked to another customer of this bank." },
    TOO_MANY: { description: "The customer has as many devices as one can have." },
  } satisfies Record<DeviceRefusal, object>,
});

export const ErasureReasonEnum = builder.enumType("ErasureReason", {
  description: "Why a customer's data was destroyed.",
  values: {
    REQUEST: { description: "The person asked for it." },
    CONSENT_WITHDRAWN: { description: "The person withdrew consent." },
    RETENTION: { description: "The time for which the data may be kept is over." },
    OTHER: { description: "Anything else." },
  } satisfies Record<ErasureReason, object>,
});

export const OrderDirectionEnum = builder.enumType("OrderDirection", {
  description: "The direction of a sort order.",
  values: {
    ASC: { description: "Lowest, oldest or first in the alphabet first." },
    DESC: { description: "Highest, newest or last in the alphabet first." },
  } as const,
});

export const CountPrecisionEnum = builder.enumType("CountPrecision", {
  description: "How exact a count is.",
  values: {
    EXACT: { description: "There are exactly that many." },
    AT_LEAST: { description: "Counting stopped at 10,000; there are more." },
  } as const,
});

/** The unique keys of a customer within its bank and mode, in the order they are compared. */
export const CUSTOMER_KEYS = ["email", "clientRef", "reference"] as const;
export type CustomerKey = (typeof CUSTOMER_KEYS)[number];

export const CustomerKeyEnum = builder.enumType("CustomerKey", {
  description: "A key that is unique among the customers of a bank and mode, and among the merchants.",
  values: {
    EMAIL: { value: "email", description: "The e-mail address." },
    CLIENT_REF: { value: "clientRef", description: "The bank's own reference for the client." },
    REFERENCE: { value: "reference", description: "The bank's own internal reference." },
  } as const satisfies Record<string, { value: CustomerKey; description: string }>,
});
