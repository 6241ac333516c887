import { Worker } from "node:worker_threads";
import { expect } from "vitest";

/** More than the longest file takes on a busy machine; in full, `npm run test:chaos` has one of half an hour. */
const LIMIT_MS = (process.env["CHAOS"] === "full" ? 60 : 15) * 60_000;

/**
 * Vitest limits the time of tests and hooks, not of a file: a top-level await that is never answered, or a thread that never
 * comes back, keeps a run going for ever and does not say where. A thread of its own ends such a file; before that the main
 * thread, if it can, says what it waits for.
 */
const LIMIT = `
  const { workerData: { file, ms } } = require("node:worker_threads");
  setTimeout(() => {
    require("node:fs").writeSync(2, file + " has not ended after " + ms / 1000 + " s: its process is killed\\n");
    process.kill(process.pid, "SIGKILL");
  }, ms);`;

const file = expect.getState().testPath;
new Worker(LIMIT, { eval: true, execArgv: [], workerData: { file, ms: LIMIT_MS } }).unref();
setTimeout(() => console.error(file, "still waits for", process.getActiveResourcesInfo()), LIMIT_MS - 5000).unref();
