import { once } from "node:events";
import { createWriteStream, rmSync, statSync } from "node:fs";
import { rename } from "node:fs/promises";
import { finished } from "node:stream/promises";
import { StartupError } from "../startup-error.ts";

/** Where an export goes. */
export interface ExportTarget {
  /** Resolves when there is room for more. */
  write(text: string): Promise<void>;
  /** All was written: it is now where it shall be. */
  finish(): Promise<void>;
  /** It is not whole: nothing is left of it. */
  discard(): void;
}

/**
 * A file, readable by its owner only, that is there when it is whole: until then it is called `<path>.part`. Without
 * a path, standard output. What stands there before is replaced; a device or a pipe is written to.
 */
export function openTarget(path: string | undefined): ExportTarget {
  if (path === undefined) return standardOutput();
  const isSpecial = statSync(path, { throwIfNoEntry: false })?.isFile() === false;
  const part = isSpecial ? path : `${path}.part`;
  if (!isSpecial) rmSync(part, { force: true });
  const stream = createWriteStream(part, { flags: isSpecial ? "w" : "wx", mode: 0o600, flush: !isSpecial });
  // Heard where it matters: by write and by finish.
  let fault: NodeJS.ErrnoException | undefined;
  stream.on("error", (error) => (fault = error));
  const check = () => {
    if (!fault) return;
    throw new StartupError({ what: `${path} cannot be written`, cause: fault.code ?? fault.message, fix: "give another path with --out" });
  };
  return {
    async write(text) {
      check();
      if (!stream.write(text)) await Promise.race([once(stream, "drain"), once(stream, "close")]).catch(() => {});
      check();
    },
    async finish() {
      stream.end();
      await finished(stream).catch(() => {});
      check();
      if (!isSpecial) await rename(part, path);
    },
    discard() {
      stream.destroy();
      if (!isSpecial) rmSync(part, { force: true });
    },
  };
}

function standardOutput(): ExportTarget {
  let fault: NodeJS.ErrnoException | undefined;
  process.stdout.on("error", (error) => (fault ??= error));
  const check = () => {
    if (!fault) return;
    // Whoever reads it may have seen enough, as head does.
    if (fault.code === "EPIPE")
      throw new StartupError({ what: "the export ends here", cause: "nobody reads it any more", fix: "read it to its end" });
    throw new StartupError({
      what: "standard output cannot be written",
      cause: fault.code ?? fault.message,
      fix: "make room, or use --out",
    });
  };
  return {
    async write(text) {
      check();
      if (!process.stdout.write(text)) await Promise.race([once(process.stdout, "drain"), once(process.stdout, "close")]).catch(() => {});
      check();
    },
    async finish() {
      // What was written last is heard of when this is through.
      await new Promise<void>((resolve) => process.stdout.write("", () => resolve()));
      check();
    },
    discard() {},
  };
}
