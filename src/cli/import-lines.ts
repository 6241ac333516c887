import { isUtf8 } from "node:buffer";
import { StartupError } from "../startup-error.ts";

/** One line of a file, counted from 1. */
export interface Line {
  readonly number: number;
  /** Without its `\n`; a `\r` before it stays. Null: it cannot be read, and `fault` says why. */
  readonly text: string | null;
  readonly fault?: LineFault;
}

/** Why a line has no text. */
export type LineFault = "too long" | "not UTF-8";

/** The longest line, in bytes of UTF-8: no request may be longer, so no row can be. Source: contract §5, 1 MB. */
export const MAX_LINE_BYTES = 1_000_000;

const NEWLINE = 0x0a;
/** What a file begins with that is UTF-8, whatever else is said of it. Source: WHATWG Encoding Standard, BOM sniff. */
export const BOM = "\ufeff";
const BOM_BYTES = Buffer.from(BOM);

/**
 * The lines of UTF-8 text, a list for each chunk. Holds one chunk and one line of at most MAX_LINE_BYTES: a longer
 * one is passed over and told. A byte order mark is dropped; a last line without a newline counts as one. The first
 * `skip` lines are counted and not given.
 */
export async function* readLines(bytes: AsyncIterable<Buffer>, skip = 0): AsyncGenerator<Line[]> {
  let number = 0;
  let begun: Buffer[] = [];
  let length = 0;

  const add = (piece: Buffer) => {
    length += piece.length;
    if (length <= MAX_LINE_BYTES) begun.push(piece);
    else begun = [];
  };
  const finish = (): Line | null => {
    const line = number < skip ? null : lineOf(number + 1, begun, length);
    number += 1;
    begun = [];
    length = 0;
    return line;
  };

  for await (const chunk of bytes) {
    const lines: Line[] = [];
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, start)) {
      add(chunk.subarray(start, end));
      const line = finish();
      if (line) lines.push(line);
      start = end + 1;
    }
    if (start < chunk.length) add(chunk.subarray(start));
    if (lines.length > 0) yield lines;
  }
  if (length > 0) {
    const line = finish();
    if (line) yield [line];
  }
}

function lineOf(number: number, pieces: readonly Buffer[], length: number): Line {
  if (length > MAX_LINE_BYTES) return { number, text: null, fault: "too long" };
  const bytes = pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces);
  if (!isUtf8(bytes)) return { number, text: null, fault: "not UTF-8" };
  const text = bytes.toString("utf8");
  return { number, text: number === 1 && text.startsWith(BOM) ? text.slice(BOM.length) : text };
}

/** Whether the gateway's operator may name this encoding: one that Node can read. */
export function isEncoding(label: string): boolean {
  try {
    return new TextDecoder(label, { fatal: true }).encoding.length > 0;
  } catch {
    return false;
  }
}

/** Whether an encoding is UTF-8 itself. */
export function isUtf8Name(encoding: string): boolean {
  return new TextDecoder(encoding).encoding === "utf-8";
}

/** The same text in UTF-8, chunk by chunk; as it is when it begins with the byte order mark of UTF-8. Throws StartupError, with the line, for bytes that the encoding has not. */
export async function* toUtf8(bytes: AsyncIterable<Buffer>, encoding: string): AsyncGenerator<Buffer> {
  const decoder = new TextDecoder(encoding, { fatal: true });
  let lines = 0;
  const decode = (chunk?: Buffer) => {
    try {
      return Buffer.from(decoder.decode(chunk, { stream: chunk !== undefined }));
    } catch {
      throw new StartupError({
        what: `the input cannot be read after line ${lines}`,
        cause: `what follows is not ${decoder.encoding}`,
        fix: "give the encoding that it is in with --encoding",
      });
    }
  };
  // What has come and is not given on: until it is long enough to be told by its mark.
  let held: Buffer = Buffer.alloc(0);
  let isMarked: boolean | undefined;
  for await (const chunk of bytes) {
    held = Buffer.concat([held, chunk]);
    if (held.length < BOM_BYTES.length && isMarked === undefined) continue;
    isMarked ??= held.subarray(0, BOM_BYTES.length).equals(BOM_BYTES);
    const text = isMarked ? held : decode(held);
    held = Buffer.alloc(0);
    for (let at = text.indexOf(NEWLINE); at !== -1; at = text.indexOf(NEWLINE, at + 1)) lines += 1;
    yield text;
  }
  if (!isMarked) yield Buffer.concat([decode(held), decode()]);
}

/** Why a line that is not UTF-8 ends a run. `more`: how many other such lines are known of. */
export function notUtf8(line: number, more = 0): StartupError {
  return new StartupError({
    what: `line ${line} cannot be read`,
    cause: `it is not UTF-8${more > 0 ? `, nor are ${more} other lines` : ""}`,
    fix: "give the encoding that the file is in, e.g. --encoding latin1, or utf-16le",
  });
}
