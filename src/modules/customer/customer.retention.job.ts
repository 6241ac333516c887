import { type Due, forgetting } from "../../changes/forget.ts";
import { tallyOf } from "../../changes/tally.ts";
import { ownWork, write, type WriteServices } from "../../changes/write.ts";
import type { Services } from "../../context.ts";
import { EACH_PLACE } from "../../database/each-place.ts";
import type { Transaction } from "../../database/client.ts";
import type { Job } from "../../jobs/schedule.ts";
import { eraseCustomer } from "./customer.erase.ts";
import { CustomerNotFound } from "./customer.errors.ts";
import { lockCustomer } from "./customer.write.ts";

/** How many customers one turn ends, so that a turn stays short. */
const PER_TURN = 200;

const DAY_MS = 24 * 60 * 60 * 1000;

/**
 * Erases customers to whom nobody has written for `days`, as anybody would erase them: each in a write of its own, with its audit entry and its
 * webhooks. Who is blacklisted stays.
 */
export function eraseInactiveCustomers(services: WriteServices & Pick<Services, "log">, days: number): Job {
  const name = "erase-inactive-customers";
  return {
    name,
    everyMs: 60_000,
    async run() {
      const now = new Date();
      const before = new Date(now.getTime() - days * DAY_MS);
      const due = await services.db.$queryRaw<Due[]>`
        SELECT customer.* FROM ${EACH_PLACE} CROSS JOIN LATERAL (
          SELECT bank_id AS "bankId", mode::text, id FROM customer
          WHERE bank_id = place.bank_id AND mode = place.mode AND updated_at < ${before}::timestamptz AND NOT blacklisted
          ORDER BY updated_at LIMIT ${PER_TURN}::int
        ) AS customer LIMIT ${PER_TURN}::int`;
      let erased = 0;
      for (const { bankId, mode, id } of due) erased += await eraseIfInactive(services, name, { bankId, mode, id }, before, now);
      if (erased > 0) services.log.info({ job: name, erased }, "retention");
    },
  };
}

/** Erases a customer that is still inactive now that it is held: somebody may have written to it, or erased it, since it was looked for. */
async function eraseIfInactive(services: WriteServices, job: string, { bankId, mode, id }: Due, before: Date, now: Date): Promise<number> {
  const origin = ownWork({ tenantId: bankId, mode }, job);
  return write(services, origin, async (tx) => {
    const { updatedAt, blacklisted } = await lockCustomer(tx, origin.actor, id, "erase");
    if (updatedAt >= before || blacklisted) return 0;
    await eraseCustomer(tx, services.keyring, origin.actor, { id, reason: "RETENTION" }, now);
    return 1;
  }).catch((error: unknown) => {
    if (error instanceof CustomerNotFound) return 0;
    throw error;
  });
}

/**
 * Removes what is left of customers who were erased `days` ago: tombstone, history, what webhooks told. Hashes by which somebody blacklisted is
 * known go by their own time.
 */
export function removeOldTombstones(services: WriteServices & Pick<Services, "log">, days: number): Job {
  const find = () =>
    services.db.$queryRaw<Due[]>`
      SELECT erased.* FROM ${EACH_PLACE} CROSS JOIN LATERAL (
        SELECT bank_id AS "bankId", mode::text, id FROM erased_customer
        WHERE bank_id = place.bank_id AND mode = place.mode AND at < now() - ${days}::int * interval '1 day'
        ORDER BY at LIMIT ${PER_TURN}::int
      ) AS erased LIMIT ${PER_TURN}::int`;
  return forgetting(services, "remove-old-tombstones", find, removeTombstones);
}

async function removeTombstones(tx: Transaction, { bankId, mode }: Omit<Due, "id">, ids: readonly string[]): Promise<number> {
  const gone = await tx.$queryRaw<{ id: string }[]>`
    WITH old AS (
      SELECT bank_id, mode, id FROM erased_customer
      WHERE bank_id = ${bankId}::text AND mode = ${mode}::mode AND id = ANY (${ids}::uuid[]) ORDER BY id FOR UPDATE SKIP LOCKED
    ), events AS (
      DELETE FROM customer_event e USING old WHERE e.bank_id = old.bank_id AND e.mode = old.mode AND e.customer_id = old.id
    ), deliveries AS (
      DELETE FROM webhook_delivery d USING old JOIN webhook_endpoint e ON e.bank_id = old.bank_id AND e.mode = old.mode
      WHERE d.bank_id = old.bank_id AND d.mode = old.mode AND d.endpoint_id = e.id AND d.subject_id = old.id
    )
    DELETE FROM erased_customer c USING old WHERE c.bank_id = old.bank_id AND c.mode = old.mode AND c.id = old.id RETURNING c.id`;
  // Counted: the audit names no customer.
  for (const { id } of gone) tallyOf(tx).customers.add(id);
  return gone.length;
}
