import { within } from "../../access/principal.ts";
import type { Context } from "../../context.ts";
import type { BatchErrorCode } from "../../database/generated/enums.ts";

/** What is reported on, and in how long steps. */
export interface Span {
  /** from ≤ t < to. */
  readonly from: Date;
  readonly to: Date;
  readonly interval: "HOUR" | "DAY";
}

/** Sums over some batches. Times are in milliseconds, and null where no batch has ended. */
export interface BatchSums {
  readonly batches: number;
  readonly total: number;
  readonly successful: number;
  readonly failed: number;
  readonly duplicates: number;
  readonly invalidData: number;
  readonly pending: number;
  readonly rolledBack: number;
  readonly ended: number;
  readonly mean: number | null;
  readonly p95: number | null;
  readonly longest: number | null;
  /** Requests that made a batch, dry runs too. */
  readonly taken: number;
}

/** Sums for the step that begins at `start`, in UTC; null: for the whole span. */
type Step<Sums> = Sums & { readonly start: Date | null };

/** How many rows were refused with a code, and for which field: null for the whole row; left out for all. */
export interface FailureCount {
  readonly code: BatchErrorCode;
  readonly field: string | null;
  /** Whether this counts the code alone. */
  readonly ofCode: boolean;
  readonly rows: number;
}

/** Batches of customers, and the mutation that makes them. */
const KIND = "CUSTOMER";
const MUTATION = "createCustomersBatch";

/** The sums of the batches that were sent in a span: one line for all, and one for each step that has any. */
export async function sumBatches({ db, principal }: Context, span: Span): Promise<Step<BatchSums>[]> {
  const { bankId, mode } = within(principal);
  const { from, to, unit } = boundsOf(span);
  return db.$queryRaw`
    WITH sent AS (
      SELECT *, date_trunc(${unit}::text, created_at, 'UTC') AS start,
        CASE WHEN NOT dry_run THEN (extract(epoch FROM completed_at - created_at) * 1000)::float8 END AS took
      FROM batch
      WHERE bank_id = ${bankId}::text AND mode = ${mode}::mode AND kind = ${KIND}::text
        AND created_at >= ${from}::timestamptz AND created_at < ${to}::timestamptz
    )
    SELECT start, count(*)::int AS taken, count(*) FILTER (WHERE NOT dry_run)::int AS batches,
      coalesce(sum(total) FILTER (WHERE NOT dry_run), 0)::float8 AS total,
      coalesce(sum(successful) FILTER (WHERE NOT dry_run), 0)::float8 AS successful,
      coalesce(sum(failed) FILTER (WHERE NOT dry_run), 0)::float8 AS failed,
      coalesce(sum(duplicates) FILTER (WHERE NOT dry_run), 0)::float8 AS duplicates,
      coalesce(sum(invalid_data) FILTER (WHERE NOT dry_run), 0)::float8 AS "invalidData",
      coalesce(sum(pending) FILTER (WHERE NOT dry_run), 0)::float8 AS pending,
      coalesce(sum(rolled_back) FILTER (WHERE NOT dry_run), 0)::float8 AS "rolledBack",
      count(took)::int AS ended, avg(took) AS mean, percentile_cont(0.95) WITHIN GROUP (ORDER BY took) AS p95, max(took) AS longest
    FROM sent GROUP BY GROUPING SETS ((), (start))`;
}

/**
 * The requests of a span that failed as requests, as the audit has them: one line for all, and one for each step that has
 * any. What the gateway's workers do for a batch that was taken is no request.
 */
export async function sumFailedRequests({ db, principal }: Context, span: Span): Promise<Step<{ failed: number }>[]> {
  const { bankId, mode } = within(principal);
  const { from, to, unit } = boundsOf(span);
  return db.$queryRaw`
    SELECT date_trunc(${unit}::text, at, 'UTC') AS start, coalesce(sum(count), 0)::float8 AS failed
    FROM audit_entry
    WHERE bank_id = ${bankId}::text AND mode = ${mode}::mode AND at >= ${from}::timestamptz AND at < ${to}::timestamptz
      AND outcome <> 'OK' AND operation = ${MUTATION}::text
    GROUP BY GROUPING SETS ((), (1))`;
}

/** The refused rows of the batches that were sent in a span, by code, and by code and field; most first. */
export async function countFailures({ db, principal }: Context, span: Span): Promise<FailureCount[]> {
  const { bankId, mode } = within(principal);
  const { from, to } = boundsOf(span);
  return db.$queryRaw`
    WITH refused AS MATERIALIZED (
      SELECT failure.code, failure.matched_on, failure.issues
      FROM batch JOIN batch_failure AS failure
        ON failure.bank_id = batch.bank_id AND failure.mode = batch.mode AND failure.batch_id = batch.id
      WHERE batch.bank_id = ${bankId}::text AND batch.mode = ${mode}::mode AND batch.kind = ${KIND}::text AND NOT batch.dry_run
        AND batch.created_at >= ${from}::timestamptz AND batch.created_at < ${to}::timestamptz
    )
    SELECT code, NULL::text AS field, true AS "ofCode", count(*)::int AS rows FROM refused GROUP BY code
    UNION ALL
    SELECT code, named.field, false, count(*)::int
    FROM refused CROSS JOIN LATERAL (
      SELECT matched_on AS field WHERE matched_on IS NOT NULL
      UNION
      SELECT issue->>'field' FROM jsonb_array_elements(issues) AS issue
    ) AS named
    GROUP BY code, named.field
    ORDER BY rows DESC, code, field`;
}

/** PostgreSQL reads no year 0, and no batch is as old. */
function boundsOf({ from, to, interval }: Span): { from: Date; to: Date; unit: string } {
  const known = (date: Date) => (date.getTime() < 0 ? new Date(0) : date);
  return { from: known(from), to: known(to), unit: interval.toLowerCase() };
}
