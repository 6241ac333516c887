import { Command } from "commander";
import { createAudit } from "../audit/audit.ts";
import { type Config, readConfig } from "../config.ts";
import { createClient, type Database } from "../database/client.ts";
import type { ErasedCustomer } from "../database/generated/client.ts";
import { ensureSchema } from "../database/migrate.ts";
import { refuseOtherKeyring } from "../database/sealed-data.ts";
import { findDevelopmentKeyring } from "../keyring-file.ts";
import { eraseAgain } from "../modules/customer/customer.erase-again.ts";
import { StartupError } from "../startup-error.ts";
import { createLog } from "../telemetry/log.ts";
import { endingLine, readErasures } from "./erasures-file.ts";
import { openTarget } from "./export-target.ts";
import { refuseNoEmbedded, withConnection } from "./whole-database.ts";

/** How many tombstones are read, and looked for, at once. */
const AT_ONCE = 1000;

interface Options {
  readonly json?: boolean;
}

/**
 * `erasures`: a backup from before an erasure brings the person back, and has no record of the erasure. So the list of erasures is kept beside the
 * backups, and applied to what is restored.
 */
export function erasuresCommand(): Command {
  const save = new Command("save")
    .description("write who was erased to a file: ids, phrases, reasons; no personal value")
    .argument("<file>", "the file, which is there when it is whole; one of that name is replaced")
    .option("--json", "print what a script can read")
    .action(saveErasures);
  const apply = new Command("apply")
    .description("erase again, with the gateway's keyring, whoever of the file is in the database; safe to repeat")
    .argument("<file>", "a file that `save` wrote")
    .option("--json", "print what a script can read")
    .action(applyErasures);
  return new Command("erasures")
    .description("keep the list of erased customers, and apply it to a restored database; on DATABASE_URL, or else DATA_DIR")
    .addCommand(save)
    .addCommand(apply);
}

async function saveErasures(file: string, { json }: Options): Promise<void> {
  const target = openTarget(file);
  try {
    let erasures = 0;
    await withClient(readConfig(), async (db) => {
      for await (const page of pagesOf(db)) {
        erasures += page.length;
        await target.write(page.map((tombstone) => `${JSON.stringify(tombstone)}\n`).join(""));
      }
    });
    await target.write(endingLine(erasures));
    await target.finish();
    console.log(
      json
        ? JSON.stringify({ file, erasures })
        : `${erasures} erasures are in ${file}. Keep it as long as the backups, and apart from them.`,
    );
  } catch (error) {
    target.discard();
    throw error;
  }
}

async function* pagesOf(db: Database): AsyncGenerator<ErasedCustomer[]> {
  const order = [{ bankId: "asc" }, { mode: "asc" }, { id: "asc" }] as const;
  for (let last: ErasedCustomer | undefined; ;) {
    const after = last && { skip: 1, cursor: { bankId_mode_id: { bankId: last.bankId, mode: last.mode, id: last.id } } };
    const page = await db.erasedCustomer.findMany({ orderBy: [...order], take: AT_ONCE, ...after });
    yield page;
    if (page.length < AT_ONCE) return;
    last = page.at(-1);
  }
}

async function applyErasures(file: string, { json }: Options): Promise<void> {
  // To its end before the database is touched.
  let erasures = 0;
  for await (const _tombstone of readErasures(file)) erasures += 1;
  const config = readConfig();
  const keyring = config.keyring ?? findDevelopmentKeyring(config.dataDir) ?? refuseNoKeyring();
  let erased = 0;
  await withClient(config, async (db) => {
    await refuseOtherKeyring(db, keyring.ids);
    const audit = createAudit(db, keyring, createLog(config.logLevel));
    try {
      let some: ErasedCustomer[] = [];
      for await (const tombstone of readErasures(file)) {
        if (some.push(tombstone) < AT_ONCE) continue;
        erased += await eraseAgain({ db, keyring, audit }, some);
        some = [];
      }
      erased += await eraseAgain({ db, keyring, audit }, some);
    } finally {
      await audit.close();
    }
  });
  console.log(json ? JSON.stringify({ file, erasures, erased }) : `Of ${erasures} in ${file}, ${erased} were there and are erased.`);
}

/** Runs `use` on the database, whose tables must be this version's. */
async function withClient(config: Config, use: (db: Database) => Promise<void>): Promise<void> {
  if (config.databaseUrl === null) refuseNoEmbedded(config.dataDir);
  await withConnection(config, async (connection) => {
    await ensureSchema(connection, { autoMigrate: "never" });
    const db = createClient(connection);
    await use(db).finally(() => db.$disconnect());
  });
}

function refuseNoKeyring(): never {
  throw new StartupError({
    what: "nobody can be erased",
    cause: "GATEWAY_KEYRING is not set, and DATA_DIR has no keyring",
    fix: "set GATEWAY_KEYRING as the gateway has it, or bring its file `keyring` into DATA_DIR",
  });
}
