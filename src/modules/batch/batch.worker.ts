import { type Principal, within } from "../../access/principal.ts";
import { tallyOf } from "../../changes/tally.ts";
import { write } from "../../changes/write.ts";
import type { Services } from "../../context.ts";
import type { Database, Transaction } from "../../database/client.ts";
import type { Batch } from "../../database/generated/client.ts";
import type { TenantDatabase } from "../../database/tenant-database.ts";
import type { Job } from "../../jobs/schedule.ts";
import { type BatchPayload, openPayload, removePayload } from "./batch.payload.ts";
import { type AnyBatchKind, checkRows, type Progress, writeRows } from "./batch.rows.ts";
import { advanceBatch } from "./batch.store.ts";

/** The queue of batches that are PROCESSING. */
export const BATCH_QUEUE = "batch";

/** How many rows of a PARTIAL batch go in one transaction: what `pending` counts down by, and what a killed worker does again. */
const ROWS_AT_ONCE = 100;

/** How many batches one look hands over. */
const PER_LOOK = 100;

/** Which batch, and where. */
export type BatchJob = Pick<Principal, "tenantId" | "tenantKind" | "mode"> & { readonly id: string };

/** Has batches processed as soon as a worker is free; one that is waiting or being processed already is left so. */
export async function sendBatches({ queue }: Pick<Services, "queue">, jobs: readonly BatchJob[]): Promise<void> {
  await queue.send(
    BATCH_QUEUE,
    jobs.map(({ tenantId, tenantKind, mode, id }) => ({ key: id, data: { tenantId, tenantKind, mode, id } satisfies BatchJob })),
  );
}

/**
 * Hands over every batch that is PROCESSING. The batch's record is the truth and the queue only says who goes next: a
 * process that ends between the two, or a queue that is lost, delays a batch by one turn of this.
 */
export function resumeBatches({ db, queue }: Pick<Services, "db" | "queue">): Job {
  return {
    name: "resume-batches",
    everyMs: 5_000,
    async run() {
      const jobs = await db.$queryRaw<BatchJob[]>`
        SELECT batch.id, bank_id AS "tenantId", tenant.kind::text AS "tenantKind", mode::text AS mode
        FROM batch JOIN tenant ON tenant.id = bank_id
        WHERE status = 'PROCESSING' ORDER BY batch.created_at LIMIT ${PER_LOOK}::int`;
      if (jobs.length > 0) await sendBatches({ queue }, jobs);
    },
  };
}

/**
 * Processes a batch that is PROCESSING, some rows a transaction: rows, failures, counts and the record of changes go
 * together, and the batch's row is held meanwhile. So each row is processed once, however many workers are given the
 * batch and wherever one is killed; the next goes on where it stood. The batch is written by the key that sent it.
 */
export function batchWorker(services: Services, tenantDatabase: TenantDatabase, kinds: Record<string, AnyBatchKind>) {
  return async (job: BatchJob, signal: AbortSignal): Promise<void> => {
    const db = tenantDatabase(job);
    const payload = await openPayload(db, services.keyring, job, job.id);
    if (!payload) return;
    const { kind, createdAt } = await db.batch.findFirstOrThrow({
      where: { ...within(job), id: job.id },
      select: { kind: true, createdAt: true },
    });
    const checked = checkRows(kinds[kind]!, payload.rows as object[], createdAt, job);
    while (!signal.aborted && (await processRows({ ...services, db }, job.id, kinds[kind]!, payload, checked)));
  };
}

/** Processes the next rows of a batch; whether there are more. */
async function processRows(
  services: Services & { db: Database },
  id: string,
  kind: AnyBatchKind,
  { atomic, origin }: BatchPayload,
  checked: readonly Progress<unknown>[],
): Promise<boolean> {
  const { actor } = origin;
  return write(services, origin, async (tx) => {
    const batch = await lockBatch(tx, actor, id);
    if (batch?.status !== "PROCESSING") return false;
    const from = batch.total - batch.pending;
    const rows = atomic ? checked : checked.slice(from, from + ROWS_AT_ONCE);
    const results = await writeRows(tx, actor, kind, rows, new Date(), { atomic, dryRun: batch.dryRun });
    await advanceBatch(tx, actor, batch, { results, atomic });
    tallyOf(tx).subjects.add(id);
    const isLast = rows.length === batch.pending;
    if (isLast) await removePayload(tx, actor, id);
    return !isLast;
  });
}

/** A batch, held until the transaction ends. */
async function lockBatch(tx: Transaction, actor: BatchPayload["origin"]["actor"], id: string): Promise<Batch | null> {
  const { bankId, mode } = within(actor);
  await tx.$queryRaw`SELECT 1 FROM batch WHERE bank_id = ${bankId}::text AND mode = ${mode}::mode AND id = ${id}::uuid FOR UPDATE`;
  return tx.batch.findFirst({ where: { ...within(actor), id } });
}
