import { createHash, type Hash } from "node:crypto";
import { StartupError } from "../startup-error.ts";

/** What a file's bytes come to, from its beginning to each end of a chunk: the place in bytes, and 48 bits of their SHA-256. */
export type Marks = Map<number, number>;

/** The same bytes, which are marked on the way. */
export async function* marked(bytes: AsyncIterable<Buffer>, marks: Marks): AsyncGenerator<Buffer> {
  const hash = createHash("sha256");
  let length = 0;
  for await (const chunk of bytes) {
    hash.update(chunk);
    length += chunk.length;
    marks.set(length, markOf(hash));
    yield chunk;
  }
}

/**
 * The same bytes as long as they are those that were marked: a chunk that was changed, or that comes after the marked
 * end, is not given, so that no row of it is sent. Throws StartupError for it, and when the end comes early.
 */
export async function* unchanged(file: string, bytes: AsyncIterable<Buffer>, marks: Marks): AsyncGenerator<Buffer> {
  const hash = createHash("sha256");
  const whole = [...marks.keys()].at(-1) ?? 0;
  let length = 0;
  for await (const chunk of bytes) {
    hash.update(chunk);
    length += chunk.length;
    // Chunks that end elsewhere than before, as those of a network's disk may, are told by the next mark.
    if (length > whole || (marks.has(length) && marks.get(length) !== markOf(hash))) wasChanged(file);
    yield chunk;
  }
  if (length !== whole) wasChanged(file);
}

function markOf(hash: Hash): number {
  return hash.copy().digest().readUIntBE(0, 6);
}

function wasChanged(file: string): never {
  throw new StartupError({
    what: `${file} cannot be imported to its end`,
    cause: "it was changed while it was read",
    fix: "put it back as it was and give the same command again, or begin anew with --restart",
  });
}
