import { Command } from "commander";
import type pg from "pg";
import { type Config, readConfig } from "../config.ts";
import { checkBackup, readBackup } from "../database/backup/file.ts";
import type { Ending, Part } from "../database/backup/format.ts";
import { load, refuseOtherSchema } from "../database/backup/load.ts";
import { ensureSchema } from "../database/migrate.ts";
import { countSealedData } from "../database/sealed-data.ts";
import { findDevelopmentKeyring } from "../keyring-file.ts";
import { type Finding, problem, sealedFindings } from "./doctor-findings.ts";
import { countOf, stoppable, withDatabase } from "./whole-database.ts";

const NOTES = `
The file is checked from end to end before the database is touched. What goes wrong after that undoes all of it.

Exit codes:
  0  everything is there; a keyring that does not fit is told on standard error
  1  it was refused, and nothing was changed
  3  stopped before its end, by a signal, and nothing was changed`;

const ERASED =
  "\nWhoever was erased after this backup is back: before anybody uses it, run `customer-gateway erasures apply` with your latest list.";

/** `restore`: fills an empty DATABASE_URL, or else DATA_DIR; a database without tables is given them first. */
export function restoreCommand(): Command {
  return new Command("restore")
    .description("fill an empty database from a file that `backup` made with this version; DATABASE_URL, or else DATA_DIR")
    .argument("<file>", "the file")
    .option("--json", "print what a script can read")
    .addHelpText("after", NOTES)
    .action((file: string, { json }: { json?: boolean }) => stoppable("restore", (stop) => restore(file, stop, json)));
}

async function restore(file: string, stop: AbortSignal, json = false): Promise<void> {
  const config = readConfig();
  refuseOtherSchema(await checkBackup(file, stop));
  await fill(config, readBackup(file), stop, (rows) =>
    console.log(json ? JSON.stringify({ file, rows }) : `${countOf(rows)} are restored.${ERASED}`),
  );
}

/** Fills an empty database, which is given its tables if it has none; tells of the rows, and then of keys that are missing. */
export async function fill(
  config: Config,
  parts: AsyncIterable<Part>,
  stop: AbortSignal,
  tell: (rows: Ending["rows"]) => void,
): Promise<void> {
  await withDatabase(
    config,
    async (client) => {
      tell(await load(client, parts, stop));
      await sayKeyringFaults(client, config);
    },
    (connection) => ensureSchema(connection, { autoMigrate: "if-empty" }),
  );
}

/** Says on standard error, as `doctor` would, which keys are missing: the data is there, and is of no use without them. */
async function sayKeyringFaults(client: pg.ClientBase, { keyring: configured, dataDir }: Config): Promise<void> {
  const sealed = await countSealedData(client);
  const keyring = configured ?? findDevelopmentKeyring(dataDir);
  const none = problem("keyring", "there is none", "set GATEWAY_KEYRING as the gateway had it, or bring its file `keyring` into DATA_DIR");
  const isSealed = Object.values(sealed).some(({ size }) => size > 0);
  const findings: Finding[] = keyring ? sealedFindings(keyring, sealed) : isSealed ? [none] : [];
  for (const { check, status, says, fix } of findings) if (status === "problem") console.error(`${check}: ${says}. Fix: ${fix}.`);
}
