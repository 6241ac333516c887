import { builder } from "./builder.ts";

/** The code of each error type: its name in UPPER_SNAKE. */
export const FAILURE_CODES = {
  INVALID_CUSTOMER_DATA: "InvalidCustomerData: the input breaks rules.",
  CUSTOMER_ALREADY_EXISTS: "CustomerAlreadyExists: a unique key is taken.",
  CUSTOMER_NOT_FOUND: "CustomerNotFound: no such customer here.",
  VERSION_CONFLICT: "VersionConflict: `expectedVersion` is not the current one.",
  DEVICE_REFUSED: "DeviceRefused: the device cannot be linked to this customer.",
  MERCHANT_NOT_FOUND: "MerchantNotFound: no such merchant here.",
  MERCHANT_VERSION_CONFLICT: "MerchantVersionConflict: `expectedVersion` is not the merchant's current one.",
  INVALID_BATCH: "InvalidBatch: the batch as a whole cannot be taken.",
  INVALID_API_KEY: "InvalidApiKey: the key cannot be made as asked.",
  API_KEY_NOT_FOUND: "ApiKeyNotFound: no such key of this bank and mode.",
  CLIENT_NOT_FOUND: "ClientNotFound: this bank has no such client.",
  INVALID_DOCUMENTS: "InvalidDocuments: documents cannot be published.",
  INVALID_CLIENT: "InvalidClient: the client cannot be set so.",
  PERSISTED_DOCUMENT_NOT_FOUND: "PersistedDocumentNotFound: no such document is registered for this client.",
  WEBHOOK_ENDPOINT_NOT_FOUND: "WebhookEndpointNotFound: no such webhook endpoint of this bank and mode.",
  INVALID_WEBHOOK_ENDPOINT: "InvalidWebhookEndpoint: the webhook endpoint cannot be made, changed or used as asked.",
  IDEMPOTENCY_CONFLICT: "IdempotencyConflict: the key was used with another input, or for a customer who was erased since.",
} as const;

export type FailureCode = keyof typeof FAILURE_CODES;

/**
 * An expected failure of a mutation. Thrown anywhere below a resolver that lists its class, it rolls
 * the transaction back and becomes a member of the field's result union.
 */
export abstract class GatewayFailure extends Error {
  readonly code: FailureCode;
  constructor(code: FailureCode, message: string) {
    super(message);
    this.code = code;
  }
}

const ErrorCodeEnum = builder.enumType("ErrorCode", {
  description: "The code of an error type: the type's name in upper snake case.",
  values: Object.fromEntries(
    Object.entries(FAILURE_CODES).map(([code, description]) => [code, { value: code as FailureCode, description }]),
  ) as Record<FailureCode, { value: FailureCode; description: string }>,
});

/** What an error type looks like where the sandbox is asked for it, written where the type is defined. */
export const example = (make: () => GatewayFailure) => ({ extensions: { example: make } });

/** The issue of an example that has one. */
export const ASKED_FOR = { field: null, message: "is what a magic value of the sandbox asked for" };

export const ErrorInterface = builder.interfaceRef<GatewayFailure>("Error").implement({
  description: "What every error type of a mutation has. In the sandbox magic values bring about each of them: docs/sandbox.md.",
  fields: (t) => ({
    code: t.field({ type: ErrorCodeEnum, description: "The type's name in upper snake case.", resolve: ({ code }) => code }),
    message: t.exposeString("message", { description: "What went wrong, for a person. Holds no personal data." }),
  }),
});

/** The key was used before, with another input. */
export class IdempotencyConflict extends GatewayFailure {
  constructor(message = "This idempotency key was used with another input.") {
    super("IDEMPOTENCY_CONFLICT", message);
  }
}

builder.objectType(IdempotencyConflict, {
  name: "IdempotencyConflict",
  description:
    "The idempotency key was used within the last 24 hours with another input, or for a customer who was erased since. Nothing was written.",
  interfaces: [ErrorInterface],
  ...example(() => new IdempotencyConflict()),
});
