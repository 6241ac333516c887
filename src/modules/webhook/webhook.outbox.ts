import type { Database } from "../../database/client.ts";
import type { WebhookDelivery, WebhookEndpoint } from "../../database/generated/client.ts";
import type { Attempt } from "./webhook.send.ts";

/** An endpoint's place. */
export type EndpointPlace = Pick<WebhookEndpoint, "bankId" | "mode" | "id">;

/** How long a process has a delivery in hand without saying so again; in milliseconds. One that was killed delays by no more. */
export const LEASE_MS = 8_000;

/** How many deliveries of an endpoint are in hand at once, by all processes. */
const IN_HAND = 10;

/**
 * How long to wait after each try that failed, in seconds; after the last a delivery has FAILED. A day in all.
 */
const WAITS = [5, 30, 120, 600, 1_800, 3_600, 7_200, 14_400, 21_600, 36_000];

/** How long an endpoint rests at most while everything fails, in seconds; and after how many tries in a row it is switched off. */
const LONGEST_REST = 600;
const GIVE_UP_AFTER = 500;

/** Endpoints for which something is due. */
export async function dueEndpoints(db: Database): Promise<EndpointPlace[]> {
  return db.$queryRaw<EndpointPlace[]>`
    SELECT e.bank_id AS "bankId", e.mode::text AS mode, e.id FROM webhook_endpoint e
    WHERE e.enabled AND (e.rests_until IS NULL OR e.rests_until <= now()) AND EXISTS (
      SELECT FROM webhook_delivery d WHERE d.bank_id = e.bank_id AND d.mode = e.mode AND d.endpoint_id = e.id
        AND d.state = 'PENDING' AND d.due_at <= now() AND (d.leased_until IS NULL OR d.leased_until <= now()))`;
}

/**
 * Takes deliveries in hand that are due: of each subject the first that is not settled, so that a subject's events go out in
 * their order, and a few of an endpoint at once. Of one that has just failed a single one is tried.
 */
export async function takeDue(db: Database, { bankId, mode, id }: EndpointPlace): Promise<WebhookDelivery[]> {
  return db.$queryRaw<WebhookDelivery[]>`
    WITH endpoint AS (
      SELECT * FROM webhook_endpoint WHERE bank_id = ${bankId}::text AND mode = ${mode}::mode AND id = ${id}::uuid AND enabled
        AND (rests_until IS NULL OR rests_until <= now())
    ), in_hand AS (
      SELECT count(*) AS count FROM webhook_delivery d
      WHERE d.bank_id = ${bankId}::text AND d.mode = ${mode}::mode AND d.endpoint_id = ${id}::uuid AND d.state = 'PENDING'
        AND d.leased_until > now()
    ), due AS (
      SELECT d.id FROM endpoint e JOIN webhook_delivery d ON d.bank_id = e.bank_id AND d.mode = e.mode AND d.endpoint_id = e.id
      WHERE d.state = 'PENDING' AND d.due_at <= now() AND (d.leased_until IS NULL OR d.leased_until <= now()) AND NOT EXISTS (
        SELECT FROM webhook_delivery earlier WHERE earlier.bank_id = d.bank_id AND earlier.mode = d.mode
          AND earlier.endpoint_id = d.endpoint_id AND earlier.subject_id = d.subject_id AND earlier.sequence < d.sequence
          AND earlier.state = 'PENDING')
      ORDER BY d.due_at, d.sequence
      LIMIT (SELECT greatest(0, CASE WHEN failures > 0 THEN 1 ELSE ${IN_HAND}::int END - (SELECT count FROM in_hand)) FROM endpoint)
      FOR UPDATE OF d SKIP LOCKED
    )
    UPDATE webhook_delivery d SET leased_until = now() + ${LEASE_MS}::int * interval '1 millisecond'
    FROM due WHERE d.bank_id = ${bankId}::text AND d.mode = ${mode}::mode AND d.endpoint_id = ${id}::uuid AND d.id = due.id
    RETURNING d.bank_id AS "bankId", d.mode::text AS mode, d.endpoint_id AS "endpointId", d.id, d.type::text AS type,
      d.subject_id AS "subjectId", d.sequence, d.version, d.created_at AS "createdAt", d.state::text AS state, d.attempts,
      d.due_at AS "dueAt", d.leased_until AS "leasedUntil", d.outcome, d.tried_at AS "triedAt"`;
}

/** Keeps deliveries in hand that are still being sent. */
export async function keepInHand(db: Database, { bankId, mode, id }: EndpointPlace, deliveryIds: readonly string[]): Promise<void> {
  await db.$executeRaw`
    UPDATE webhook_delivery SET leased_until = now() + ${LEASE_MS}::int * interval '1 millisecond'
    WHERE bank_id = ${bankId}::text AND mode = ${mode}::mode AND endpoint_id = ${id}::uuid AND id = ANY (${deliveryIds}::uuid[])
      AND state = 'PENDING'`;
}

/**
 * Writes down what a try came to. A failed one waits, longer each time; after the last wait it has FAILED, and the
 * subject's next event goes out. After five failures in a row the endpoint rests, longer each time; a receiver that is gone
 * (410), or fails hundreds of times in a row, is switched off.
 */
export async function settle(
  db: Database,
  { bankId, mode, endpointId, id, attempts }: WebhookDelivery,
  { outcome, delivered, gone }: Attempt,
  waits: readonly number[] = WAITS,
): Promise<void> {
  const wait = waits[attempts] ?? null;
  const state = delivered ? "DELIVERED" : wait === null ? "FAILED" : "PENDING";
  await db.$executeRaw`
    WITH tried AS (
      UPDATE webhook_delivery SET state = ${state}::webhook_delivery_state, attempts = attempts + 1, outcome = ${outcome}::text, tried_at = now(),
        leased_until = NULL, due_at = now() + ${wait ?? 0}::float8 * interval '1 second'
      WHERE bank_id = ${bankId}::text AND mode = ${mode}::mode AND endpoint_id = ${endpointId}::uuid AND id = ${id}::uuid AND state = 'PENDING'
    )
    UPDATE webhook_endpoint SET
      failures = CASE WHEN ${delivered}::bool THEN 0 ELSE failures + 1 END,
      rests_until = CASE WHEN NOT ${delivered}::bool AND failures >= 4 THEN now() + interval '1 second' *
        least(${LONGEST_REST}::int, (${JSON.stringify(waits)}::jsonb ->> least(failures - 4, ${waits.length - 1}::int))::float8) END,
      enabled = enabled AND NOT ${gone}::bool AND (${delivered}::bool OR failures + 1 < ${GIVE_UP_AFTER}::int),
      disabled_reason = CASE WHEN ${gone}::bool THEN 'the receiver answered 410 Gone'
        WHEN NOT ${delivered}::bool AND failures + 1 >= ${GIVE_UP_AFTER}::int THEN 'every try failed for days' ELSE disabled_reason END
    WHERE bank_id = ${bankId}::text AND mode = ${mode}::mode AND id = ${endpointId}::uuid AND NOT (${delivered}::bool AND failures = 0)`;
}
