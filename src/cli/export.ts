import { Command, InvalidArgumentError, Option } from "commander";
import { CUSTOMER_FIELD_NAMES, type CustomerFieldName } from "../access/visibility.ts";
import { StartupError } from "../startup-error.ts";
import { type ExportFormat, exportHeader, exportRows } from "./export-format.ts";
import { exportPages } from "./export-pages.ts";
import { openTarget } from "./export-target.ts";
import { type GatewayAddress, LOCAL_GATEWAY, withGateway } from "./gateway-client.ts";
import { GaveUp, Interrupted, PatientGateway } from "./gateway-retry.ts";
import { stopOnSignal } from "./stop-signal.ts";
import { wholeNumber } from "./whole-number.ts";

interface ExportOptions extends GatewayAddress {
  format: ExportFormat;
  out?: string;
  fields: readonly CustomerFieldName[];
  country?: string[];
  gender?: string[];
  search?: string;
  blacklisted?: "true" | "false";
  createdFrom?: string;
  createdTo?: string;
  updatedFrom?: string;
  updatedTo?: string;
  retryFor: number;
  json?: boolean;
}

/** Of objects and lists no column can be made. */
const EXPORT_FIELDS = CUSTOMER_FIELD_NAMES.filter((name) => !["blacklist", "consent", "history", "devices"].includes(name));

const NOTES = `
Exit codes:
  0  the export is whole
  1  it was refused, or could not be written
  3  stopped before its end, by a signal or because the gateway did not answer`;

/** `export`: what the key may see of its bank's customers, as CSV or NDJSON. */
export function exportCommand(): Command {
  return withGateway(new Command("export"))
    .description("export the customers that the key may see, newest first")
    .addOption(new Option("--format <format>", "the form").choices(["csv", "ndjson"]).default("csv"))
    .option("--out <file>", "the file, which is there when it is whole; default: standard output")
    .option("--fields <list>", `which fields, separated by commas: ${EXPORT_FIELDS.join(", ")}`, fieldList, EXPORT_FIELDS)
    .option("--country <code...>", "only these countries, ISO 3166-1 alpha-2")
    .addOption(new Option("--gender <gender...>", "only these").choices(["MALE", "FEMALE", "OTHER"]))
    .option("--search <words>", "only names that have these words")
    .addOption(new Option("--blacklisted <yes>", "only those on the blacklist, or not on it").choices(["true", "false"]))
    .option("--created-from <time>", "only those registered at this time or later, e.g. 2026-01-31T00:00:00Z")
    .option("--created-to <time>", "only those registered before this time")
    .option("--updated-from <time>", "only those last written at this time or later")
    .option("--updated-to <time>", "only those last written before this time")
    .option("--retry-for <seconds>", "how long a request is tried again", wholeNumber(0, 86_400), 300)
    .addHelpText("after", NOTES)
    .action(async (options: ExportOptions) => {
      try {
        await exportCustomers(options, stopOnSignal());
      } catch (error) {
        if (error instanceof Interrupted) console.error("The export was stopped before its end.");
        else if (error instanceof StartupError) console.error(error.message);
        else throw error;
        process.exitCode = error instanceof StartupError && !(error instanceof GaveUp) ? 1 : 3;
      }
    });
}

/** Exports, and says on standard error what was withheld. */
async function exportCustomers(options: ExportOptions, stop: AbortSignal): Promise<void> {
  const { url = LOCAL_GATEWAY, key, format, out, json, retryFor } = options;
  const gateway = new PatientGateway(
    { url, key },
    { retryForMs: retryFor * 1000, stop, onRetry: (cause) => console.error(`The gateway: ${cause}. Trying again.`) },
  );
  let fields: CustomerFieldName[] | undefined;
  let withheld: Record<string, string> = {};
  let rows = 0;
  const target = openTarget(out);
  try {
    for await (const page of exportPages(gateway, options.fields, filterOf(options))) {
      if (fields === undefined) {
        fields = options.fields.filter((name) => !page.withheld.has(name));
        withheld = Object.fromEntries(page.withheld);
        if (fields.length === 0) {
          throw new StartupError({
            what: "there is nothing to export",
            cause: `the key may see none of these fields: ${[...page.withheld].map(([name, requires]) => `${name} (${requires})`).join(", ")}`,
            fix: "name others with --fields, or give a key that may see them",
          });
        }
        await target.write(exportHeader(format, fields));
      }
      await target.write(exportRows(format, fields, page.rows));
      rows += page.rows.length;
    }
    await target.finish();
  } catch (error) {
    target.discard();
    throw error;
  }
  const names = Object.entries(withheld).map(([name, requires]) => `${name} (${requires})`);
  if (names.length > 0) console.error(`Left out, since the key may not see them: ${names.join(", ")}.`);
  const summary = json ? JSON.stringify({ rows, fields, withheld, file: out ?? null }) : `${rows} customers exported.`;
  // Standard output is the export's own when there is no file.
  if (out === undefined) console.error(summary);
  else console.log(summary);
}

function filterOf(options: ExportOptions): object {
  const { country, gender, search, blacklisted, createdFrom, createdTo, updatedFrom, updatedTo } = options;
  const range = (from?: string, to?: string) => (from === undefined && to === undefined ? undefined : { from, to });
  return {
    countries: country?.map((code) => code.toUpperCase()),
    genders: gender,
    search,
    blacklisted: blacklisted && blacklisted === "true",
    createdAt: range(createdFrom, createdTo),
    updatedAt: range(updatedFrom, updatedTo),
  };
}

function fieldList(text: string): CustomerFieldName[] {
  const names = text.split(",").map((name) => name.trim());
  const unknown = names.filter((name) => !EXPORT_FIELDS.some((field) => field === name));
  if (unknown.length > 0) throw new InvalidArgumentError(`There is no field ${unknown.join(", ")} to export.`);
  return [...new Set(names)] as CustomerFieldName[];
}
