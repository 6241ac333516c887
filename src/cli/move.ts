import { Command } from "commander";
import { readConfig } from "../config.ts";
import { dump } from "../database/backup/dump.ts";
import { operatorDatabase } from "./migrate.ts";
import { fill } from "./restore.ts";
import { countOf, refuseNoEmbedded, stoppable, withDatabase } from "./whole-database.ts";

const NOTES = `
Stop the gateway first. The data directory stays as it is, with its keys: a gateway that is started with both DATABASE_URL
and DATA_DIR serves the same customers to the same keys. Production takes no keyring from DATA_DIR: put the content of its
file \`keyring\` into GATEWAY_KEYRING.

Exit codes:
  0  everything is there
  1  it was refused, and nothing was changed
  3  stopped before its end, by a signal, and nothing was changed`;

/** `move`: what is in the embedded database under DATA_DIR goes to DATABASE_URL, as a backup and a restore without a file between. */
export function moveCommand(): Command {
  return new Command("move")
    .description("copy everything from the embedded database under DATA_DIR to the empty PostgreSQL at DATABASE_URL")
    .option("--json", "print what a script can read")
    .addHelpText("after", NOTES)
    .action(({ json }: { json?: boolean }) => stoppable("move", (stop) => move(stop, json)));
}

async function move(stop: AbortSignal, json = false): Promise<void> {
  operatorDatabase();
  const config = readConfig();
  refuseNoEmbedded(config.dataDir);
  await withDatabase({ ...config, databaseUrl: null }, (from) =>
    fill(config, dump(from), stop, (rows) =>
      console.log(json ? JSON.stringify({ rows }) : `${countOf(rows)} are moved. ${config.dataDir} is as it was.`),
    ),
  );
}
