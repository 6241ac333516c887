import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { StartupError } from "../startup-error.ts";
import { Interrupted } from "./gateway-retry.ts";
import { isUtf8Name, type Line, notUtf8, readLines, toUtf8 } from "./import-lines.ts";
import { marked, type Marks, unchanged } from "./import-unchanged.ts";

/** What tells one input from another. */
export interface SourceIdentity {
  /** SHA-256 of the first 64 kB of the input as UTF-8, or of all of it when it is shorter. 64 hex digits. */
  readonly prefix: string;
  /** SHA-256 of the whole file and its number of lines; null for a stream, which can be read only once. */
  readonly whole: { readonly sha256: string; readonly lines: number } | null;
}

/** The input of an import: a file, or a stream. */
export interface Source {
  /** The file's path; null for standard input. */
  readonly path: string | null;
  readonly identity: SourceIdentity;
  /** The lines after the first `skip`. A stream can be read once. */
  lines(skip: number): AsyncGenerator<Line[]>;
  /** How many lines it has. Of a stream, reads what is left for at most `waitMs`; null: it goes on. */
  countLines(waitMs: number): Promise<number | null>;
}

const CHUNK_BYTES = 64 * 1024;
const PREFIX_BYTES = 64 * 1024;

/**
 * Opens a file, or standard input for `-`. A file is read through once before anything is sent: its hash tells a
 * resumed run that it is the same, and a wrong encoding is told with its line. Throws StartupError for what is no
 * file or is empty, and for a file that is not in the encoding; `known` then says how many lines it has, null for a stream. Its `lines`
 * throw StartupError when the file is not what it was then.
 */
export async function openSource(
  file: string,
  encoding: string,
  stop: AbortSignal,
  known: (lines: number | null) => void,
): Promise<Source> {
  const read = (bytes: AsyncIterable<Buffer>) => (isUtf8Name(encoding) ? bytes : toUtf8(bytes, encoding));
  if (file === "-") return openStream(read(process.stdin), null, stop, known);
  const facts = await stat(file).catch((error: NodeJS.ErrnoException) => cannotRead(file, error.code ?? error.message));
  if (facts.isDirectory()) cannotRead(file, "it is a directory");
  const open = () => readable(file, read(createReadStream(file, { highWaterMark: CHUNK_BYTES })));
  // A named pipe, or a shell's <(…).
  if (!facts.isFile()) return openStream(open(), file, stop, known);
  const marks: Marks = new Map();
  const identity = await survey(file, marked(open(), marks), known);
  return {
    path: file,
    identity,
    lines: (skip) => readLines(unchanged(file, open(), marks), skip),
    countLines: () => Promise.resolve(identity.whole!.lines),
  };
}

/** Reads a file through: its hashes, its lines, and the first that is not UTF-8. */
async function survey(file: string, bytes: AsyncIterable<Buffer>, known: (lines: number) => void): Promise<SourceIdentity> {
  const prefix = new Prefix();
  const whole = createHash("sha256");
  const hashed = async function* () {
    for await (const chunk of bytes) {
      prefix.add(chunk);
      whole.update(chunk);
      yield chunk;
    }
  };
  let lines = 0;
  const notUtf8Lines = { first: 0, count: 0 };
  for await (const block of readLines(hashed())) {
    lines = block.at(-1)!.number;
    for (const { number, fault } of block) {
      if (fault !== "not UTF-8") continue;
      notUtf8Lines.count += 1;
      notUtf8Lines.first ||= number;
    }
  }
  known(lines);
  if (lines === 0) isEmpty(file);
  if (notUtf8Lines.count > 0) throw notUtf8(notUtf8Lines.first, notUtf8Lines.count - 1);
  return { prefix: prefix.digest(), whole: { sha256: whole.digest("hex"), lines } };
}

async function openStream(
  bytes: AsyncIterable<Buffer>,
  path: string | null,
  stop: AbortSignal,
  known: (lines: null) => void,
): Promise<Source> {
  const prefix = new Prefix();
  const chunks = bytes[Symbol.asyncIterator]();
  const held: Buffer[] = [];
  let ended = false;
  while (!prefix.isFull && !ended) {
    const next = await unless(stop, chunks.next());
    if (next === null) throw new Interrupted();
    if (next.done) ended = true;
    else {
      held.push(next.value);
      prefix.add(next.value);
    }
  }
  if (prefix.isEmpty) isEmpty(path ?? "standard input");
  known(null);
  const all = async function* () {
    yield* held.splice(0);
    if (!ended) for (let next = await chunks.next(); !next.done; next = await chunks.next()) yield next.value;
  };
  return { path, identity: { prefix: prefix.digest(), whole: null }, ...onceOnly((skip) => readLines(all(), skip), stop) };
}

/**
 * The lines of a stream, which may come late or never: `stop` ends them at once. Whoever stops reading does not end
 * the stream, so that the rest can be counted.
 */
function onceOnly(open: (skip: number) => AsyncGenerator<Line[]>, stop: AbortSignal): Pick<Source, "lines" | "countLines"> {
  let lines: AsyncGenerator<Line[]> | undefined;
  let coming: Promise<IteratorResult<Line[], unknown>> | undefined;
  let last = 0;
  const next = async () => {
    coming ??= lines!.next();
    const { value, done } = await coming;
    coming = undefined;
    if (done) return null;
    last = value.at(-1)!.number;
    return value;
  };
  return {
    async *lines(skip) {
      lines = open(skip);
      last = skip;
      for (let block = await unless(stop, next()); block; block = await unless(stop, next())) yield block;
    },
    async countLines(waitMs) {
      lines ??= open(0);
      const late = AbortSignal.timeout(waitMs);
      for (let block = await unless(late, next()); block; block = await unless(late, next()));
      return late.aborted ? null : last;
    },
  };
}

/** What a promise comes to; null when the signal is aborted before. */
async function unless<T>(signal: AbortSignal, promise: Promise<T>): Promise<T | null> {
  const aborted = Promise.withResolvers<null>();
  const abort = () => aborted.resolve(null);
  if (signal.aborted) abort();
  signal.addEventListener("abort", abort);
  try {
    return await Promise.race([aborted.promise, promise]);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}

/** Hashes no more than the first 64 kB of what it is given. */
class Prefix {
  readonly #hash = createHash("sha256");
  #length = 0;
  add(chunk: Buffer): void {
    const piece = chunk.subarray(0, PREFIX_BYTES - this.#length);
    this.#hash.update(piece);
    this.#length += piece.length;
  }
  get isFull(): boolean {
    return this.#length === PREFIX_BYTES;
  }
  get isEmpty(): boolean {
    return this.#length === 0;
  }
  digest(): string {
    return this.#hash.digest("hex");
  }
}

/** What fails while a file is read is told as an operator mends it. */
async function* readable(file: string, bytes: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  try {
    yield* bytes;
  } catch (error) {
    if (error instanceof StartupError) throw error;
    cannotRead(file, (error as NodeJS.ErrnoException).code ?? (error as Error).message);
  }
}

function cannotRead(file: string, cause: string): never {
  throw new StartupError({ what: `${file} cannot be imported`, cause, fix: "name a file that can be read, or - for standard input" });
}

function isEmpty(what: string): never {
  throw new StartupError({ what: `${what} cannot be imported`, cause: "it is empty", fix: "give a file with a header and rows" });
}
