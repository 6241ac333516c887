import { accessSync, constants, existsSync, mkdirSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { StartupError } from "../startup-error.ts";

/** A data directory that this process, and no other, may write to. */
export interface DataDirClaim {
  /** Gives the directory up; safe to call twice. */
  release(): void;
}

/** SQLite's result code for "another connection holds the lock". */
const SQLITE_BUSY = 5;

/**
 * Makes the data directory if need be (mode 0700, parents included) and claims it for this process.
 *
 * Two processes on one embedded database would destroy it, so the claim is a lock of the operating
 * system, taken by way of SQLite: unlike a lock file it vanishes with the process, also after kill -9,
 * and so is never stale. It does not hold across machines on most network file systems.
 *
 * @throws StartupError if the directory cannot be made, is no directory, cannot be written to, or is
 *   in use, be it by another process or by an earlier claim of this one.
 */
export function claimDataDir(dir: string): DataDirClaim {
  makeWritable(dir);
  // Nothing else may open lock.db: closing a second descriptor of it would drop the lock (POSIX).
  const path = join(dir, "lock.db");
  let lock: DatabaseSync | undefined;
  try {
    lock = new DatabaseSync(path, { timeout: 0 });
    lock.exec("PRAGMA locking_mode=EXCLUSIVE; BEGIN EXCLUSIVE");
  } catch (error) {
    if (lock?.isOpen) lock.close();
    if (sqliteCode(error) === SQLITE_BUSY) {
      throw new StartupError({
        what: `the data directory ${dir} cannot be used`,
        cause: "another process is using it",
        fix: "stop the other gateway, or give this one its own directory in DATA_DIR",
      });
    }
    throw unusable(dir, `its lock file ${path} cannot be opened (${(error as Error).message})`);
  }
  const held = lock;
  return {
    release() {
      if (held.isOpen) held.close();
    },
  };
}

/**
 * Makes a directory and its parents for this user alone, unless something is there. Throws the system's error.
 * Node's own `recursive` never ends where a parent exists and takes no directory, as in /proc.
 */
export function makePrivateDir(dir: string): void {
  const make = () => mkdirSync(dir, { mode: 0o700 });
  try {
    make();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EEXIST") return;
    if (code !== "ENOENT" || existsSync(dirname(dir))) throw error;
    makePrivateDir(dirname(dir));
    make();
  }
}

function makeWritable(dir: string): void {
  try {
    makePrivateDir(dir);
    if (!statSync(dir).isDirectory()) throw unusable(dir, "it is a file, not a directory");
    accessSync(dir, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (error) {
    if (error instanceof StartupError) throw error;
    const code = (error as NodeJS.ErrnoException).code;
    if (code === "EEXIST" || code === "ENOTDIR") throw unusable(dir, "it, or a part of its path, is a file, not a directory");
    throw unusable(dir, `it cannot be made or written to (${code ?? (error as Error).message})`);
  }
}

function unusable(dir: string, cause: string): StartupError {
  return new StartupError({
    what: `the data directory ${dir} cannot be used`,
    cause,
    fix: "name a directory in DATA_DIR that the gateway's user may write to",
  });
}

/** The primary result code: the extended ones carry more in their upper bits. */
function sqliteCode(error: unknown): number | undefined {
  const code = (error as { errcode?: unknown }).errcode;
  return typeof code === "number" ? code & 0xff : undefined;
}
