import { existsSync } from "node:fs";
import { chmod, mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { extname, join, resolve } from "node:path";
import { Worker } from "node:worker_threads";
import { makePrivateDir } from "./data-dir.ts";
import type { Connection } from "./deadline.ts";
import { StartupError } from "../startup-error.ts";
import type { EmbeddedWorkerData, EmbeddedWorkerReport } from "./embedded-worker.ts";
import { keepWasmCode } from "./keep-wasm-code.ts";

/** A running embedded database. */
export interface Embedded {
  /**
   * How to connect with pg. Its `max` is 1 on purpose: PGlite is a single session that runs one statement
   * at a time and makes everyone wait while a transaction is open, so more connections gain nothing, and
   * waiting in pg's pool has a time limit while waiting inside PGlite has none.
   */
  connection: Connection;
  /** Ends open transactions by rolling back, writes everything to disk and stops the thread; safe to call twice. */
  close(): Promise<void>;
}

/** Where the data lies and whom to tell. */
export interface EmbeddedOptions {
  /** A directory that this process has claimed; the database is its subdirectory `postgres`. */
  dataDir: string;
  /** Called at most once if the database dies after it opened: nothing works from then on, so the process should end. */
  onFailure?: (error: Error) => void;
}

/**
 * Opens the embedded database, PGlite in a thread of its own, making it if the directory has none.
 *
 * It is reached through a Unix socket in a fresh directory that only this user can enter; one left behind
 * by a killed process is an empty shell that nobody connects to. To its clients it is PostgreSQL 18 with these
 * differences: all connections share one session (SET, temporary tables, named prepared statements,
 * and advisory locks do not tell them apart); `statement_timeout` must not be set, because it strikes late
 * and then cancels the next statement (as a connection parameter it is ignored); a cancel request is
 * ignored; LISTEN hears nothing. Data survives a killed process but, without fsync, maybe not a power cut.
 *
 * @throws StartupError if the files cannot be read as a database, or there is no place for the socket.
 */
export async function openEmbedded({ dataDir, onFailure }: EmbeddedOptions): Promise<Embedded> {
  keepWasmCode();
  const { database, unfinished } = placesIn(dataDir);
  if (existsSync(unfinished)) await rm(database, { recursive: true, force: true });
  else if (!existsSync(join(database, "PG_VERSION"))) await writeFile(unfinished, "");
  await makePrivate(database);
  const host = await makeSocketDir();
  const workerData: EmbeddedWorkerData = { dataDir: database, socketPath: join(host, SOCKET) };
  // The thread's file has this file's extension, whether the sources run as they are or compiled.
  const worker = new Worker(new URL(`./embedded-worker${extname(import.meta.url)}`, import.meta.url), {
    workerData,
    // Not this process's own flags: some (--input-type, a test runner's loader) a file in a thread refuses.
    execArgv: [],
  });
  const stop = async () => {
    await worker.terminate();
    await rm(host, { recursive: true, force: true });
  };

  try {
    await reported(worker, "ready");
    await rm(unfinished, { force: true });
  } catch (error) {
    await stop();
    const cause = (error as Error).message;
    throw new StartupError({
      what: `the embedded database in ${database} cannot be opened`,
      cause,
      fix:
        cause === "the disk is full"
          ? "make room on it"
          : "restore the directory from a backup, or move it away to begin with an empty database",
    });
  }

  let closing: Promise<void> | undefined;
  worker.on("error", (error) => {
    if (closing === undefined) onFailure?.(error as Error);
  });
  const close = async () => {
    const closed = reported(worker, "closed");
    worker.postMessage("close");
    await closed.finally(stop);
  };
  return {
    connection: { host, port: 5432, user: "postgres", database: "postgres", max: 1, ignoresCancel: true },
    close: () => (closing ??= close()),
  };
}

/** Whether a data directory holds an embedded database that was made to its end. Changes nothing. */
export function hasEmbedded(dataDir: string): boolean {
  const { database, unfinished } = placesIn(dataDir);
  return existsSync(join(database, "PG_VERSION")) && !existsSync(unfinished);
}

function placesIn(dataDir: string) {
  const database = resolve(dataDir, "postgres");
  // Stands while the files are being made: those of a start that was cut off there are no database, and nothing was in them.
  return { database, unfinished: `${database}.unfinished` };
}

/**
 * Makes the database's directory one that only this user can enter, whatever the one around it is: PGlite makes its
 * files for everyone to read and write. Throws StartupError.
 */
async function makePrivate(database: string): Promise<void> {
  try {
    makePrivateDir(database);
    if (((await stat(database)).mode & 0o077) !== 0) await chmod(database, 0o700);
  } catch (error) {
    throw new StartupError({
      what: `the embedded database in ${database} cannot be kept from other users`,
      cause: (error as NodeJS.ErrnoException).code ?? (error as Error).message,
      fix: "make the directory the gateway's user's own",
    });
  }
}

/** The name that pg looks for. */
const SOCKET = ".s.PGSQL.5432";

/** The longest path that a socket may have on every system, in bytes: 103 on macOS, 107 on Linux. */
const MAX_SOCKET_PATH = 103;

/** Makes a fresh directory that only this user can enter. Throws StartupError. */
async function makeSocketDir(): Promise<string> {
  const prefix = join(tmpdir(), "customer-gateway-");
  const fault = (cause: string) =>
    new StartupError({
      what: `the embedded database cannot have a socket in ${tmpdir()}`,
      cause,
      fix: "name a directory in TMPDIR that the gateway's user may write to, such as /tmp",
    });
  if (Buffer.byteLength(join(`${prefix}XXXXXX`, SOCKET)) > MAX_SOCKET_PATH) throw fault("its path would be longer than a socket's may be");
  try {
    // With mode 0700.
    return await mkdtemp(prefix);
  } catch (error) {
    throw fault((error as NodeJS.ErrnoException).code ?? (error as Error).message);
  }
}

/** Waits for the thread's report; rejects if it reports a failure or ends without one. */
function reported(worker: Worker, type: EmbeddedWorkerReport["type"]): Promise<void> {
  return new Promise((done, fail) => {
    worker.on("message", (report: EmbeddedWorkerReport) => {
      if (report.type === type) done();
      else if (report.type === "failed") fail(new Error(report.message));
    });
    worker.once("error", fail);
    worker.once("exit", (code) => fail(new Error(`the database thread ended with code ${code}`)));
  });
}
