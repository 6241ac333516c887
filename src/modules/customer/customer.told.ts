import { Prisma } from "../../database/generated/client.ts";
import type { Customer } from "../../database/generated/client.ts";

/**
 * For WITH: `told`, the rows of batches that are about a customer, each by its batch and index: rows that met it, rows that were refused with
 * its reference, and the row that made it. A failure tells of the customer when it is one of these, or a duplicate of one.
 */
export function toldOf({ bankId, mode, id, clientRef, createdAt }: Customer): Prisma.Sql {
  return Prisma.sql`
    made AS (
      SELECT id AS batch_id, total, array_position(created_ids, ${id}::uuid) AS place FROM batch
      WHERE bank_id = ${bankId}::text AND mode = ${mode}::mode AND created_at <= ${createdAt}::timestamptz AND created_ids @> ARRAY[${id}::uuid]
      ORDER BY created_at DESC LIMIT 1
    ), told AS (
      SELECT batch_id, index FROM batch_failure WHERE bank_id = ${bankId}::text AND mode = ${mode}::mode AND existing_id = ${id}::uuid
      UNION ALL
      SELECT batch_id, index FROM batch_failure
      WHERE bank_id = ${bankId}::text AND mode = ${mode}::mode AND client_ref_key = ${clientRef}::text
      UNION ALL
      -- Ids are kept in the order of the rows that were not refused.
      SELECT batch_id, (
        SELECT place FROM generate_series(0, total - 1) AS place
        WHERE NOT EXISTS (SELECT FROM batch_failure f
          WHERE f.bank_id = ${bankId}::text AND f.mode = ${mode}::mode AND f.batch_id = made.batch_id AND f.index = place)
        ORDER BY place OFFSET made.place - 1 LIMIT 1)
      FROM made
    )`;
}
