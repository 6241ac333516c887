import { existsSync } from "node:fs";
import { join } from "node:path";
import { Command } from "commander";
import { keysFault } from "../access/jwt.ts";
import { namedBanks } from "../access/jwt-issuers.ts";
import { type Config, readConfig } from "../config.ts";
import { readServerFacts, type ServerFacts } from "../database/server-facts.ts";
import { findDevelopmentKeyring } from "../keyring-file.ts";
import { StartupError } from "../startup-error.ts";
import { processFindings } from "./doctor-processes.ts";
import { replicaFindings } from "./doctor-replicas.ts";
import { type Finding, issuerFinding, ok, problem, problemOf, sealedFindings, serverFindings, warning } from "./doctor-findings.ts";
import { withEmbedded } from "./whole-database.ts";

/** `doctor`: looks at everything that a start would use and changes nothing. Ends with 1 when there is a problem. */
export function doctorCommand(): Command {
  return new Command("doctor")
    .description("check the settings, the database and the keys, and say what to mend; no secret is printed")
    .option("--json", "print what a script can read")
    .action(async ({ json }: { json?: boolean }) => {
      const findings = await examine();
      if (json) console.log(JSON.stringify(findings, null, 2));
      else
        for (const { check, status, says, fix } of findings)
          console.log(`${status.padEnd(8)} ${check}: ${says}.${fix ? ` Fix: ${fix}.` : ""}`);
      if (findings.some(({ status }) => status === "problem")) process.exitCode = 1;
    });
}

async function examine(): Promise<Finding[]> {
  const findings: Finding[] = [];
  /** What a step gives, or null after noting why it could not. */
  const attempt = async <Result>(check: string, step: () => Result | Promise<Result>): Promise<Result | null> => {
    try {
      return await step();
    } catch (error) {
      if (!(error instanceof StartupError)) throw error;
      findings.push(problemOf(check, error));
      return null;
    }
  };

  const config = await attempt("variables", () => readConfig());
  // Without the settings there is nothing to look at.
  if (!config) return findings;
  findings.push(ok("variables", `well-formed, for ${config.production ? "production" : "development"}`));

  const keyring = await attempt("keyring", () => config.keyring ?? findDevelopmentKeyring(config.dataDir));
  if (keyring) {
    const kept = keyring.hashIds.length - keyring.ids.length;
    const keys = `${keyring.ids.length} (${keyring.ids.join(", ")}), newest first`;
    findings.push(ok("keyring", `keys: ${keys}${kept > 0 ? `; kept for hashes alone: ${keyring.hashIds.slice(-kept).join(", ")}` : ""}`));
  } else if (!findings.some(({ check }) => check === "keyring")) {
    findings.push(ok("keyring", "none yet; the first start makes one in DATA_DIR"));
  }

  const faults = await Promise.all(config.jwtIssuers.map(keysFault));
  findings.push(...faults.map((fault, index) => issuerFinding(index + 1, fault)));

  const facts = await attempt(config.databaseUrl === null ? "data directory" : "database", () => factsOf(config, findings));
  if (facts) {
    findings.push(...serverFindings(config, facts), ...processFindings(config, facts), ...(await replicaFindings(config)));
    if (facts.sealed && keyring) findings.push(...sealedFindings(keyring, facts.sealed));
    else if (facts.sealed?.encrypted.size) {
      findings.push(
        problem("encrypted values", "there are some, and no keyring", "restore the file `keyring` of DATA_DIR, or set GATEWAY_KEYRING"),
      );
    }
  }
  findings.push(
    warning(
      "disk",
      "account numbers and the notes of blacklist entries are encrypted by the gateway; every other column is protected by the encryption of the database's disk and backups, which cannot be seen from here",
      "see that both are encrypted",
    ),
  );
  return findings;
}

/** The database's facts; null when there is nothing yet to look at. Throws StartupError. */
async function factsOf({ databaseUrl, dataDir, jwtIssuers }: Config, findings: Finding[]): Promise<ServerFacts | null> {
  const banks = namedBanks(jwtIssuers);
  if (databaseUrl !== null) {
    const facts = await readServerFacts({ connectionString: databaseUrl }, banks);
    findings.push(ok("database", "reachable"));
    return facts;
  }
  if (!existsSync(join(dataDir, "postgres"))) {
    findings.push(ok("data directory", `${dataDir} has no database yet; the first start makes it`));
    return null;
  }
  return withEmbedded(dataDir, async (connection) => {
    const facts = await readServerFacts(connection, banks);
    findings.push(ok("data directory", `${dataDir} is usable, and no gateway is running on it`));
    return facts;
  });
}
