import { createHash } from "node:crypto";
import type { ImportCounts } from "./import-counts.ts";
import { type RowFailure, type SourceRow, unreadable } from "./import-row.ts";

/** Which rows of the input are to be sent: one phase of a migration. Source: the phased migration of the source documents. */
export interface Scope {
  /** No row after so many of the input. Null: all. */
  readonly limit: number | null;
  /** Of all rows, so many per cent, over 0 to 100: always the same ones, and those of 10 are among those of 50. */
  readonly sample: number;
  /** Rows of this sample were sent by an earlier phase. */
  readonly sampleBefore: number;
}

/** Consecutive lines of the input, and the rows of them that go in one request. */
export interface ImportBatch {
  /** Where it begins and ends: a run goes on after `end`. Counted from the beginning of the input. */
  readonly end: { readonly line: number; readonly row: number };
  readonly sent: readonly SourceRow[];
  /** Rows that cannot be sent. */
  readonly refused: readonly { readonly row: SourceRow; readonly failure: RowFailure }[];
  /** What its lines are. Those of rows outside the scope are not counted. */
  readonly lines: Pick<ImportCounts, "sentLines" | "refusedLines" | "headerLines" | "blankLines">;
  /** The rows to send, as JSON; empty when there are none. */
  readonly json: string;
}

/** A body has at most 1 MB (contract §5); the rest is for the document and the key. */
const MAX_ROWS_BYTES = 950_000;

/** So many lines end a batch, sent or not: of a small sample, too, a killed run keeps what it has done. */
const MAX_LINES = 20_000;

/**
 * Cuts rows into batches of at most `size` rows and MAX_ROWS_BYTES. From the same place of the same input they are
 * always the same, so that what is sent again is known by its key.
 */
export async function* batchRows(
  blocks: AsyncIterable<SourceRow[]>,
  from: { line: number; row: number },
  scope: Scope,
  size: number,
): AsyncGenerator<ImportBatch> {
  let { line, row: index } = from;
  let batch = new OpenBatch(line);
  for await (const block of blocks) {
    for (const row of block) {
      if (row.kind === "row" && index === scope.limit) return yield batch.close({ line, row: index });
      const json = row.kind === "row" && isInScope(row, scope) ? rowJson(row) : null;
      if (json !== null && batch.isFull(size, Buffer.byteLength(json))) {
        yield batch.close({ line, row: index });
        batch = new OpenBatch(line);
      }
      batch.add(row, json, scope);
      line = row.line + row.lines - 1;
      if (row.kind === "row") index += 1;
      if (line - batch.begin >= MAX_LINES) {
        yield batch.close({ line, row: index });
        batch = new OpenBatch(line);
      }
    }
  }
  yield batch.close({ line, row: index });
}

/** What a row sends; null when it cannot be sent. */
function rowJson(row: SourceRow): string | null {
  if (!("values" in row.content)) return null;
  const { consentSource: source, consentAt: at, consentTextVersion: textVersion, ...values } = row.content.values;
  const hasConsent = source !== undefined || at !== undefined || textVersion !== undefined;
  return JSON.stringify({ ...values, ...(hasConsent && { consent: { source, at, textVersion } }) });
}

class OpenBatch {
  readonly begin: number;
  readonly #sent: SourceRow[] = [];
  readonly #json: string[] = [];
  readonly #refused: { row: SourceRow; failure: RowFailure }[] = [];
  readonly #lines = { sentLines: 0, refusedLines: 0, headerLines: 0, blankLines: 0 };
  #bytes = 0;

  constructor(begin: number) {
    this.begin = begin;
  }

  isFull(size: number, bytes: number): boolean {
    return this.#sent.length >= size || (this.#sent.length > 0 && this.#bytes + bytes > MAX_ROWS_BYTES);
  }

  add(row: SourceRow, json: string | null, scope: Scope): void {
    if (row.kind === "header") this.#lines.headerLines += row.lines;
    else if (row.kind === "blank") this.#lines.blankLines += row.lines;
    else if (json !== null && Buffer.byteLength(json) <= MAX_ROWS_BYTES) {
      this.#sent.push(row);
      this.#json.push(json);
      this.#bytes += Buffer.byteLength(json) + 1;
      this.#lines.sentLines += row.lines;
    } else if (json !== null || isInScope(row, scope)) {
      const { fault } = "fault" in row.content ? row.content : unreadable(row.line, "the row is larger than a request may be");
      this.#refused.push({ row, failure: fault });
      this.#lines.refusedLines += row.lines;
    }
  }

  close(end: { line: number; row: number }): ImportBatch {
    return { end, sent: this.#sent, refused: this.#refused, lines: this.#lines, json: this.#json.join(",") };
  }
}

/** Whether a row is sent in this phase. Which sample it is in hangs on its text alone. */
function isInScope({ text }: SourceRow, { sample, sampleBefore }: Scope): boolean {
  if (sample === 100 && sampleBefore === 0) return true;
  const place = (createHash("sha256").update(text).digest().readUIntBE(0, 6) / 2 ** 48) * 100;
  return place >= sampleBefore && place < sample;
}
