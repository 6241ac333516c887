import { within } from "../../access/principal.ts";
import type { Context } from "../../context.ts";
import { builder } from "../../graphql/builder.ts";
import { type Connection, connectionType, once, pageArgs, toCount } from "../../graphql/connection.ts";
import { cursorsOf } from "../../graphql/cursor.ts";
import { facts } from "../../graphql/field-facts.ts";
import { toGlobalId } from "../../graphql/global-id.ts";
import { nodeInterface } from "../../graphql/node.ts";
import { type PageArgs, pageRequest, toPage } from "../../graphql/pagination.ts";
import type { BatchErrorCode } from "../../database/generated/enums.ts";
import { BatchErrorCodeEnum, BatchStatusEnum } from "./batch.enums.ts";
import { BatchFailureUnion, type StoredFailure } from "./batch.failure.ts";
import type { KindInSchema } from "./batch.kind.ts";
import { type BatchRow, failuresLoader } from "./batch.store.ts";

/** The most failures that `failures` shows at once. Source: contract §4. */
export const INLINE_FAILURE_LIMIT = 50;

export const SUMMARY_COLUMNS = {
  total: "The rows of the batch.",
  successful: "Rows that were created; in a dry run, rows that would be.",
  failed: "Rows that were refused.",
  duplicates: "Of those, DUPLICATE_IN_BATCH and EXISTING_CUSTOMER.",
  invalidData: "Of those, INVALID_DATA and VALIDATION_ERROR.",
  pending: "Rows that are still to be processed.",
  rolledBack: "Good rows that were not written because ALL_OR_NOTHING met a failure.",
} as const;

type SummaryColumn = keyof typeof SUMMARY_COLUMNS;

export const BatchSummary = builder.objectRef<Record<SummaryColumn, number>>("BatchSummary").implement({
  description: "What became of the rows: total = successful + failed + pending + rolledBack.",
  fields: (t) =>
    Object.fromEntries(
      Object.entries(SUMMARY_COLUMNS).map(([name, description]) => [
        name,
        t.int({ description, resolve: (summary) => summary[name as SummaryColumn] }),
      ]),
    ),
});

const BatchFailureConnection = connectionType<StoredFailure>("BatchFailure", BatchFailureUnion);

const BatchInterface = builder.interfaceRef<BatchRow>("Batch").implement({
  description: "What any kind of batch has.",
  fields: (t) => ({
    status: t.field({ type: BatchStatusEnum, description: "How far it is.", resolve: (batch) => batch.status! }),
    summary: t.field({ type: BatchSummary, description: "What became of the rows.", resolve: (batch) => batch as never }),
    failures: t.field({
      type: [BatchFailureUnion],
      description: "The refused rows of the lowest indexes, at most `inlineFailureLimit`.",
      extensions: facts({ size: () => INLINE_FAILURE_LIMIT }),
      resolve: ({ id, kind }, _args, context) =>
        failuresLoader(context).load({ batchId: id, kind: kind!, above: -1, take: INLINE_FAILURE_LIMIT, code: null }),
    }),
    failuresInline: t.boolean({
      description: "Whether `failures` holds all of them.",
      resolve: (batch) => batch.failed! <= INLINE_FAILURE_LIMIT,
    }),
    inlineFailureLimit: t.int({ description: "The most that `failures` holds.", resolve: () => INLINE_FAILURE_LIMIT }),
    allFailures: t.field({
      type: BatchFailureConnection,
      description: "All refused rows, lowest index first.",
      args: { ...pageArgs.forward(), code: t.arg({ type: BatchErrorCodeEnum, description: "Only failures of this code." }) },
      resolve: listFailures,
    }),
    createdCount: t.int({
      description: "How many rows were written. 0 for a dry run.",
      resolve: (batch) => (batch.dryRun ? 0 : batch.successful!),
    }),
    dryRun: t.boolean({ description: "Whether nothing was to be written.", resolve: (batch) => batch.dryRun! }),
    replayed: t.boolean({
      description: "Whether this answer is that of an earlier call with the same idempotency key.",
      resolve: (batch) => (batch as { replayed?: boolean }).replayed ?? false,
    }),
    createdAt: t.field({ type: "DateTime", description: "When it was sent.", resolve: (batch) => batch.createdAt! }),
    completedAt: t.field({
      type: "DateTime",
      nullable: true,
      description: "When its last row was decided; null while rows are pending.",
      resolve: (batch) => batch.completedAt ?? null,
    }),
  }),
});

/** All columns but the ids, which may be many: those are read only when they are asked for. */
export const BATCH_COLUMNS = {
  id: true,
  bankId: true,
  mode: true,
  kind: true,
  status: true,
  dryRun: true,
  ...(Object.fromEntries(Object.keys(SUMMARY_COLUMNS).map((name) => [name, true])) as Record<SummaryColumn, true>),
  createdAt: true,
  completedAt: true,
} as const;

/** The type of the batches of a kind. It has what any batch has; the kind adds its own fields. */
export function batchType({ typename, prefix }: KindInSchema, description: string) {
  return builder.prismaObject("Batch", {
    variant: typename,
    description,
    interfaces: [nodeInterface, BatchInterface],
    select: BATCH_COLUMNS,
    fields: (t) => ({
      id: t.id({ description: `\`${prefix}_\` and a UUID.`, resolve: ({ id }) => toGlobalId(prefix, id) }),
    }),
  });
}

function listFailures(
  { id, kind }: BatchRow,
  args: PageArgs & { code?: BatchErrorCode | null },
  context: Context,
): Connection<StoredFailure> {
  const request = pageRequest(args);
  const code = args.code ?? null;
  const cursors = cursorsOf(context.keyring, { list: "failures", ...within(context.principal), of: id, code });
  const above = Number(cursors.open(args.after)?.[0] ?? -1);
  return {
    page: once(async () =>
      toPage(await failuresLoader(context).load({ batchId: id, kind: kind!, above, take: request.size + 1, code }), request),
    ),
    cursor: ({ index }) => cursors.seal([index]),
    count: () => Promise.reject(new Error("failures are not counted")),
  };
}

/**
 * What a batch created, in the order of its rows: `load` gives one with the columns that are asked for, `find` with its key. What
 * is there no more is left out. The place of one among the created is its cursor.
 */
export function listCreated<Row extends { id: string }>(
  batch: { id: string; createdIds: string[] },
  args: PageArgs,
  context: Context,
  { load, find }: Record<"load" | "find", (id: string) => Promise<Row | null>>,
): Connection<Row> {
  const request = pageRequest(args);
  const cursors = cursorsOf(context.keyring, { list: "created", ...within(context.principal), of: batch.id });
  const start = Number(cursors.open(args.after)?.[0] ?? -1) + 1;
  const all = async (ids: readonly string[], by: typeof load) => (await Promise.all(ids.map(by))).filter((row) => row !== null);
  return {
    page: once(async () => {
      const rows = await all(batch.createdIds.slice(start, start + request.size), load);
      return { rows, hasNextPage: batch.createdIds.length > start + request.size, hasPreviousPage: false };
    }),
    cursor: ({ id }) => cursors.seal([batch.createdIds.indexOf(id)]),
    count: once(async () => toCount((await all(batch.createdIds, find)).length)),
  };
}
