import { closeSync, fdatasyncSync, ftruncateSync, openSync, statSync, writeSync } from "node:fs";
import { StartupError } from "../startup-error.ts";

/**
 * The file of refused rows, readable by its owner only: it holds customers' data. It is made when the first row is
 * refused. `length` is how much of it is accounted for; what a killed run wrote beyond that is cut off.
 */
export class FailuresFile {
  readonly path: string;
  readonly #begin: string;
  #length: number;
  #file: number | null = null;

  /** Opens it to go on at `length`; `begin` leads a new one. Throws StartupError when it is shorter than that: somebody changed it. */
  constructor(path: string, length: number, begin = "") {
    this.path = path;
    this.#begin = begin;
    this.#length = length;
    const size = statSync(path, { throwIfNoEntry: false })?.size ?? null;
    if ((size ?? 0) < length) {
      throw new StartupError({
        what: `${path} cannot be gone on with`,
        cause: "it is shorter than the last run left it",
        fix: "put it back as it was, or begin anew with --restart",
      });
    }
    if (size === null) return;
    this.#file = openSync(path, "r+");
    ftruncateSync(this.#file, length);
  }

  /** How many bytes there are. */
  get length(): number {
    return this.#length;
  }

  append(text: string): void {
    if (text === "") return;
    this.#file ??= openSync(this.path, "w", 0o600);
    const bytes = Buffer.from(this.#length === 0 ? this.#begin + text : text);
    for (let done = 0; done < bytes.length;) done += writeSync(this.#file, bytes, done, bytes.length - done, this.#length + done);
    this.#length += bytes.length;
  }

  /** On the disk, not only on its way. */
  sync(): void {
    if (this.#file !== null) fdatasyncSync(this.#file);
  }

  close(): void {
    if (this.#file !== null) closeSync(this.#file);
    this.#file = null;
  }
}
