import { accessSync, constants, existsSync, realpathSync, rmSync } from "node:fs";
import { dirname, extname, resolve } from "node:path";
import { StartupError } from "../startup-error.ts";
import { atFile } from "./file-fault.ts";
import { endpointOf, LOCAL_GATEWAY } from "./gateway-client.ts";
import { GaveUp, Interrupted, PatientGateway } from "./gateway-retry.ts";
import type { ImportOptions } from "./import.ts";
import {
  type Checkpoint,
  checkCheckpoint,
  type ImportSettings,
  newCheckpoint,
  nextPhase,
  readCheckpoint,
  writeCheckpoint,
} from "./import-checkpoint.ts";
import { failed } from "./import-counts.ts";
import { CsvFormat } from "./import-csv.ts";
import { FailuresFile } from "./import-failures.ts";
import { BOM, isUtf8Name } from "./import-lines.ts";
import { readMappings } from "./import-mapping.ts";
import { NdjsonFormat } from "./import-ndjson.ts";
import { ImportProgress } from "./import-progress.ts";
import { runImport } from "./import-run.ts";
import type { ImportConsent } from "./import-send.ts";
import { openSource, type Source } from "./import-source.ts";
import { AnotherTenant, claimTenant } from "./import-tenant.ts";
import { CUSTOMERS, type ImportTarget, MERCHANTS } from "./import-target.ts";
import { type Ending, printSummary, summaryOf, unreadLines } from "./import-summary.ts";

/** How long the rest of a stream is counted after a stop. */
const COUNT_MS = 5000;

/** Imports a file, prints what came of it, and gives the exit code. Throws StartupError for what has to be mended before. */
export async function importFile(file: string, options: ImportOptions, stop: AbortSignal): Promise<number> {
  const target = options.merchants ? MERCHANTS : CUSTOMERS;
  const settings = settingsOf(file, options, target);
  const { source, checkpoint, checkpointFile } = await prepare(file, options, settings, stop);
  const format =
    settings.format === "ndjson"
      ? new NdjsonFormat(settings.map, target.fields)
      : new CsvFormat({ ...settings, fields: target.fields, columns: checkpoint.line === 0 ? null : checkpoint.columns });
  const lines = source.identity.whole?.lines ?? null;
  let ending: Ending = "done";
  let fault: StartupError | null = null;
  // Of a run that is done the failures file is the bank's: it may be corrected by now.
  if (!checkpoint.done) {
    const failures = atFile(checkpoint.failuresFile, "written", () => openFailures(checkpoint, options.encoding));
    const progress = new ImportProgress(checkpoint, lines);
    if (checkpoint.line > 0) progress.notice(`Going on after line ${checkpoint.line}, as ${checkpointFile} says.`);
    const gateway = new PatientGateway(
      { url: settings.url, key: options.key },
      { retryForMs: options.retryFor * 1000, stop, onRetry: (cause, waitMs) => progress.retrying(cause, waitMs) },
    );
    try {
      await claimTenant(gateway, checkpoint, checkpointFile, target.scope);
      await runImport({ source, format, target, gateway, checkpoint, checkpointFile, failures, concurrency: options.concurrency, stop });
    } catch (error) {
      if (error instanceof StartupError) fault = error;
      else if (!(error instanceof Interrupted)) throw error;
    } finally {
      progress.end();
      failures.close();
    }
    ending = fault && !(fault instanceof GaveUp) ? "refused" : checkpoint.done && !fault ? "done" : "stopped";
  }
  const summary = summaryOf(checkpoint, await source.countLines(COUNT_MS), ending, fault?.message ?? null);
  console.log(options.json ? JSON.stringify(summary) : printSummary(summary));
  if (fault) console.error(fault.message);
  // A dry run leaves nothing to go on with once it is done: the next one looks anew. Nor does a run that was refused at once.
  const { before, counts } = checkpoint;
  const isOfRows = counts.sentLines + counts.refusedLines > 0;
  const untouched = ending === "refused" && !(fault instanceof AnotherTenant) && !isOfRows && before.phases === 0 && counts.batches === 0;
  if ((settings.dryRun && checkpoint.done) || untouched) rmSync(checkpointFile, { force: true });
  if (ending !== "done") return ending === "stopped" ? 3 : 1;
  return failed(checkpoint.counts) > 0 ? 2 : 0;
}

/** Refused rows are written in UTF-8: of an input in another encoding with a mark, so that the same command reads both. */
function openFailures({ failuresFile, failuresLength }: Checkpoint, encoding: string): FailuresFile {
  return new FailuresFile(failuresFile, failuresLength, isUtf8Name(encoding) ? "" : BOM);
}

function settingsOf(file: string, options: ImportOptions, target: ImportTarget): ImportSettings {
  const { url = LOCAL_GATEWAY, key, delimiter, batchSize, dryRun = false } = options;
  endpointOf(url);
  if (!key) {
    throw new StartupError({ what: "nothing can be imported", cause: "there is no key", fix: "give --key, or set GATEWAY_KEY" });
  }
  const format = options.format ?? (/^\.(ndjson|jsonl)$/i.test(extname(file)) ? "ndjson" : "csv");
  return {
    url,
    mode: /^cgw_(sandbox|live)_/.exec(key)?.[1] ?? null,
    format,
    delimiter,
    map: readMappings(options.map, target.fields),
    batchSize,
    dryRun,
    consent: consentOf(options),
    ...(target === MERCHANTS && { merchants: true }),
  };
}

function consentOf({ consentSource: source, consentAt: at, consentTextVersion: textVersion }: ImportOptions): ImportConsent | null {
  return source === undefined && at === undefined && textVersion === undefined ? null : { source, at, textVersion };
}

/** Throws StartupError when one file would have two uses: it would be written over, or removed. */
function refuseOneForTwo(uses: Record<string, string | null>): void {
  const paths = new Map<string, string>();
  for (const [use, path] of Object.entries(uses)) {
    if (path === null) continue;
    const real = existsSync(path) ? realpathSync(path) : resolve(path);
    const other = paths.get(real);
    if (other)
      throw new StartupError({ what: `${path} cannot be used`, cause: `it is both ${other} and ${use}`, fix: "name another file" });
    paths.set(real, use);
  }
}

/** The failures file of the run that a checkpoint is of; null when there is none. */
function previousFailures(options: ImportOptions, checkpointFile: string): string | null {
  return options.restart ? (readCheckpoint(checkpointFile)?.failuresFile ?? null) : null;
}

/** The input and how far it is imported. Nothing is sent, and no file of a run is touched, before it fits. */
async function prepare(file: string, options: ImportOptions, settings: ImportSettings, stop: AbortSignal) {
  let lines: number | null | undefined;
  try {
    const source = await openSource(file, options.encoding, stop, (known) => (lines = known));
    return { source, ...checkpointOf(source, options, settings) };
  } catch (error) {
    // Nothing of the input was sent; how many lines that are is known of what could be opened.
    if (error instanceof StartupError && lines !== undefined) console.log(unreadLines(lines));
    throw error;
  }
}

/** How far the input is imported, by its checkpoint; a new one at the first run and for the next phase. */
function checkpointOf(source: Source, options: ImportOptions, settings: ImportSettings) {
  const base = `${source.path ?? "import"}${settings.dryRun ? ".dry-run" : ""}`;
  const checkpointFile = options.checkpoint ?? `${base}.checkpoint`;
  const failuresFile = (phase: number) =>
    options.failures ?? `${base}.failures${phase > 1 ? `-${phase}` : ""}.${settings.format === "ndjson" ? "ndjson" : "csv"}`;
  const phase = { limit: options.limit ?? null, sample: options.sample };

  const last = options.restart ? null : readCheckpoint(checkpointFile);
  let checkpoint: Checkpoint;
  if (last === null) checkpoint = newCheckpoint(source.identity, settings, phase, failuresFile(1));
  else {
    checkCheckpoint(checkpointFile, last, source.identity, settings);
    if (last.phase.limit === phase.limit && last.phase.sample === phase.sample) return { checkpoint: last, checkpointFile };
    if (!last.done) {
      throw new StartupError({
        what: `the checkpoint ${checkpointFile} cannot be gone on with`,
        cause: "its run had another --limit or --sample, and is not at its end",
        fix: "give the same command as before, or begin anew with --restart",
      });
    }
    checkpoint = nextPhase(last, phase, failuresFile(last.before.phases + 2));
  }
  refuseOneForTwo({ input: source.path, "--checkpoint": checkpointFile, "--failures": checkpoint.failuresFile });
  if (existsSync(checkpoint.failuresFile)) {
    // A run removes only what one before it made.
    const isOwn = options.failures === undefined || previousFailures(options, checkpointFile) === checkpoint.failuresFile;
    if (!(options.restart || settings.dryRun) || !isOwn) {
      throw new StartupError({
        what: `the failures file ${checkpoint.failuresFile} is there already`,
        cause: "it may hold rows that you have corrected",
        fix: "move it away, or name another with --failures",
      });
    }
    atFile(checkpoint.failuresFile, "removed", () => rmSync(checkpoint.failuresFile));
  }
  // It is made when a row is refused, and then it is too late to say that it cannot be.
  atFile(checkpoint.failuresFile, "written", () => accessSync(dirname(checkpoint.failuresFile), constants.W_OK));
  // Before the failures file, so that a killed run knows it for its own.
  writeCheckpoint(checkpointFile, checkpoint);
  return { checkpoint, checkpointFile };
}
