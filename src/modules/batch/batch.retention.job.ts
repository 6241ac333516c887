import type { Services } from "../../context.ts";
import { EACH_PLACE } from "../../database/each-place.ts";
import type { Job } from "../../jobs/schedule.ts";

/** How many batches one turn removes, so that a turn stays short. */
const PER_TURN = 100;

/**
 * Removes the records of batches that ended `days` ago, with their failures. By then no idempotency key leads to one: it lasts for less. A batch
 * that another process removes at this moment is left to it.
 */
export function removeOldBatches({ db, log }: Pick<Services, "db" | "log">, days: number): Job {
  const name = "remove-old-batches";
  return {
    name,
    everyMs: 60_000,
    async run() {
      const removed = await db.$executeRaw`
        WITH old AS (
          SELECT batch.* FROM ${EACH_PLACE} CROSS JOIN LATERAL (
            SELECT bank_id, mode, id FROM batch
            WHERE bank_id = place.bank_id AND mode = place.mode AND status <> 'PROCESSING'
              AND created_at < now() - ${days}::int * interval '1 day' AND completed_at < now() - ${days}::int * interval '1 day'
            ORDER BY created_at LIMIT ${PER_TURN}::int FOR UPDATE SKIP LOCKED
          ) AS batch LIMIT ${PER_TURN}::int
        ), failures AS (
          DELETE FROM batch_failure f USING old WHERE f.bank_id = old.bank_id AND f.mode = old.mode AND f.batch_id = old.id
        )
        DELETE FROM batch b USING old WHERE b.bank_id = old.bank_id AND b.mode = old.mode AND b.id = old.id`;
      if (removed > 0) log.info({ job: name, removed }, "retention");
    },
  };
}
