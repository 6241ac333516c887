import { builder } from "../../graphql/builder.ts";
import { MAX_ROWS } from "../batch/batch.core.ts";
import { BATCH_ERRORS, batchExtensions, batchOptions, takeBatch } from "../batch/batch.mutation.ts";
import { customerBatch } from "./customer.batch.ts";
import { BatchResultType } from "./customer.batch.type.ts";
import { ConsentInputType } from "./customer.consent.ts";
import type { ConsentInput } from "./customer.consent.rules.ts";
import type { CustomerInput } from "./customer.rules.ts";

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
      description: `1 to ${MAX_ROWS} rows. A null row is INVALID_DATA. In the sandbox a row can ask to be refused: docs/sandbox.md.`,
    }),
    ...batchOptions(t),
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
    extensions: batchExtensions("customers"),
    errors: {
      types: BATCH_ERRORS,
      union: { name: "CreateCustomersBatchResult", description: "The batch with what became of its rows, or why it was not taken." },
    },
    resolve: (_root, { input }, context, info) => {
      // A row without consent is another input than one with the batch's.
      const customers = input.customers.map((row) => (row ? withConsent(row, input.consent) : null));
      return takeBatch(context, info, customerBatch(context.keyring), customers, { ...input, customers });
    },
  }),
);

/** A row with the batch's consent where it says nothing of its own. */
function withConsent(row: CustomerInput, consent: ConsentInput | null | undefined): CustomerInput {
  return row.consent === undefined && consent ? { ...row, consent } : row;
}
