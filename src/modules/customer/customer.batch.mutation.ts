import { idempotencyKey, keyed } from "../../changes/idempotency.ts";
import { originOf } from "../../changes/write.ts";
import { builder } from "../../graphql/builder.ts";
import { ANY, type ArgsOrAny, facts } from "../../graphql/field-facts.ts";
import { IdempotencyConflict } from "../../graphql/failure.ts";
import { MAX_ROWS, runBatch } from "../batch/batch.core.ts";
import { InvalidBatch } from "../batch/batch.errors.ts";
import { loadBatch } from "../batch/batch.queries.ts";
import { BatchResultType } from "../batch/batch.type.ts";
import { customerBatch } from "./customer.batch.ts";
import { ConsentInputType } from "./customer.consent.ts";
import type { ConsentInput } from "./customer.consent.rules.ts";
import type { CustomerInput } from "./customer.rules.ts";

/** A batch costs a point, and a tenth for each of its rows; more rows than it takes are refused. Source: contract §5. */
function batchPoints({ input }: ArgsOrAny): number {
  const rows = input === ANY ? ANY : input.customers;
  return 1 + (rows === ANY ? MAX_ROWS : Array.isArray(rows) ? Math.min(rows.length, MAX_ROWS) : 1) / 10;
}

const BatchAtomicity = builder.enumType("BatchAtomicity", {
  description: "What one refused row means for the others.",
  values: {
    PARTIAL: { description: "Nothing: the good rows are created." },
    ALL_OR_NOTHING: { description: "None is created, and the batch is FAILED." },
  } as const,
});

const BatchProcessing = builder.enumType("BatchProcessing", {
  description: "When the rows are processed.",
  values: {
    COMPLETE: { description: "Before the answer, which is the whole outcome." },
    BACKGROUND: {
      description:
        "By a worker. The answer is PROCESSING at once; `batch` and `batchProgress` tell how it goes on. The rows are kept encrypted until they are processed, and then deleted.",
    },
  } as const,
});

const BatchCustomerInput = builder.inputType("BatchCustomerInput", {
  description:
    "One row of a batch. clientRef, firstname, lastname, accountName, email, country, accountNumber and reference are " +
    "required. All is plain nullable text, so that one bad row fails alone.",
  fields: (t) => ({
    clientRef: t.string({ description: "The bank's own reference for the client, unique, at most 100 characters. Required." }),
    firstname: t.string({ description: "Given name, at most 100 characters. Required." }),
    lastname: t.string({ description: "Family name, at most 100 characters. Required." }),
    middlename: t.string({ description: "Middle name, at most 100 characters." }),
    accountName: t.string({ description: "Full name of the account, at most 200 characters. Required." }),
    email: t.string({ description: "E-mail address, unique, at most 254 characters. Required." }),
    country: t.string({ description: "ISO 3166-1 alpha-2, in any case. Required." }),
    state: t.string({ description: "State or region, at most 100 characters." }),
    address: t.string({ description: "Postal address, at most 500 characters." }),
    gender: t.string({ description: "MALE, FEMALE or OTHER, in any case." }),
    phone: t.string({ description: "Phone number: E.164, or national in the row's country." }),
    accountNumber: t.string({ description: "Bank account number, at most 34 characters. Required." }),
    reference: t.string({ description: "The bank's own internal reference, unique, at most 100 characters. Required." }),
    consent: t.field({
      type: ConsentInputType,
      description: "What this customer agreed to, whole: nothing is taken from the batch's. Left out: the batch's; null: none.",
    }),
  }),
});

const CreateCustomersBatchInput = builder.inputType("CreateCustomersBatchInput", {
  description: "A batch of new customers.",
  fields: (t) => ({
    customers: t.field({
      type: [BatchCustomerInput],
      required: { list: true, items: false },
      description: `1 to ${MAX_ROWS} rows. A null row is INVALID_DATA.`,
    }),
    idempotencyKey: t.string({
      description:
        "1 to 255 characters; the Idempotency-Key header means the same. Within 24 hours the same key and input gives " +
        "the first answer again with `replayed: true`, and another input an IdempotencyConflict.",
    }),
    atomicity: t.field({ type: BatchAtomicity, defaultValue: "PARTIAL", description: "What one refused row means for the others." }),
    dryRun: t.boolean({
      defaultValue: false,
      description: "Makes every check and tells every failure, keeps the batch's record, writes no customer and ignores the key.",
    }),
    processing: t.field({
      type: BatchProcessing,
      defaultValue: "COMPLETE",
      description: "When the rows are processed. The header `Prefer: respond-async` means BACKGROUND.",
    }),
    consent: t.field({
      type: ConsentInputType,
      description:
        "What all customers of the batch agreed to, but those whose row says otherwise. It is checked with each row that it " +
        "goes for: when it breaks a rule, each of them is a VALIDATION_ERROR.",
    }),
  }),
});

builder.mutationField("createCustomersBatch", (t) =>
  t.field({
    type: BatchResultType,
    authScopes: { scope: "batches:write" },
    description:
      "Registers up to 500 customers at once. Each row gets one outcome, by the first check it does not pass: required " +
      "fields, formats and constraints, duplicates within the batch, customers that exist. No row is ever partly saved.",
    args: { input: t.arg({ type: CreateCustomersBatchInput, required: true, description: "The batch." }) },
    extensions: { ...keyed.extensions, ...facts({ points: batchPoints }) },
    errors: {
      types: [InvalidBatch, IdempotencyConflict],
      union: { name: "CreateCustomersBatchResult", description: "The batch with what became of its rows, or why it was not taken." },
    },
    resolve: async (_root, { input: { idempotencyKey: inputKey, ...input } }, context, info) => {
      const rows = input.customers.map((row) => (row ? withConsent(row, input.consent) : null));
      const background = context.respondAsync || input.processing === "BACKGROUND";
      // What it comes to, however it was said: a row without consent is another input than one with the batch's.
      const meant = { ...input, customers: rows, processing: background ? "BACKGROUND" : "COMPLETE" };
      const {
        batchId,
        replayed,
        batch: written,
      } = await runBatch(context, customerBatch(context.keyring), {
        rows,
        atomic: input.atomicity === "ALL_OR_NOTHING",
        dryRun: input.dryRun ?? false,
        background,
        call: { mutation: "createCustomersBatch", key: idempotencyKey(context, inputKey), input: meant },
        origin: originOf(context, info),
      });
      const batch = await loadBatch(batchId, context, info, written);
      return Object.assign(batch!, { replayed }) as never;
    },
  }),
);

/** A row with the batch's consent where it says nothing of its own. */
function withConsent(row: CustomerInput, consent: ConsentInput | null | undefined): CustomerInput {
  return row.consent === undefined && consent ? { ...row, consent } : row;
}
