import { readFileSync } from "node:fs";
import { Command } from "commander";
import { headsIn, verifyAudit } from "../audit/verify.ts";
import { readConfig } from "../config.ts";
import { createClient } from "../database/client.ts";
import { claimDataDir } from "../database/data-dir.ts";
import { hasEmbedded, openEmbedded } from "../database/embedded.ts";
import { ensureSchema } from "../database/migrate.ts";
import { findDevelopmentKeyring } from "../keyring-file.ts";
import { StartupError } from "../startup-error.ts";

interface VerifyOptions {
  readonly head: string[];
  readonly heads?: string;
  readonly json?: boolean;
}

/** A long table is read whole: one statement may take ten minutes. */
const STATEMENT_TIMEOUT_MS = 600_000;

/**
 * `audit verify`: on DATABASE_URL, beside running gateways; without it on DATA_DIR, which no gateway may hold. It makes
 * nothing where there is nothing: no tables, no database, no keyring.
 */
export function auditCommand(): Command {
  const verify = new Command("verify")
    .description(
      "find audit entries that were changed, removed, reordered or forged; on DATABASE_URL, or else DATA_DIR, with the gateway's keyring",
    )
    .option(
      "--head <chain:seq:hash>",
      "a head that the gateway logged: its chain must still reach it; repeatable",
      (head: string, heads: string[]) => [...heads, head],
      [],
    )
    .option("--heads <file>", "a file with such heads, e.g. the gateway's log as it is")
    .option("--json", "print what a script can read")
    .action(verifyCommand);
  return new Command("audit").description("check the audit").addCommand(verify);
}

async function verifyCommand({ head, heads, json }: VerifyOptions): Promise<void> {
  const { databaseUrl, dataDir, keyring: configured } = readConfig();
  const given = [...head.flatMap(readHead), ...(heads === undefined ? [] : readHeads(heads))];
  if (databaseUrl === null && !hasEmbedded(dataDir)) refuseNoAudit(`the data directory ${dataDir} has no database`);
  const keyring = configured ?? findDevelopmentKeyring(dataDir) ?? refuseNoKeyring(dataDir);
  const claim = databaseUrl === null ? claimDataDir(dataDir) : null;
  const embedded = claim && (await openEmbedded({ dataDir }));
  const connection = embedded?.connection ?? { connectionString: databaseUrl! };
  const db = createClient(connection, { statementTimeoutMs: STATEMENT_TIMEOUT_MS });
  try {
    await ensureSchema(connection, { autoMigrate: "never" });
    const report = await verifyAudit(db, keyring, [...new Set(given)]);
    if (report.chains + report.unlinked + report.problems.length === 0) refuseNoAudit("no gateway has written to this database");
    const { chains, entries, unlinked, heads: asked, problems } = report;
    if (problems.length > 0) process.exitCode = 1;
    if (json) return console.log(JSON.stringify(report));
    const counts = `${count(entries, "entry", "entries")} in ${count(chains, "chain")}, ${count(asked, "head")} checked, ${unlinked} not yet linked`;
    if (problems.length === 0) return console.log(`The audit is whole: ${counts}.`);
    console.error(
      [`The audit was tampered with, or another keyring made it (${counts}):`, ...problems.map((problem) => `- ${problem}`)].join("\n"),
    );
  } finally {
    await db.$disconnect();
    await embedded?.close();
    claim?.release();
  }
}

function readHead(text: string): string[] {
  const found = headsIn(text);
  if (found.length === 0)
    refuse("--head is none", "it is not chain:seq:hash", "copy it from the gateway's log, where it is called auditHead");
  return found;
}

function readHeads(file: string): string[] {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    return refuse(`the file ${file} cannot be read`, (error as NodeJS.ErrnoException).code ?? "unknown", "name a file that can be read");
  }
  const found = headsIn(text);
  if (found.length === 0)
    refuse(
      `the file ${file} holds no head`,
      "nothing in it is chain:seq:hash",
      "give the gateway's log; it logs heads from LOG_LEVEL=info on",
    );
  return found;
}

function refuseNoAudit(cause: string): never {
  return refuse("there is no audit here", cause, "check DATABASE_URL, or DATA_DIR");
}

function refuseNoKeyring(dataDir: string): never {
  return refuse(
    "there is no keyring to check with",
    `GATEWAY_KEYRING is not set, and ${dataDir} has none`,
    "set GATEWAY_KEYRING, or DATA_DIR, as the gateway has it",
  );
}

function refuse(what: string, cause: string, fix: string): never {
  throw new StartupError({ what, cause, fix });
}

const count = (number: number, one: string, many = `${one}s`) => `${number} ${number === 1 ? one : many}`;
