import { type Line, type LineFault, MAX_LINE_BYTES } from "./import-lines.ts";

/** The lines of one record, joined with `\n`, without the last one's line end. */
export interface FramedRecord {
  readonly line: number;
  readonly lines: number;
  readonly text: string;
}

/** A line that is in no record. */
export interface FramedFault {
  readonly line: number;
  readonly lines: 1;
  readonly fault: string;
  /** The line itself; null: it could not be read. */
  readonly raw: string | null;
}
export type Framed = FramedRecord | FramedFault;

/** A quoted value of more lines than this was hardly meant. */
const MAX_RECORD_LINES = 1000;

/**
 * Puts lines together to the records of a CSV: one goes on while a quote is open. A quote that is never closed, or
 * closed by another fault further down, costs its own line only: the record is given up, and the next line begins a
 * new one. So every line is in exactly one record or fault, and no more than MAX_LINE_BYTES are held. `isWellFormed`
 * is asked only of records of several lines.
 */
export async function* frameRecords(
  blocks: AsyncIterable<Line[]>,
  isWellFormed: (record: FramedRecord) => boolean,
): AsyncGenerator<Framed[]> {
  let held: Line[] = [];
  for await (const block of blocks) {
    held = held.length === 0 ? block : held.concat(block);
    const { framed, used } = frame(held, isWellFormed, false);
    held = held.slice(used);
    if (framed.length > 0) yield framed;
  }
  const { framed } = frame(held, isWellFormed, true);
  if (framed.length > 0) yield framed;
}

/** The records of these lines, and how many lines they use. The rest may go on; with `ended` there is no rest. */
function frame(lines: readonly Line[], isWellFormed: (record: FramedRecord) => boolean, ended: boolean) {
  const framed: Framed[] = [];
  let at = 0;
  while (at < lines.length) {
    const next = recordAt(lines, at, ended);
    if (next === "more") break;
    const one = typeof next === "string" ? faultOf(lines[at]!, next) : next;
    framed.push(one.lines > 1 && !isWellFormed(one as FramedRecord) ? faultOf(lines[at]!, NOT_WELL_FORMED) : one);
    at += framed.at(-1)!.lines;
  }
  return { framed, used: at };
}

/** What is wrong with a line that CSV cannot have. */
export const NOT_WELL_FORMED = "a quote is out of place, or is not closed";
const TOO_LONG = `the line is longer than ${MAX_LINE_BYTES} bytes`;

/** The record that begins at a line, or why there is none. `more`: it needs lines that are not here yet. */
function recordAt(lines: readonly Line[], at: number, ended: boolean): FramedRecord | "more" | LineFault | typeof NOT_WELL_FORMED {
  const first = lines[at]!;
  if (first.text === null) return first.fault!;
  let open = false;
  let length = 0;
  for (let end = at; end < lines.length; end += 1) {
    const { text } = lines[end]!;
    if (text === null) return NOT_WELL_FORMED;
    open = open !== hasOddQuotes(text);
    length += text.length;
    if (!open) {
      const joined = end === at ? text : lines.slice(at, end + 1).map((line) => line.text).join("\n"); // prettier-ignore
      return { line: first.number, lines: end - at + 1, text: joined.endsWith("\r") ? joined.slice(0, -1) : joined };
    }
    if (length > MAX_LINE_BYTES || end - at >= MAX_RECORD_LINES) return NOT_WELL_FORMED;
  }
  return ended ? NOT_WELL_FORMED : "more";
}

function faultOf({ number, text }: Line, fault: LineFault | typeof NOT_WELL_FORMED): FramedFault {
  return { line: number, lines: 1, fault: fault === "too long" ? TOO_LONG : fault, raw: text };
}

function hasOddQuotes(text: string): boolean {
  let odd = false;
  for (let at = text.indexOf('"'); at !== -1; at = text.indexOf('"', at + 1)) odd = !odd;
  return odd;
}
