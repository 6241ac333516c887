import { createContextCache } from "@pothos/core";
import DataLoader from "dataloader";
import { announceBatch } from "../../changes/outbox.ts";
import type { Actor } from "../../changes/record-change.ts";
import { within } from "../../access/principal.ts";
import type { Context } from "../../context.ts";
import type { Transaction } from "../../database/client.ts";
import { type Batch, Prisma } from "../../database/generated/client.ts";
import type { BatchErrorCode, BatchStatus } from "../../database/generated/enums.ts";
import type { RowFailure, StoredFailure } from "./batch.failure.ts";

/** What became of a row: a failure, an id, or values that were good but not written. */
export type RowResult = { failure: RowFailure } | { id: string } | { values: unknown };

/** What became of a batch's last rows. */
export interface Outcome {
  readonly results: readonly RowResult[];
  /** One refused row, and none is written. */
  readonly atomic: boolean;
}

/**
 * Writes a batch's record with what became of its rows, and gives it: one statement, however many rows. Without an
 * outcome all of them are pending.
 */
export async function saveBatch(
  tx: Transaction,
  actor: Actor,
  { id, kind, dryRun, at, total }: { id: string; kind: string; dryRun: boolean; at: Date; total: number },
  outcome?: Outcome,
): Promise<Batch> {
  const batch: Batch = {
    ...within(actor),
    id,
    kind,
    dryRun,
    total,
    createdAt: at,
    ...countsOf(outcome ?? { results: [], atomic: false }),
    pending: outcome ? 0 : total,
    status: outcome ? statusOf(outcome) : "PROCESSING",
    createdIds: outcome ? idsOf(outcome) : [],
    completedAt: outcome ? new Date() : null,
  };
  // Not by Prisma's own create, which takes each of the ids apart.
  const record = Prisma.sql`
    INSERT INTO batch (
      bank_id, mode, id, kind, status, dry_run, total, successful, failed, duplicates, invalid_data, pending, rolled_back,
      created_ids, created_at, completed_at
    )
    SELECT r."bankId", r.mode, r.id, r.kind, r.status, r."dryRun", r.total, r.successful, r.failed, r.duplicates, r."invalidData",
      r.pending, r."rolledBack", r."createdIds", r."createdAt", r."completedAt"
    FROM json_to_record(${JSON.stringify(batch)}::json) AS r(
      "bankId" text, mode mode, id uuid, kind text, status batch_status, "dryRun" boolean, total int, successful int, failed int,
      duplicates int, "invalidData" int, pending int, "rolledBack" int, "createdIds" uuid[], "createdAt" timestamptz, "completedAt" timestamptz
    )`;
  const failures = outcome && insertFailures(actor, id, outcome);
  await tx.$executeRaw(failures ? Prisma.sql`WITH record AS (${record}) ${failures}` : record);
  if (batch.completedAt) await announceBatch(tx, actor, id, batch.completedAt);
  return batch;
}

/** Adds what became of a batch's next rows to its record; with the last of them it is completed. */
export async function advanceBatch(
  tx: Transaction,
  actor: Actor,
  { id, pending }: Pick<Batch, "id" | "pending">,
  outcome: Outcome,
): Promise<void> {
  const completedAt = outcome.results.length === pending ? new Date() : null;
  const counts = Object.entries(countsOf(outcome)).map(([column, count]) => [column, { increment: count }]);
  await tx.batch.updateMany({
    where: { ...within(actor), id },
    data: {
      ...Object.fromEntries(counts),
      pending: { decrement: outcome.results.length },
      createdIds: { push: idsOf(outcome) },
      ...(completedAt && { status: statusOf(outcome), completedAt }),
    },
  });
  const failures = insertFailures(actor, id, outcome);
  if (failures) await tx.$executeRaw(failures);
  if (completedAt) await announceBatch(tx, actor, id, completedAt);
}

const idsOf = ({ results }: Outcome) => results.flatMap((result) => ("id" in result ? [result.id] : []));
const failuresOf = ({ results }: Outcome) => results.flatMap((result) => ("failure" in result ? [result.failure] : []));
const statusOf = (outcome: Outcome): BatchStatus => (outcome.atomic && failuresOf(outcome).length > 0 ? "FAILED" : "COMPLETED");

function countsOf(outcome: Outcome) {
  const failures = failuresOf(outcome);
  const good = outcome.results.length - failures.length;
  const isUndone = statusOf(outcome) === "FAILED";
  const countOf = (...codes: BatchErrorCode[]) => failures.filter(({ code }) => codes.includes(code)).length;
  return {
    successful: isUndone ? 0 : good,
    failed: failures.length,
    duplicates: countOf("DUPLICATE_IN_BATCH", "EXISTING_CUSTOMER"),
    invalidData: countOf("INVALID_DATA", "VALIDATION_ERROR"),
    rolledBack: isUndone ? good : 0,
  };
}

/** The statement that adds a batch's failures; null when there are none. */
function insertFailures(actor: Actor, batchId: string, outcome: Outcome): Prisma.Sql | null {
  const failures = failuresOf(outcome);
  if (failures.length === 0) return null;
  const { bankId, mode } = within(actor);
  const rows = failures.map((failure) => {
    const clientRef = storableRef(failure.clientRef);
    return { ...failure, clientRef, clientRefKey: clientRef?.normalize("NFC").trim() };
  });
  return Prisma.sql`
    INSERT INTO batch_failure (bank_id, mode, batch_id, index, code, client_ref, client_ref_key, matched_on, first_index, existing_id, issues)
    SELECT ${bankId}::text, ${mode}::mode, ${batchId}::uuid, r.index, r.code, r."clientRef", r."clientRefKey", r."matchedOn", r."firstIndex", r."existingId", r.issues
    FROM jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) AS r(
      index int, code batch_error_code, "clientRef" text, "clientRefKey" text, "matchedOn" text, "firstIndex" int, "existingId" uuid, issues jsonb
    )`;
}

/** A row's clientRef as it came, as far as text can be stored: what it loses is of no use to who looks for the row. */
function storableRef(clientRef: string | null): string | null {
  return clientRef && Array.from(clientRef.slice(0, 200)).slice(0, 100).join("").toWellFormed().replaceAll("\0", "\ufffd");
}

/** The columns to read of a batch. */
export type BatchSelect = { [Column in keyof Batch]?: boolean };
export type BatchRow = Pick<Batch, "id" | "bankId" | "mode"> & Partial<Batch>;

interface BatchKey {
  readonly kind: string;
  readonly id: string;
  readonly select: BatchSelect;
}

/** Batches of a kind, of the principal's bank and mode, by UUID, with the columns that are asked of any of them. */
export const batchLoader = createContextCache(
  (context: Context) =>
    new DataLoader<BatchKey, BatchRow | null, string>(
      async (keys) => {
        const select = Object.assign({}, ...keys.map((key) => key.select), { id: true, bankId: true, mode: true, kind: true });
        const rows = (await context.db.batch.findMany({
          where: { ...within(context.principal), id: { in: keys.map(({ id }) => id) } },
          select,
        })) as unknown as BatchRow[];
        const byKey = new Map(rows.map((row) => [`${row.kind} ${row.id}`, row]));
        return keys.map(({ kind, id }) => byKey.get(`${kind} ${id}`) ?? null);
      },
      { cacheKeyFn: ({ kind, id, select }) => JSON.stringify([kind, id, Object.keys(select).sort()]) },
    ),
);

interface FailuresKey {
  readonly batchId: string;
  /** The batch's kind. */
  readonly kind: string;
  /** Only rows after this index. */
  readonly above: number;
  readonly take: number;
  readonly code: BatchErrorCode | null;
}

/** Failures of batches by index, lowest first. All batches of a list are one statement. */
export const failuresLoader = createContextCache(
  (context: Context) =>
    new DataLoader<FailuresKey, StoredFailure[], string>((keys) => loadFailures(context, keys), {
      cacheKeyFn: (key) => JSON.stringify(key),
    }),
);

async function loadFailures(context: Context, keys: readonly FailuresKey[]): Promise<StoredFailure[][]> {
  const { bankId, mode } = within(context.principal);
  const wanted = keys.map((key, place) => ({ ...key, place }));
  const rows = await context.db.$queryRaw<(StoredFailure & { place: number })[]>(Prisma.sql`
    SELECT wanted.place, wanted.kind, failure.*
    FROM jsonb_to_recordset(${JSON.stringify(wanted)}::jsonb)
      AS wanted(place int, kind text, "batchId" uuid, above int, take int, code batch_error_code)
    CROSS JOIN LATERAL (
      SELECT batch_id AS "batchId", index, code, client_ref AS "clientRef", matched_on AS "matchedOn",
        first_index AS "firstIndex", existing_id AS "existingId", issues
      FROM batch_failure
      WHERE bank_id = ${bankId}::text AND mode = ${mode}::mode AND batch_id = wanted."batchId"
        AND index > wanted.above AND (wanted.code IS NULL OR code = wanted.code)
      ORDER BY index
      LIMIT wanted.take
    ) AS failure
    ORDER BY wanted.place, failure.index`);
  const byPlace = Map.groupBy(rows, ({ place }) => place);
  return keys.map((_, place) => byPlace.get(place) ?? []);
}
