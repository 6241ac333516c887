import type { Checkpoint } from "./import-checkpoint.ts";
import { failed } from "./import-counts.ts";
import { type Figure, figuresOf } from "./import-figures.ts";
import { duration } from "./import-progress.ts";

/** How an import ended: `done`; `stopped`, to go on with the same command; `refused`, after something was mended. */
export type Ending = "done" | "stopped" | "refused";

/** What `--json` prints. */
export type Summary = ReturnType<typeof summaryOf>;

/**
 * What an import came to. Lines: `sent + refused + unread = ofRows`, and with `header` and `blank` `inFile`; those of
 * earlier phases are counted. `inFile` and `unread` are null for a stream whose end was not reached. Rows, failures and figures are
 * this phase's.
 */
export function summaryOf(checkpoint: Checkpoint, inFile: number | null, ending: Ending, reason: string | null) {
  const { counts, before, settings, phase } = checkpoint;
  const sent = before.sentLines + counts.sentLines;
  const refused = before.refusedLines + counts.refusedLines;
  const ofRows = inFile === null ? null : inFile - counts.headerLines - counts.blankLines;
  const unread = ofRows === null ? null : ofRows - sent - refused;
  if (unread !== null && (unread < 0 || (ending === "done" && phase.limit === null && phase.sample === 100 && unread > 0))) {
    throw new Error(`${unread} lines are not accounted for`);
  }
  return {
    ending,
    reason,
    dryRun: settings.dryRun,
    phase: { number: before.phases + 1, ...phase },
    lines: { inFile, header: counts.headerLines, blank: counts.blankLines, ofRows, sent, refused, unread },
    rows: { total: counts.created + failed(counts), created: counts.created, failed: failed(counts) },
    failures: { byCode: counts.failures, byField: counts.fields },
    batches: { sent: counts.batches, replayed: counts.replayed },
    requests: { sent: counts.requests, failed: counts.failedRequests },
    seconds: Math.round(counts.elapsedMs) / 1000,
    figures: figuresOf(counts),
    failuresFile: checkpoint.failuresLength > 0 ? checkpoint.failuresFile : null,
  };
}

/** The sum of the lines alone: for an input of which nothing was read. Null: nobody knows how many it has. */
export function unreadLines(inFile: number | null): string {
  return lineSum({ inFile, header: 0, blank: 0, ofRows: inFile, sent: 0, refused: 0, unread: inFile });
}

function lineSum({ inFile, header, blank, ofRows, sent, refused, unread }: Summary["lines"]): string {
  if (inFile === null) return `Lines: ${sent} sent + ${refused} refused + unread ones, whose number is not known: the stream goes on`;
  return `Lines: ${sent} sent + ${refused} refused + ${unread} unread = ${ofRows}; with ${header} of the header and ${blank} blank, ${inFile} in the file`;
}

/** The summary for a person, several lines. */
export function printSummary(summary: Summary): string {
  const { rows, failures, figures, batches, dryRun, ending } = summary;
  const byCount = (counts: Record<string, number>) =>
    Object.entries(counts)
      .sort(([, a], [, b]) => b - a)
      .map(([name, number]) => `${name} ${number}`)
      .join(", ");
  return [
    `${dryRun ? "Dry run " : "Import "}${{ done: "done", stopped: "stopped before its end", refused: "ended by a fault" }[ending]} after ${duration(summary.seconds)}.`,
    lineSum(summary.lines),
    `Rows: ${rows.total} = ${rows.created} ${dryRun ? "would be created" : "created"} + ${rows.failed} refused; ${batches.sent} batches${batches.replayed > 0 ? `, ${batches.replayed} of them known already` : ""}`,
    ...(rows.failed > 0 ? [`Refused by code: ${byCount(failures.byCode)}`] : []),
    ...(Object.keys(failures.byField).length > 0 ? [`Refused by field: ${byCount(failures.byField)}`] : []),
    ...(rows.total > 0 ? figureLines(figures) : []),
    ...(summary.failuresFile === null ? [] : [`Refused rows: ${summary.failuresFile}. Correct them and import that file.`]),
  ].join("\n");
}

function figureLines(figures: Summary["figures"]): string[] {
  const figure = (name: string, { value, unit, target, met }: Figure, of: string) =>
    `  ${name.padEnd(16)}${value === null ? "nothing to measure" : `${value.toFixed(2)} ${unit}`} (${target === null ? "no target" : `target ${target}`}${met === null ? "" : met ? ": met" : ": MISSED"}), ${of}`;
  return [
    "Figures:",
    figure("success rate", figures.successRate, "rows accepted"),
    figure("processing time", figures.processingTime, "the slowest batch"),
    figure("data quality", figures.dataQuality, "rows whose data is wrong"),
    figure("duplicates", figures.duplicates, "rows that were there already"),
    figure("error rate", figures.errorRate, "requests that failed"),
  ];
}
