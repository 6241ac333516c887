import { randomUUID } from "node:crypto";
import { createReadStream, createWriteStream, lstatSync } from "node:fs";
import { open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { pipeline } from "node:stream";
import { pipeline as run } from "node:stream/promises";
import { createGunzip, createGzip } from "node:zlib";
import { StartupError } from "../../startup-error.ts";
import { BadBackup, decode, encode, type Heading, type Part } from "./format.ts";

/**
 * Writes a backup, readable by its owner only. It is there when it is whole and on the disk: until then it has a name that
 * nobody else uses, so two at once do not write into each other's. Throws StartupError.
 */
export async function writeBackup(path: string, parts: AsyncIterable<Part>, stop: AbortSignal): Promise<void> {
  // Renaming over a device would take it away.
  if (lstatSync(path, { throwIfNoEntry: false })?.isFile() === false) throw fault(path, "written", "it is no file");
  const draft = `${path}.${randomUUID()}.part`;
  try {
    await run(encode(parts), createGzip(), createWriteStream(draft, { flags: "wx", mode: 0o600, flush: true }), { signal: stop });
    await rename(draft, path);
    const dir = await open(dirname(path));
    await dir.sync().finally(() => dir.close());
  } catch (error) {
    await rm(draft, { force: true });
    throw isOfFile(error) ? fault(path, "written", error.code) : error;
  }
}

/** The parts of a backup, as they are read. Throws StartupError, at its end at the latest, for what is no whole backup. */
export async function* readBackup(path: string): AsyncGenerator<Part> {
  const text = createGunzip({ chunkSize: 256 * 1024 }).setEncoding("utf8");
  // What fails in the file fails in the text.
  pipeline(createReadStream(path), text, () => {});
  try {
    yield* decode(text);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "Z_BUF_ERROR") throw bad(path, "it is cut off before its end");
    if (code?.startsWith("Z_")) throw bad(path, "it is no backup of the gateway, or damaged");
    if (error instanceof BadBackup) throw bad(path, error.message);
    throw isOfFile(error) ? fault(path, "read", error.code) : error;
  } finally {
    text.destroy();
  }
}

/** Reads a backup to its end and gives its heading. Throws StartupError. */
export async function checkBackup(path: string, stop: AbortSignal): Promise<Heading> {
  let heading: Heading | undefined;
  for await (const part of readBackup(path)) {
    stop.throwIfAborted();
    if ("heading" in part) heading = part.heading;
  }
  return heading!;
}

const isOfFile = (error: unknown): error is { code: string } => (error as NodeJS.ErrnoException).syscall !== undefined;

const fault = (path: string, verb: "read" | "written", cause: string) =>
  new StartupError({ what: `${path} cannot be ${verb}`, cause, fix: "name another file, in a place with room that this user may use" });

const bad = (path: string, cause: string) =>
  new StartupError({ what: `${path} cannot be restored`, cause, fix: "take another backup; nothing was changed" });
