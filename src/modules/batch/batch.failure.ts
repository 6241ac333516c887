import type { BatchFailure } from "../../database/generated/client.ts";
import { builder } from "../../graphql/builder.ts";
import { type CustomerKey, CustomerKeyEnum } from "../../graphql/enums.ts";
import { toGlobalId } from "../../graphql/global-id.ts";
import { type Issue, IssueType } from "../../graphql/issue.ts";
import { BatchErrorCodeEnum } from "./batch.enums.ts";
import { kindInSchema } from "./batch.kind.ts";

/** Why a row is refused, whichever it is. */
export type Refusal =
  | { readonly code: "INVALID_DATA" | "VALIDATION_ERROR"; readonly issues: readonly Issue[] }
  | { readonly code: "DUPLICATE_IN_BATCH"; readonly matchedOn: string; readonly firstIndex: number }
  | { readonly code: "EXISTING_CUSTOMER"; readonly matchedOn: string; readonly existingId: string };

/** Why one row was refused. */
export type RowFailure = { readonly index: number; readonly clientRef: string | null } & Refusal;

/** A failure as it is stored, with its batch's kind. */
export type StoredFailure = Omit<BatchFailure, "bankId" | "mode" | "clientRefKey"> & { readonly kind: string };

const issuesOf = (failure: StoredFailure) => (failure.issues ?? []) as unknown as Issue[];
const keyOf = (failure: StoredFailure) => failure.matchedOn as CustomerKey;
/** What the row would have become. */
const thingOf = ({ kind }: StoredFailure) => kindInSchema(kind).thing;

/** What a person reads of a failure: fields and rules, never a value. */
export function describeFailure(failure: StoredFailure): string {
  switch (failure.code) {
    case "DUPLICATE_IN_BATCH":
      return `Row ${failure.firstIndex} of this batch has the same ${failure.matchedOn}`;
    case "EXISTING_CUSTOMER":
      return `${thingOf(failure).typename} with this ${failure.matchedOn} already exists`;
    default:
      return issuesOf(failure)
        .map(({ field, message }) => (field ? `${field} ${message}` : message))
        .join("; ");
  }
}

const BatchItemFailure = builder.interfaceRef<StoredFailure>("BatchItemFailure").implement({
  description: "Why one row of a batch was refused.",
  fields: (t) => ({
    index: t.exposeInt("index", { description: "The row's place in the input, from 0." }),
    clientRef: t.string({
      nullable: true,
      description: "The row's clientRef as it came, if it had one.",
      resolve: (failure, _args, { disclosed }) => {
        // Of a customer: a value above STANDARD, of a row that became none.
        if (thingOf(failure).typename === "Customer") disclosed.ask(["clientRef"]);
        return failure.clientRef;
      },
    }),
    code: t.field({ type: BatchErrorCodeEnum, description: "Why.", resolve: ({ code }) => code }),
    message: t.string({ description: "What is wrong, for a person. Names fields and rules, never a value.", resolve: describeFailure }),
  }),
});

const DuplicateInBatch = builder.objectRef<StoredFailure>("DuplicateInBatch").implement({
  description: "An earlier row has the same key. The first one wins.",
  interfaces: [BatchItemFailure],
  fields: (t) => ({
    field: t.field({ type: CustomerKeyEnum, description: "The key that is the same.", resolve: keyOf }),
    firstIndex: t.int({ description: "The earlier row's place in the input.", resolve: ({ firstIndex }) => firstIndex! }),
  }),
});

const InvalidData = builder.objectRef<StoredFailure>("InvalidData").implement({
  description: "A required field is missing or blank.",
  interfaces: [BatchItemFailure],
  fields: (t) => ({
    issues: t.field({ type: [IssueType], description: "Every required field that is missing.", resolve: issuesOf }),
  }),
});

const ExistingCustomer = builder.objectRef<StoredFailure>("ExistingCustomer").implement({
  description: "This bank already has, in this mode, a customer with one of the row's keys; of a batch of merchants, a merchant.",
  interfaces: [BatchItemFailure],
  fields: (t) => ({
    matchedOn: t.field({ type: CustomerKeyEnum, description: "The key that matched.", resolve: keyOf }),
    customerId: t.id({
      description: "The customer that has it; of a batch of merchants the merchant: `mer_` and a UUID.",
      resolve: (failure) => toGlobalId(thingOf(failure).prefix, failure.existingId!),
    }),
  }),
});

const ValidationError = builder.objectRef<StoredFailure>("ValidationError").implement({
  description: "A format or a constraint is violated.",
  interfaces: [BatchItemFailure],
  fields: (t) => ({
    issues: t.field({ type: [IssueType], description: "Every violation of the row.", resolve: issuesOf }),
  }),
});

export const BatchFailureUnion = builder.unionType("BatchFailure", {
  description: "Why one row of a batch was refused: one failure a row, the first check that it did not pass.",
  types: [DuplicateInBatch, InvalidData, ExistingCustomer, ValidationError],
  resolveType: ({ code }) =>
    ({
      DUPLICATE_IN_BATCH: DuplicateInBatch,
      INVALID_DATA: InvalidData,
      EXISTING_CUSTOMER: ExistingCustomer,
      VALIDATION_ERROR: ValidationError,
    })[code],
});
