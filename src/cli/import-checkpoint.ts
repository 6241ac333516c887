import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { StartupError } from "../startup-error.ts";
import { atFile } from "./file-fault.ts";
import { type ImportCounts, noCounts } from "./import-counts.ts";
import type { ImportConsent } from "./import-send.ts";
import type { SourceIdentity } from "./import-source.ts";

/** What decides the batches; a run goes on only with the same. */
export interface ImportSettings {
  readonly url: string;
  /** `sandbox` or `live`, as the key's own name says; null when it does not. */
  readonly mode: string | null;
  readonly format: string;
  readonly delimiter: string;
  readonly map: Readonly<Record<string, string | null>>;
  readonly batchSize: number;
  readonly dryRun: boolean;
  readonly consent: ImportConsent | null;
  /** Whether rows become merchants. Left out: customers. */
  readonly merchants?: true;
}

/** Whose data a key writes. Source: the schema's Viewer. */
export interface Tenant {
  readonly bankId: string | null;
  /** `SANDBOX` or `LIVE`. */
  readonly mode: string;
}

/** Which rows a phase sends. */
export interface PhaseScope {
  /** The first so many rows of the input; null: no limit. */
  readonly limit: number | null;
  /** Per cent of all rows. */
  readonly sample: number;
}

/** A place in the input: lines and rows before it, and what of the lines were no rows. */
export interface Place {
  readonly line: number;
  readonly row: number;
  readonly headerLines: number;
  readonly blankLines: number;
}

/** What a checkpoint file holds. No customer's or merchant's data. */
export interface Checkpoint {
  readonly version: 1;
  readonly source: SourceIdentity;
  readonly settings: ImportSettings;
  /** Whose they become; null until the gateway has said. */
  tenant: Tenant | null;
  /** The header, once it was read. */
  columns: readonly string[] | null;
  /** What finished phases have done: everything before `place`, and the rows of `sample` after it. */
  readonly before: {
    readonly phases: number;
    readonly place: Place;
    readonly sample: number;
    readonly sentLines: number;
    readonly refusedLines: number;
  };
  readonly phase: PhaseScope;
  done: boolean;
  /** Everything of the phase before this line is done. */
  line: number;
  row: number;
  counts: ImportCounts;
  readonly failuresFile: string;
  /** How many bytes of the failures file are accounted for. */
  failuresLength: number;
}

const START: Place = { line: 0, row: 0, headerLines: 0, blankLines: 0 };

/** A checkpoint at the beginning of an input. */
export function newCheckpoint(
  source: SourceIdentity,
  settings: ImportSettings,
  phase: PhaseScope,
  failuresFile: string,
  { tenant, columns }: Pick<Checkpoint, "tenant" | "columns"> = { tenant: null, columns: null },
  before: Checkpoint["before"] = { phases: 0, place: START, sample: 0, sentLines: 0, refusedLines: 0 },
): Checkpoint {
  const { line, row, headerLines, blankLines } = before.place;
  const counts = { ...noCounts(), headerLines, blankLines };
  const progress = { done: false, line, row, counts, failuresFile, failuresLength: 0 };
  return { version: 1, source, settings, tenant, columns, before, phase, ...progress };
}

/** The next phase of a migration whose last one is done. Throws StartupError when there is nothing left that it asks for. */
export function nextPhase(last: Checkpoint, phase: PhaseScope, failuresFile: string): Checkpoint {
  const { before, counts } = last;
  const wasSample = last.phase.sample < 100;
  const place = wasSample
    ? before.place
    : { line: last.line, row: last.row, headerLines: counts.headerLines, blankLines: counts.blankLines };
  const sample = wasSample ? last.phase.sample : before.sample;
  const isAll = !wasSample && last.phase.limit === null;
  if (isAll || phase.sample <= sample || (phase.limit !== null && phase.limit <= place.row)) {
    throw new StartupError({
      what: "there is nothing left to import",
      cause: `an earlier run has imported ${isAll ? "the whole input" : `the first ${place.row} rows, and ${sample} % of the others`}`,
      fix: "ask for more with --limit or --sample, or begin anew with --restart",
    });
  }
  return newCheckpoint(last.source, last.settings, phase, failuresFile, last, {
    phases: before.phases + 1,
    place,
    sample,
    sentLines: before.sentLines + counts.sentLines,
    refusedLines: before.refusedLines + counts.refusedLines,
  });
}

/** Reads a checkpoint; null when there is none. Throws StartupError for a file that is none. */
export function readCheckpoint(path: string): Checkpoint | null {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    return atFile(path, "read", () => {
      throw error;
    });
  }
  try {
    const value = JSON.parse(text) as Checkpoint;
    const { version, source, settings, before, phase, counts, failuresFile } = value;
    const isWhole = [source, settings, before, phase, counts].every((part) => typeof part === "object" && part !== null);
    if (version === 1 && isWhole && typeof failuresFile === "string" && Number.isInteger(value.line)) return value;
  } catch {
    // Told below.
  }
  throw new StartupError({
    what: `${path} is no checkpoint of an import`,
    cause: "it has another form",
    fix: "name another file with --checkpoint, or begin anew with --restart",
  });
}

/** Throws StartupError unless a checkpoint is of this input and these settings. */
export function checkCheckpoint(path: string, checkpoint: Checkpoint, source: SourceIdentity, settings: ImportSettings): void {
  const other = (Object.keys({ ...checkpoint.settings, ...settings }) as (keyof ImportSettings)[]).filter(
    (name) => JSON.stringify(settings[name]) !== JSON.stringify(checkpoint.settings[name]),
  );
  const cause =
    JSON.stringify(checkpoint.source) !== JSON.stringify(source)
      ? "it is of another input, or the input was changed"
      : other.length > 0
        ? `it was made with other settings: ${other.join(", ")}`
        : null;
  if (cause === null) return;
  throw new StartupError({
    what: `the checkpoint ${path} cannot be gone on with`,
    cause,
    fix: "give the same command as before, name another file with --checkpoint, or begin anew with --restart",
  });
}

/** Writes a checkpoint so that at any moment the old or the new one is whole on the disk. Throws StartupError when the disk refuses. */
export function writeCheckpoint(path: string, checkpoint: Checkpoint): void {
  atFile(path, "written", () => replaceFile(path, JSON.stringify(checkpoint)));
}

function replaceFile(path: string, text: string): void {
  const temporary = `${path}.tmp`;
  const file = openSync(temporary, "w", 0o600);
  try {
    writeFileSync(file, text);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(temporary, path);
  const folder = openSync(dirname(path), "r");
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}
