import { StartupError } from "../startup-error.ts";
import { atFile } from "./file-fault.ts";
import { type Checkpoint, writeCheckpoint } from "./import-checkpoint.ts";
import { batchRows, type ImportBatch } from "./import-batch.ts";
import { countFailure } from "./import-counts.ts";
import type { FailuresFile } from "./import-failures.ts";
import { Interrupted, type PatientGateway } from "./gateway-retry.ts";
import type { SourceFormat } from "./import-row.ts";
import { type BatchOutcome, sendBatch } from "./import-send.ts";
import type { Source } from "./import-source.ts";
import type { ImportTarget } from "./import-target.ts";

export interface RunParts {
  readonly source: Source;
  readonly format: SourceFormat;
  readonly target: ImportTarget;
  readonly gateway: PatientGateway;
  readonly checkpoint: Checkpoint;
  readonly checkpointFile: string;
  readonly failures: FailuresFile;
  readonly concurrency: number;
  /** Ends the run in order: nothing more is read, what is on its way is waited for. */
  readonly stop: AbortSignal;
}

/** A checkpoint is written no more often than this; what a killed run did since is sent again and known by its key. */
const CHECKPOINT_MS = 200;

/** Batches that are sent or answered and not yet written down, for each request in flight. */
const AHEAD = 2;

/**
 * Runs a phase from its checkpoint to its end, or until it is stopped. Outcomes are written down in the order of the
 * input, so one place says what is done: everything before it. What happens ends in the checkpoint, whether it
 * returns or throws.
 */
export async function runImport(parts: RunParts): Promise<void> {
  const { source, format, target, gateway, checkpoint, concurrency, stop } = parts;
  const { batchSize, dryRun, consent } = checkpoint.settings;
  const scope = { ...checkpoint.phase, sampleBefore: checkpoint.before.sample };
  const options = { target, dryRun, consent, source: source.identity.prefix };
  const recorder = new Recorder(parts);
  const inFlight = new Set<Promise<unknown>>();
  const unwritten = new Set<Promise<unknown>>();
  // Each batch is written down after the one before it; after one that failed, none is.
  let written: Promise<void> = Promise.resolve();
  let failed = false;
  try {
    const rows = format.rows(source.lines(checkpoint.line));
    for await (const batch of batchRows(rows, checkpoint, scope, batchSize)) {
      while (inFlight.size >= concurrency && !stop.aborted) await Promise.race(inFlight);
      while (unwritten.size >= concurrency * AHEAD && !stop.aborted) await Promise.race(unwritten);
      if (stop.aborted || failed) break;
      const sent = sendBatch(gateway, batch, options);
      sent.catch(() => (failed = true));
      track(inFlight, sent);
      written = written.then(() => sent).then((outcome) => recorder.record(outcome));
      track(unwritten, written);
      written.catch(() => (failed = true));
    }
    await written;
    if (!stop.aborted && isBlank(checkpoint)) {
      throw new StartupError({ what: "nothing can be imported", cause: "the input has only blank lines", fix: "give one with rows" });
    }
    checkpoint.done = !stop.aborted;
  } catch (error) {
    // What was answered before the fault counts; what is on its way is sent again by the next run.
    await written.catch(() => {});
    if (!(error instanceof Interrupted)) throw error;
  } finally {
    recorder.save();
  }
}

/** Whether an input that was read to its end had neither a header nor a row. */
function isBlank({ counts, before }: Checkpoint): boolean {
  return counts.headerLines + counts.sentLines + counts.refusedLines === 0 && before.phases === 0;
}

/** Keeps a promise in a set until it settles. Its rejection is heard by whoever awaits what is written. */
function track(set: Set<Promise<unknown>>, promise: Promise<unknown>): void {
  const settled: Promise<unknown> = promise.then(
    () => set.delete(settled),
    () => set.delete(settled),
  );
  set.add(settled);
}

/** Writes outcomes down: the failures file first, then the checkpoint that says how long it is. */
class Recorder {
  readonly #parts: RunParts;
  readonly #began = performance.now();
  readonly #elapsedBefore: number;
  #timer: NodeJS.Timeout | undefined;
  /** Why it could not be saved while nobody waited for that. */
  #fault: Error | null = null;
  #requests = 0;
  #failedRequests = 0;

  constructor(parts: RunParts) {
    this.#parts = parts;
    this.#elapsedBefore = parts.checkpoint.counts.elapsedMs;
  }

  record({ batch, created, failures, ms, replayed }: BatchOutcome): void {
    if (this.#fault) throw this.#fault;
    const { checkpoint, failures: file, format } = this.#parts;
    // Before anything is counted: what cannot be written is as if it were not answered.
    if (failures.length > 0) {
      const header = file.length === 0 ? format.failuresHeader() : "";
      const text = header + failures.map(({ row, failure }) => format.failureLine(row, failure)).join("");
      atFile(file.path, "written", () => file.append(text));
    }
    const { counts } = checkpoint;
    counts.created += created;
    this.#addLines(batch);
    if (ms !== null) {
      counts.batches += 1;
      counts.replayed += Number(replayed);
      counts.batchMs += ms;
      counts.slowestBatchMs = Math.max(counts.slowestBatchMs, ms);
    }
    for (const { failure } of failures) countFailure(counts, failure);
    checkpoint.columns = format.columns;
    checkpoint.line = batch.end.line;
    checkpoint.row = batch.end.row;
    this.#timer ??= setTimeout(() => this.#saveLate(), CHECKPOINT_MS);
  }

  save(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const { checkpoint, checkpointFile, failures, gateway } = this.#parts;
    const { counts } = checkpoint;
    counts.elapsedMs = this.#elapsedBefore + performance.now() - this.#began;
    counts.requests += gateway.requests - this.#requests;
    counts.failedRequests += gateway.failedRequests - this.#failedRequests;
    this.#requests = gateway.requests;
    this.#failedRequests = gateway.failedRequests;
    atFile(failures.path, "written", () => failures.sync());
    checkpoint.failuresLength = failures.length;
    writeCheckpoint(checkpointFile, checkpoint);
  }

  #saveLate(): void {
    try {
      this.save();
    } catch (error) {
      this.#fault = error as Error;
    }
  }

  #addLines({ lines }: ImportBatch): void {
    const { counts } = this.#parts.checkpoint;
    for (const kind of Object.keys(lines) as (keyof typeof lines)[]) counts[kind] += lines[kind];
  }
}
