import { type KeyedCall, runOnce } from "../../changes/idempotency.ts";
import { tallyOf } from "../../changes/tally.ts";
import { type Origin, write } from "../../changes/write.ts";
import type { Context } from "../../context.ts";
import type { Batch } from "../../database/generated/client.ts";
import { InvalidBatch } from "./batch.errors.ts";
import { type BatchPayload, savePayload } from "./batch.payload.ts";
import { type BatchKind, checkRows, writeRows } from "./batch.rows.ts";
import { saveBatch } from "./batch.store.ts";
import { sendBatches } from "./batch.worker.ts";

/** The most rows that a batch may hold. Source: contract §4. */
export const MAX_ROWS = 500;

export interface BatchRequest<Row> {
  readonly rows: readonly (Row | null)[];
  readonly atomic: boolean;
  readonly dryRun: boolean;
  /** A worker processes the rows; the batch is PROCESSING meanwhile. */
  readonly background: boolean;
  readonly call: KeyedCall;
  readonly origin: Origin;
}

/**
 * Runs a batch: every row gets one outcome, checked in the contract's order, and no row is ever partly
 * saved. Everything, the key and the batch's record with it, is one transaction; in the background that is the
 * record and the rows as they came, encrypted. With `atomic` one failure writes no row; with `dryRun` none is written
 * at all. Gives the id of the batch's record, an earlier one's when the call was made before, and the record when this
 * call made it. Throws InvalidBatch, IdempotencyConflict.
 */
export async function runBatch<Row extends { clientRef?: string | null }, Clean extends object>(
  context: Context,
  kind: BatchKind<Row, Clean>,
  { rows, atomic, dryRun, background, call, origin }: BatchRequest<Row>,
): Promise<{ batchId: string; replayed: boolean; batch: Batch | null }> {
  const { keyring, principal } = context;
  const fits = rows.length >= 1 && rows.length <= MAX_ROWS;
  const now = new Date();
  const checked = fits && !background ? checkRows(kind, rows, now, principal) : [];
  let batch: Batch | null = null;
  const { resultId, replayed } = await write(context, origin, async (tx) => {
    batch = null;
    if (!fits) throw new InvalidBatch(MAX_ROWS);
    const once = await runOnce(tx, context, dryRun ? { ...call, key: null } : call, now, async (id) => {
      const record = { id, kind: kind.name, dryRun, at: now, total: rows.length };
      if (background) {
        batch = await saveBatch(tx, principal, record);
        await savePayload(tx, keyring, principal, id, { rows, atomic, origin } satisfies BatchPayload);
      } else {
        const results = await writeRows(tx, principal, kind, checked, now, { atomic, dryRun });
        batch = await saveBatch(tx, principal, record, { results, atomic });
      }
    });
    tallyOf(tx).subjects.add(once.resultId);
    return once;
  });
  if (background && !replayed) await sendBatches(context, [{ ...principal, id: resultId }]);
  return { batchId: resultId, replayed, batch };
}
