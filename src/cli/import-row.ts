import type { Line } from "./import-lines.ts";

/** A row's values by field, as the batch takes them; what is blank is left out. */
export type ImportValues = Record<string, string>;

/** Why a row was refused, by the importer itself or by the gateway. */
export interface RowFailure {
  /** The contract's code; INVALID_ROW for a row that the importer could not read and did not send. */
  readonly code: string;
  /** The fields that it is about; empty: the row as a whole. */
  readonly fields: readonly string[];
  /** What is wrong, with the line. */
  readonly message: string;
}

/** One row of the input: of one line, or of several where a quoted value has line breaks. */
export interface SourceRow {
  /** Where it begins, from 1. */
  readonly line: number;
  /** How many lines it takes. */
  readonly lines: number;
  /** As it stands in the input. */
  readonly text: string;
  /** What a header or a blank line is; those are counted, and are no rows. */
  readonly kind: "row" | "header" | "blank";
  /** What to send, or why it cannot be sent. */
  readonly content: { readonly values: ImportValues } | { readonly fault: RowFailure };
  /** What stands in the failures file if it is refused: values, members, or the text of a JSON object. */
  readonly original: readonly string[] | Readonly<Record<string, unknown>> | string;
}

/** A format of input: how lines become rows, and how a refused row is written so that it can be imported again. */
export interface SourceFormat {
  /** The rows of these lines, in order. Every line is in exactly one. Throws StartupError for a header that does not fit. */
  rows(lines: AsyncIterable<Line[]>): AsyncGenerator<SourceRow[]>;
  /** The columns of the header, once it has been read; null for a format without one. Never-changing within an input. */
  readonly columns: readonly string[] | null;
  /** What stands at the top of the failures file, with its newline; empty for a format without a header. */
  failuresHeader(): string;
  /** A refused row for the failures file, with its newline. */
  failureLine(row: SourceRow, failure: RowFailure): string;
}

/** A row that cannot be sent. `cause` follows the line's number. */
export function unreadable(line: number, cause: string, field?: string): { fault: RowFailure } {
  return { fault: { code: "INVALID_ROW", fields: field === undefined ? [] : [field], message: `line ${line}: ${cause}` } };
}
