import { type Due, forgetting } from "../../changes/forget.ts";
import { tallyOf } from "../../changes/tally.ts";
import type { WriteServices } from "../../changes/write.ts";
import type { Services } from "../../context.ts";
import type { Transaction } from "../../database/client.ts";
import { EACH_PLACE } from "../../database/each-place.ts";
import type { Job } from "../../jobs/schedule.ts";

/** How many batches one turn removes, so that a turn stays short. */
const PER_TURN = 100;

/**
 * Removes the records of batches that ended `days` ago, with their failures. By then no idempotency key leads to one: it lasts for less. A batch
 * that another process removes at this moment is left to it.
 */
export function removeOldBatches(services: WriteServices & Pick<Services, "log">, days: number): Job {
  const find = () =>
    services.db.$queryRaw<Due[]>`
      SELECT batch.* FROM ${EACH_PLACE} CROSS JOIN LATERAL (
        SELECT bank_id AS "bankId", mode::text, id FROM batch
        WHERE bank_id = place.bank_id AND mode = place.mode AND status <> 'PROCESSING'
          AND created_at < now() - ${days}::int * interval '1 day' AND completed_at < now() - ${days}::int * interval '1 day'
        ORDER BY created_at LIMIT ${PER_TURN}::int
      ) AS batch LIMIT ${PER_TURN}::int`;
  return forgetting(services, "remove-old-batches", find, removeBatches);
}

async function removeBatches(tx: Transaction, { bankId, mode }: Omit<Due, "id">, ids: readonly string[]): Promise<number> {
  const gone = await tx.$queryRaw<{ id: string }[]>`
    WITH old AS (
      SELECT bank_id, mode, id FROM batch
      WHERE bank_id = ${bankId}::text AND mode = ${mode}::mode AND id = ANY (${ids}::uuid[]) ORDER BY id FOR UPDATE SKIP LOCKED
    ), failures AS (
      DELETE FROM batch_failure f USING old WHERE f.bank_id = old.bank_id AND f.mode = old.mode AND f.batch_id = old.id
    )
    DELETE FROM batch b USING old WHERE b.bank_id = old.bank_id AND b.mode = old.mode AND b.id = old.id RETURNING b.id`;
  for (const { id } of gone) tallyOf(tx).subjects.add(id);
  return gone.length;
}
