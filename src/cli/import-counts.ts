import type { RowFailure } from "./import-row.ts";

/** What an import has come to so far; added up over resumed runs of one phase. */
export interface ImportCounts {
  /** Rows that the gateway created, or in a dry run would. */
  created: number;
  /** Refused rows by code. */
  failures: Record<string, number>;
  /** Refused rows by field; one row may name several. */
  fields: Record<string, number>;
  /** Lines of rows that the gateway answered for. */
  sentLines: number;
  /** Lines of rows that the importer refused by itself. */
  refusedLines: number;
  /** Lines of the header, and blank ones. */
  headerLines: number;
  blankLines: number;
  /** Batches that were answered, how many of them a resumed run had sent before, and how long they took in ms, tries and waits included. */
  batches: number;
  replayed: number;
  batchMs: number;
  slowestBatchMs: number;
  /** Requests, and those that failed or were not answered. */
  requests: number;
  failedRequests: number;
  /** How long the runs took, in ms. */
  elapsedMs: number;
}

export function noCounts(): ImportCounts {
  return {
    created: 0,
    failures: {},
    fields: {},
    sentLines: 0,
    refusedLines: 0,
    headerLines: 0,
    blankLines: 0,
    batches: 0,
    replayed: 0,
    batchMs: 0,
    slowestBatchMs: 0,
    requests: 0,
    failedRequests: 0,
    elapsedMs: 0,
  };
}

/** Adds a refused row. */
export function countFailure(counts: ImportCounts, { code, fields }: RowFailure): void {
  counts.failures[code] = (counts.failures[code] ?? 0) + 1;
  for (const field of fields) counts.fields[field] = (counts.fields[field] ?? 0) + 1;
}

/** All refused rows, or those of some codes. */
export function failed(counts: ImportCounts, ...codes: string[]): number {
  return Object.entries(counts.failures).reduce(
    (sum, [code, number]) => sum + (codes.length === 0 || codes.includes(code) ? number : 0),
    0,
  );
}
