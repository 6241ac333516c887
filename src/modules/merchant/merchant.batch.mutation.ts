import { builder } from "../../graphql/builder.ts";
import { MAX_ROWS } from "../batch/batch.core.ts";
import { BATCH_ERRORS, batchExtensions, batchOptions, takeBatch } from "../batch/batch.mutation.ts";
import { readableBy } from "../batch/batch.read.ts";
import { MERCHANT_BATCH } from "./merchant.batch.ts";
import { MERCHANT_BATCHES, MerchantBatchResultType } from "./merchant.batch.type.ts";

const BatchMerchantInput = builder.inputType("BatchMerchantInput", {
  description:
    "One row of a batch. clientRef, name, email, country and reference are required. All is plain nullable text, so that one " +
    "bad row fails alone.",
  fields: (t) => ({
    clientRef: t.string({ description: "The provider's own reference, unique, at most 100 characters. Required." }),
    name: t.string({ description: "The name that it does business under, at most 200 characters. Required." }),
    email: t.string({ description: "E-mail address, unique, at most 254 characters. Required." }),
    country: t.string({ description: "ISO 3166-1 alpha-2, in any case. Required." }),
    phone: t.string({ description: "Phone number: E.164, or national in the row's country." }),
    address: t.string({ description: "Postal address, at most 500 characters." }),
    state: t.string({ description: "State or region, at most 100 characters." }),
    website: t.string({ description: "An http or https address, at most 2048 characters." }),
    reference: t.string({ description: "The provider's own internal reference, unique, at most 100 characters. Required." }),
  }),
});

const CreateMerchantsBatchInput = builder.inputType("CreateMerchantsBatchInput", {
  description: "A batch of new merchants.",
  fields: (t) => ({
    merchants: t.field({
      type: [BatchMerchantInput],
      required: { list: true, items: false },
      description: `1 to ${MAX_ROWS} rows. A null row is INVALID_DATA.`,
    }),
    ...batchOptions(t),
  }),
});

builder.mutationField("createMerchantsBatch", (t) =>
  t.field({
    type: MerchantBatchResultType,
    authScopes: MERCHANT_BATCHES.requires,
    description:
      "Registers up to 500 merchants at once, each with BASIC trust. Each row gets one outcome, by the first check it does not " +
      "pass: required fields, formats and constraints, duplicates within the batch, merchants that exist. No row is ever partly saved.",
    args: { input: t.arg({ type: CreateMerchantsBatchInput, required: true, description: "The batch." }) },
    extensions: batchExtensions("merchants"),
    errors: {
      types: BATCH_ERRORS,
      union: { name: "CreateMerchantsBatchResult", description: "The batch with what became of its rows, or why it was not taken." },
    },
    resolve: (_root, { input }, context, info) =>
      takeBatch(
        context,
        info,
        MERCHANT_BATCH,
        input.merchants.map((row) => row ?? null),
        input,
      ),
  }),
);

readableBy("merchantsBatch", MERCHANT_BATCHES, MerchantBatchResultType);
