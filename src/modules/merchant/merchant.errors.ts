import { builder } from "../../graphql/builder.ts";
import { ErrorInterface, example, GatewayFailure } from "../../graphql/failure.ts";

/** No such merchant here; another tenant's merchant answers the same. */
export class MerchantNotFound extends GatewayFailure {
  constructor() {
    super("MERCHANT_NOT_FOUND", "Merchant not found");
  }
}

/** The merchant was changed since the caller read it. */
export class MerchantVersionConflict extends GatewayFailure {
  readonly currentVersion: number;
  constructor(currentVersion: number) {
    super("MERCHANT_VERSION_CONFLICT", "The merchant was changed meanwhile: read it again.");
    this.currentVersion = currentVersion;
  }
}

builder.objectType(MerchantNotFound, {
  name: "MerchantNotFound",
  description: "No such merchant here. Another tenant's merchant answers exactly like one that does not exist.",
  interfaces: [ErrorInterface],
  ...example(() => new MerchantNotFound()),
});

builder.objectType(MerchantVersionConflict, {
  name: "MerchantVersionConflict",
  description: "The merchant is no longer at `expectedVersion`: someone else has written meanwhile.",
  interfaces: [ErrorInterface],
  ...example(() => new MerchantVersionConflict(2)),
  fields: (t) => ({
    currentVersion: t.exposeInt("currentVersion", { description: "The version the merchant is at now." }),
  }),
});
