import { failed, type ImportCounts } from "./import-counts.ts";

/** One of the four figures of a migration, and whether it is where it should be. */
export interface Figure {
  /** Per cent, or seconds; null: nothing was measured. */
  readonly value: number | null;
  readonly unit: "%" | "s";
  /** E.g. `> 95 %`; null: none. */
  readonly target: string | null;
  readonly met: boolean | null;
}

export interface Figures {
  /** Of all rows, those that were accepted. */
  readonly successRate: Figure;
  /** The slowest batch, from its first request to its answer, tries and waits included. */
  readonly processingTime: Figure;
  /** Of all rows, those whose data is wrong: missing or wrong fields, rows that cannot be read. As `migrationReport` has it. */
  readonly dataQuality: Figure;
  /** Of all rows, those that were there already. Watched beside the data quality, and without a target. */
  readonly duplicates: Figure;
  /** Of all requests, those that failed or were not answered. */
  readonly errorRate: Figure;
}

/**
 * The four figures and their targets. Source: the source documents, Bank Customer Migration, Key Metrics to Track:
 * more than 95 % successful, less than 5 minutes a batch, less than 1 % data validation errors, less than 2 % errors of
 * the API. Duplicates are to be monitored with the data quality; they are no validation errors.
 */
export function figuresOf(counts: ImportCounts): Figures {
  const refused = failed(counts);
  const rows = counts.created + refused;
  const figure = (value: number | null, unit: Figure["unit"], sign: "<" | ">", target: number): Figure => ({
    value: value === null ? null : Math.round(value * 1000) / 1000,
    unit,
    target: `${sign} ${target} ${unit}`,
    met: value === null ? null : sign === "<" ? value < target : value > target,
  });
  const share = (part: number, whole: number) => (whole === 0 ? null : (100 * part) / whole);
  return {
    successRate: figure(share(counts.created, rows), "%", ">", 95),
    processingTime: figure(counts.batches === 0 ? null : counts.slowestBatchMs / 1000, "s", "<", 300),
    dataQuality: figure(share(failed(counts, "INVALID_ROW", "INVALID_DATA", "VALIDATION_ERROR"), rows), "%", "<", 1),
    duplicates: { ...figure(share(failed(counts, "DUPLICATE_IN_BATCH", "EXISTING_CUSTOMER"), rows), "%", "<", 0), target: null, met: null },
    errorRate: figure(share(counts.failedRequests, counts.requests), "%", "<", 2),
  };
}
