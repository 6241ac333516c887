import { builder } from "../../graphql/builder.ts";
import type { CustomerFieldName } from "../../access/visibility.ts";
import { maySee } from "../../access/principal.ts";
import { type CustomerKey, CustomerKeyEnum, type DeviceRefusal, DeviceRefusalEnum } from "../../graphql/enums.ts";
import { ASKED_FOR, ErrorInterface, example, GatewayFailure } from "../../graphql/failure.ts";
import { type Issue, IssueType } from "../../graphql/issue.ts";
import { magicId } from "../../sandbox/magic.ts";

/** Input that breaks rules: all of them are named. */
export class InvalidCustomerData extends GatewayFailure {
  readonly issues: readonly Issue[];
  constructor(issues: readonly Issue[]) {
    super("INVALID_CUSTOMER_DATA", "Invalid customer data");
    this.issues = issues;
  }
}

/** Another customer of this bank and mode has one of the keys. */
export class CustomerAlreadyExists extends GatewayFailure {
  readonly matchedOn: CustomerKey;
  constructor(matchedOn: CustomerKey) {
    super("CUSTOMER_ALREADY_EXISTS", `Customer with this ${matchedOn} already exists`);
    this.matchedOn = matchedOn;
  }
}

/** No such customer here; another bank's customer answers the same. */
export class CustomerNotFound extends GatewayFailure {
  constructor() {
    super("CUSTOMER_NOT_FOUND", "Customer not found");
  }
}

/** The customer was changed since the caller read it. */
export class VersionConflict extends GatewayFailure {
  readonly currentVersion: number;
  readonly customerId: string;
  constructor({ id, version }: { readonly id: string; readonly version: number }) {
    super("VERSION_CONFLICT", "The customer was changed meanwhile: read it again.");
    this.currentVersion = version;
    this.customerId = id;
  }
}

/** A device that cannot be linked: the same words whatever the reason, which is told to who may see what it tells. */
export class DeviceRefused extends GatewayFailure {
  readonly reason: DeviceRefusal;
  readonly customerId: string;
  constructor(reason: DeviceRefusal, customerId: string) {
    super("DEVICE_REFUSED", "The device cannot be linked to this customer");
    this.reason = reason;
    this.customerId = customerId;
  }
}

/** The field that each reason tells of. */
const TOLD_BY: Record<DeviceRefusal, CustomerFieldName> = { BLACKLISTED: "blacklisted", LINKED_TO_ANOTHER: "devices", TOO_MANY: "devices" };

builder.objectType(InvalidCustomerData, {
  name: "InvalidCustomerData",
  description: "The input breaks rules.",
  interfaces: [ErrorInterface],
  ...example(() => new InvalidCustomerData([ASKED_FOR])),
  fields: (t) => ({
    issues: t.field({ type: [IssueType], description: "Every violation, not the first.", resolve: ({ issues }) => [...issues] }),
  }),
});

builder.objectType(CustomerAlreadyExists, {
  name: "CustomerAlreadyExists",
  description: "Another customer of this bank and mode has the same e-mail, clientRef or reference.",
  interfaces: [ErrorInterface],
  ...example(() => new CustomerAlreadyExists("email")),
  fields: (t) => ({
    matchedOn: t.field({ type: CustomerKeyEnum, description: "The key that matched.", resolve: ({ matchedOn }) => matchedOn }),
  }),
});

builder.objectType(CustomerNotFound, {
  name: "CustomerNotFound",
  description: "No such customer here. Another bank's customer answers exactly like one that does not exist.",
  interfaces: [ErrorInterface],
  ...example(() => new CustomerNotFound()),
});

builder.objectType(VersionConflict, {
  name: "VersionConflict",
  description: "The customer is no longer at `expectedVersion`: someone else has written meanwhile.",
  interfaces: [ErrorInterface],
  ...example(() => new VersionConflict({ id: magicId("VERSION_CONFLICT")!, version: 2 })),
  fields: (t) => ({
    currentVersion: t.int({
      description: "The version the customer is at now.",
      resolve: ({ currentVersion, customerId }, _args, { disclosed }) => {
        disclosed.show("version", customerId);
        return currentVersion;
      },
    }),
  }),
});

builder.objectType(DeviceRefused, {
  name: "DeviceRefused",
  description: "The device cannot be linked: the customer is blacklisted, or the device is another's, or there are too many.",
  interfaces: [ErrorInterface],
  ...example(() => new DeviceRefused("LINKED_TO_ANOTHER", magicId("DEVICE_REFUSED")!)),
  fields: (t) => ({
    reason: t.field({
      type: DeviceRefusalEnum,
      nullable: true,
      description: "Which of them; null unless the key may see `Customer.blacklisted`, for the others `Customer.devices`.",
      resolve: ({ reason, customerId }, _args, { principal, disclosed }) => {
        if (!maySee(principal, TOLD_BY[reason])) return null;
        disclosed.show(TOLD_BY[reason], customerId);
        return reason;
      },
    }),
  }),
});
