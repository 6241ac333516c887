import { Command } from "commander";
import { readConfig } from "../config.ts";
import { dump } from "../database/backup/dump.ts";
import { writeBackup } from "../database/backup/file.ts";
import type { Part } from "../database/backup/format.ts";
import { countOf, refuseNoEmbedded, stoppable, withDatabase } from "./whole-database.ts";

const NOTES = `
The keyring is not in it: keep it elsewhere, for without it encrypted values stay unreadable. docs/backup.md says more.

Exit codes:
  0  the file is whole
  1  it was refused, or could not be written
  3  stopped before its end, by a signal`;

/** `backup`: all rows of DATABASE_URL, beside running gateways; without it of DATA_DIR, which no gateway may hold. */
export function backupCommand(): Command {
  return new Command("backup")
    .description("write everything in the database to a file; on DATABASE_URL, or else DATA_DIR")
    .argument("<file>", "the file, which is there when it is whole; one of that name is replaced")
    .option("--json", "print what a script can read")
    .addHelpText("after", NOTES)
    .action((file: string, { json }: { json?: boolean }) => stoppable("backup", (stop) => backUp(file, stop, json)));
}

async function backUp(file: string, stop: AbortSignal, json = false): Promise<void> {
  const config = readConfig();
  if (config.databaseUrl === null) refuseNoEmbedded(config.dataDir);
  let rows: Readonly<Record<string, number>> = {};
  await withDatabase(config, (client) => writeBackup(file, counted(dump(client)), stop));
  console.log(json ? JSON.stringify({ file, rows }) : `${countOf(rows)} are in ${file}. The keyring is not: keep it elsewhere.`);

  /** The same parts; what they end with is kept. */
  async function* counted(parts: AsyncIterable<Part>) {
    for await (const part of parts) {
      if ("ending" in part) ({ rows } = part.ending);
      yield part;
    }
  }
}
