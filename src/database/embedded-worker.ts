// The thread that runs the embedded database: PGlite computes synchronously, and on the main thread
// every query would stop the HTTP server.

import { parentPort, workerData } from "node:worker_threads";
import { PGlite } from "@electric-sql/pglite";
import { btree_gin } from "@electric-sql/pglite/contrib/btree_gin";
import { pg_trgm } from "@electric-sql/pglite/contrib/pg_trgm";
import { PGLiteSocketServer } from "@electric-sql/pglite-socket";

/** What the opener passes in: two absolute paths. */
export interface EmbeddedWorkerData {
  dataDir: string;
  socketPath: string;
}

/** What the thread reports: once ready or failed, and closed after being sent "close". */
export type EmbeddedWorkerReport = { type: "ready" } | { type: "failed"; message: string } | { type: "closed" };

/** Messages of PostgreSQL's extended protocol that leave a statement half done until a Sync follows. */
const HALF_DONE = new Set(Array.from("PBDECHF", (letter) => letter.charCodeAt(0)));
const SYNC = Uint8Array.of("S".charCodeAt(0), 0, 0, 0, 4);

/** The part of PGlite that PGLiteSocketServer uses. */
type Backend = Pick<PGlite, "waitReady" | "isInTransaction" | "runExclusive" | "execProtocolRawStream" | "exec">;

/**
 * PGlite as the socket server should see it.
 *
 * The server queues protocol messages, not statements, and stays with one connection only while
 * `isInTransaction()` is true. A statement is five messages (Parse, Bind, Describe, Execute, Sync); when
 * one of them comes in pieces, as any with more than 64 KiB of parameters does, another connection's
 * Parse gets between and replaces the statement that the Bind was meant for: errors, or worse, the rows
 * of somebody else's query. So an unfinished statement counts as a transaction here. When its
 * connection goes away, the server calls `exec("ROLLBACK")`, which then must end the statement as well.
 */
function statementGate(db: PGlite): Backend {
  let halfDone = false;
  return {
    waitReady: db.waitReady,
    isInTransaction: () => halfDone || db.isInTransaction(),
    runExclusive: (fn) => db.runExclusive(fn),
    async execProtocolRawStream(message, options) {
      try {
        await db.execProtocolRawStream(message, options);
      } catch (error) {
        // Errors of SQL are answers, not exceptions: this is the backend itself failing, after which the
        // server's queue never moves again. Ending the thread closes the sockets and tells the opener.
        setImmediate(() => {
          throw error;
        });
        throw error;
      }
      halfDone = HALF_DONE.has(message[0] ?? 0);
    },
    async exec(sql, options) {
      if (halfDone) {
        await db.runExclusive(() => db.execProtocolRawStream(SYNC, { onRawData: () => {} }));
        halfDone = false;
      }
      return db.isInTransaction() ? db.exec(sql, options) : [];
    },
  };
}

/** PGlite's files lie behind Emscripten, whose errors are no Errors and number what happened as WASI does. */
function reasonOf(error: unknown): string {
  if (error instanceof Error) return error.message;
  const { errno } = error as { errno?: number };
  return errno === WASI_ENOSPC ? "the disk is full" : `system error ${String(errno)}`;
}

const WASI_ENOSPC = 51;

function report(message: EmbeddedWorkerReport): void {
  parentPort?.postMessage(message);
}

const { dataDir, socketPath } = workerData as EmbeddedWorkerData;
try {
  const db = await PGlite.create({ dataDir, extensions: { pg_trgm, btree_gin } });
  // More than any pool asks for: a refused connection is only dropped, without a reason the client could show.
  const server = new PGLiteSocketServer({ db: statementGate(db) as PGlite, path: socketPath, maxConnections: 100 });
  await server.start();
  parentPort?.once("message", async () => {
    await server.stop();
    await db.close();
    report({ type: "closed" });
  });
  report({ type: "ready" });
} catch (error) {
  report({ type: "failed", message: reasonOf(error) });
}
