import type { GraphQLResolveInfo } from "graphql";
import { idempotencyKey, keyed } from "../../changes/idempotency.ts";
import { originOf } from "../../changes/write.ts";
import type { Context } from "../../context.ts";
import { builder, type Types } from "../../graphql/builder.ts";
import { IdempotencyConflict } from "../../graphql/failure.ts";
import { ANY, type ArgsOrAny, facts } from "../../graphql/field-facts.ts";
import { MAX_ROWS, runBatch } from "./batch.core.ts";
import { InvalidBatch } from "./batch.errors.ts";
import { loadBatch } from "./batch.read.ts";
import type { BatchKind } from "./batch.rows.ts";

/** What a mutation that takes a batch of any kind has: its options, its errors, its cost, and what it does. */

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
        "By a worker. The answer is PROCESSING at once; `batch` and `batchProgress`, of merchants `merchantsBatch`, tell how it goes on. " +
        "The rows are kept encrypted until they are processed, and then deleted.",
    },
  } as const,
});

/** The fields of a batch's input beside its rows. */
export const batchOptions = (t: PothosSchemaTypes.InputFieldBuilder<Types, "InputObject">) => ({
  idempotencyKey: t.string({
    description:
      "1 to 255 characters; the Idempotency-Key header means the same. Within 24 hours the same key and input gives " +
      "the first answer again with `replayed: true`, and another input an IdempotencyConflict.",
  }),
  atomicity: t.field({ type: BatchAtomicity, defaultValue: "PARTIAL" as const, description: "What one refused row means for the others." }),
  dryRun: t.boolean({
    defaultValue: false,
    description: "Makes every check and tells every failure, keeps the batch's record, creates nothing and ignores the key.",
  }),
  processing: t.field({
    type: BatchProcessing,
    defaultValue: "COMPLETE" as const,
    description: "When the rows are processed. The header `Prefer: respond-async` means BACKGROUND.",
  }),
});

/** A batch's input: what `batchOptions` came to, and all else that it says, the rows among it. */
export interface BatchInput {
  readonly [field: string]: unknown;
  readonly idempotencyKey?: string | null;
  readonly atomicity?: "PARTIAL" | "ALL_OR_NOTHING" | null;
  readonly dryRun?: boolean | null;
  readonly processing?: "COMPLETE" | "BACKGROUND" | null;
}

/** What such a mutation may answer with instead of the batch. */
export const BATCH_ERRORS = [InvalidBatch, IdempotencyConflict];

/**
 * What its field tells of itself. A batch costs a point, and a tenth for each row in this field of its input; more rows than
 * it takes are refused. Source: contract §5.
 */
export function batchExtensions(rowsField: string) {
  const points = ({ input }: ArgsOrAny) => {
    const rows = input === ANY ? ANY : input[rowsField];
    return 1 + (rows === ANY ? MAX_ROWS : Array.isArray(rows) ? Math.min(rows.length, MAX_ROWS) : 1) / 10;
  };
  return { ...keyed.extensions, ...facts({ points }) };
}

/** Takes a batch, and gives it as the answer asks for it. The input is what the idempotency key stands for. */
export async function takeBatch<Row extends { clientRef?: string | null }, Clean extends object>(
  context: Context,
  info: GraphQLResolveInfo,
  kind: BatchKind<Row, Clean>,
  rows: readonly (Row | null)[],
  { idempotencyKey: inputKey, ...input }: BatchInput,
) {
  const background = context.respondAsync || input.processing === "BACKGROUND";
  const { batchId, replayed, batch } = await runBatch(context, kind, {
    rows,
    atomic: input.atomicity === "ALL_OR_NOTHING",
    dryRun: input.dryRun ?? false,
    background,
    call: {
      mutation: info.fieldName,
      key: idempotencyKey(context, inputKey),
      // What it comes to, however it was said.
      input: { ...input, processing: background ? "BACKGROUND" : "COMPLETE" },
    },
    origin: originOf(context, info),
  });
  const loaded = await loadBatch(kind.name, batchId, context, info, batch);
  return Object.assign(loaded!, { replayed }) as never;
}
