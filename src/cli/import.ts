import { Command, InvalidArgumentError, Option } from "commander";
import { StartupError } from "../startup-error.ts";
import { type GatewayAddress, withGateway } from "./gateway-client.ts";
import { Interrupted } from "./gateway-retry.ts";
import { importFile } from "./import-file.ts";
import { isEncoding } from "./import-lines.ts";
import { keepHeapLean } from "./lean-heap.ts";
import { stopOnSignal } from "./stop-signal.ts";
import { wholeNumber } from "./whole-number.ts";

/** What `import` is told. */
export interface ImportOptions extends GatewayAddress {
  format?: "csv" | "ndjson";
  encoding: string;
  delimiter: string;
  map: string[];
  merchants?: boolean;
  dryRun?: boolean;
  limit?: number;
  sample: number;
  batchSize: number;
  concurrency: number;
  retryFor: number;
  consentSource?: string;
  consentAt?: string;
  consentTextVersion?: string;
  checkpoint?: string;
  failures?: string;
  restart?: boolean;
  json?: boolean;
}

const EXIT_CODES = `
Exit codes:
  0  every row that was asked for is imported
  1  nothing more can be done until something is mended: the command, the file, the key
  2  finished, and some rows were refused; they are in the failures file
  3  stopped before the end, by a signal or because the gateway did not answer; the same command goes on`;

/** `import FILE`: customers or merchants of a CSV or NDJSON file through the public batch mutation of any gateway. */
export function importCommand(): Command {
  return withGateway(new Command("import"))
    .description("import customers, or merchants, from CSV or NDJSON, of any size; given again, it goes on where it was stopped")
    .argument("<file>", "the file; - for standard input")
    .addOption(new Option("--format <format>", "default: by the file's name, else csv").choices(["csv", "ndjson"]))
    .option("--encoding <name>", "the encoding of the input, e.g. latin1", encodingName, "utf-8")
    .option("--delimiter <sign>", "what separates columns in CSV; tab for a tab", delimiterSign, ",")
    .option("--map <column=field>", "the field that a column is for; column= leaves it out; repeatable", repeated, [])
    .addOption(
      new Option("--merchants", "the rows are merchants, not customers").conflicts(["consentSource", "consentAt", "consentTextVersion"]),
    )
    .option("--dry-run", "make every check and create nothing")
    .addOption(new Option("--limit <rows>", "only the first rows of the input").argParser(wholeNumber(1, 2 ** 40)).conflicts("sample"))
    .option("--sample <percent>", "only so many per cent of the rows: 10, then 50, then all; each includes the one before", percent, 100)
    .option("--consent-source <text>", "where all customers gave consent, but those whose row has columns for it")
    .option("--consent-at <time>", "when they gave it, e.g. 2026-01-31T09:30:00+01:00")
    .option("--consent-text-version <text>", "which version of the text they agreed to")
    .option("--batch-size <rows>", "the most rows in a request", wholeNumber(1, 500), 500)
    .option("--concurrency <requests>", "how many requests are on their way at once", wholeNumber(1, 64), 4)
    .option("--retry-for <seconds>", "how long a request is tried again", wholeNumber(0, 86_400), 300)
    .option("--checkpoint <file>", "where it is kept how far the import is; default: FILE.checkpoint")
    .option("--failures <file>", "where refused rows go; default: FILE.failures.csv or .ndjson")
    .option(
      "--restart",
      "forget the checkpoint and its failures file, and begin at the first row; batches sent within 24 hours answer as they did then",
    )
    .addHelpText("after", EXIT_CODES)
    .action(async (file: string, options: ImportOptions) => {
      keepHeapLean();
      const stop = stopOnSignal();
      try {
        process.exitCode = await importFile(file, options, stop);
      } catch (error) {
        if (error instanceof Interrupted) process.exitCode = 3;
        else if (error instanceof StartupError) {
          console.error(error.message);
          process.exitCode = 1;
        } else throw error;
      } finally {
        // Standard input that still has something to say would keep the process.
        if (file === "-") process.stdin.destroy();
      }
    });
}

function percent(text: string): number {
  const number = Number(/^(\d+(?:\.\d+)?)\s*%?$/.exec(text)?.[1]);
  if (!(number > 0 && number <= 100)) throw new InvalidArgumentError("It is a number over 0 and up to 100.");
  return number;
}

function encodingName(text: string): string {
  if (!isEncoding(text)) throw new InvalidArgumentError("It is an encoding such as utf-8, latin1, windows-1252 or utf-16le.");
  return text;
}

function delimiterSign(text: string): string {
  if (text === "tab" || text === "\\t") return "\t";
  if (text.length !== 1 || /["\r\n]/.test(text)) throw new InvalidArgumentError("It is one sign, or tab.");
  return text;
}

const repeated = (text: string, before: readonly string[]): string[] => [...before, text];
