import type { Config } from "../config.ts";
import type { Keyring } from "../crypto/keyring.ts";
import { isBehindPgBouncer } from "../database/client.ts";
import type { CountByKey, SealedData } from "../database/sealed-data.ts";
import type { ServerFacts } from "../database/server-facts.ts";
import { StartupError } from "../startup-error.ts";

/** What a check found. `fix` is an order, and stands with everything that is not `ok`. */
export interface Finding {
  readonly check: string;
  readonly status: "ok" | "warning" | "problem";
  readonly says: string;
  readonly fix?: string;
}

export const ok = (check: string, says: string): Finding => ({ check, status: "ok", says });
export const warning = (check: string, says: string, fix: string): Finding => ({ check, status: "warning", says, fix });
export const problem = (check: string, says: string, fix: string): Finding => ({ check, status: "problem", says, fix });

/** What would end a start, as a finding. */
export const problemOf = (check: string, error: StartupError): Finding => ({
  check,
  status: "problem",
  says: error.message.slice(0, error.message.lastIndexOf(". Fix: ")),
  fix: error.fix,
});

/** What the database's facts mean under a configuration. */
export function serverFindings(config: Config, facts: ServerFacts): Finding[] {
  return [
    facts.majorVersion >= 15
      ? ok("server version", `PostgreSQL ${facts.version}`)
      : problem("server version", `PostgreSQL ${facts.version} is too old`, "move to version 15 or later"),
    schemaFinding(facts),
    extensionFinding(facts),
    transportFinding(config, facts),
    ...timeoutFinding(config, facts),
    rowLevelFinding(config, facts),
    ...triggerFinding(facts),
    ...bankFinding(config, facts),
  ];
}

function schemaFinding({ schema }: ServerFacts): Finding {
  if (schema instanceof StartupError) return problemOf("schema", schema);
  const findings: Record<typeof schema, Finding> = {
    current: ok("schema", "the tables are this version's"),
    empty: warning("schema", "there are no tables yet", "start the gateway, which makes them"),
    older: problem("schema", "the tables are an older version's", "take a backup and run `npm run migrate`"),
    newer: problem("schema", "the tables are a newer version's", "start the version that matches, or upgrade this one"),
    foreign: problem("schema", "the tables are not the gateway's", "point DATABASE_URL at an empty database"),
  };
  return findings[schema];
}

function extensionFinding({ schema, missingExtensions }: ServerFacts): Finding {
  const check = "extensions";
  if (missingExtensions.length === 0)
    return ok(check, schema === "empty" ? "pg_trgm and btree_gin can be had" : "pg_trgm and btree_gin are there");
  const names = missingExtensions.join(", ");
  return schema === "empty"
    ? problem(check, `the server does not have ${names}`, "install PostgreSQL's contrib package on the server")
    : problem(check, `not installed: ${names}`, missingExtensions.map((name) => `CREATE EXTENSION ${name}`).join("; "));
}

function transportFinding({ databaseUrl, production }: Config, { tls, isLocal }: ServerFacts): Finding {
  const check = "connection";
  if (databaseUrl === null) return ok(check, "within this process");
  const mode = new URL(databaseUrl).searchParams.get("sslmode");
  const fix = "set sslmode=verify-full in DATABASE_URL, and TLS up on the server";
  if (tls && mode === "no-verify")
    return warning(check, `${tls}, but the server's certificate is not checked`, "set sslmode=verify-full in DATABASE_URL");
  if (tls) return ok(check, `encrypted by ${tls}, as far as the next server: a pooler's own connections are its affair`);
  if (isLocal) return ok(check, "not encrypted, and it does not leave this machine");
  return production ? problem(check, "not encrypted", fix) : warning(check, "not encrypted", fix);
}

/** Behind PgBouncer a time limit cannot come with the connection. */
function timeoutFinding({ databaseUrl }: Config, { statementTimeoutMs }: ServerFacts): Finding[] {
  if (!isBehindPgBouncer(databaseUrl ?? undefined)) return [];
  const check = "time limits";
  if (statementTimeoutMs > 0) return [ok(check, `statements end after ${statementTimeoutMs} ms`)];
  const fix =
    "ALTER ROLE … SET statement_timeout = '10s', and SET idle_in_transaction_session_timeout = '30s', of the user of DATABASE_URL";
  return [warning(check, "behind PgBouncer, and this user's statements may run for ever", fix)];
}

function rowLevelFinding({ rowLevelSecurity, production }: Config, { schema, mayTakeRole, guards }: ServerFacts): Finding {
  const check = "row-level security";
  if (!rowLevelSecurity) {
    return production
      ? problem(check, "off", "unset ROW_LEVEL_SECURITY, or set it to on")
      : ok(check, "off, as is the default outside production");
  }
  if (schema === "empty") return ok(check, "on; its role and policies come with the tables");
  if (!mayTakeRole)
    return problem(check, "on, and this user may not take its role", "GRANT customer_gateway_tenant TO the user of DATABASE_URL");
  if (guards && guards.unprotectedTables.length > 0) {
    return problem(check, `switched off on ${guards.unprotectedTables.join(", ")}`, "ALTER TABLE … ENABLE ROW LEVEL SECURITY on each");
  }
  if (guards && guards.changedPolicies.length > 0) {
    const says = `on, and policies are not the migrations' on ${guards.changedPolicies.join(", ")}`;
    return problem(check, says, "find out who changed them, and make them again as in prisma/migrations");
  }
  if (guards && guards.strangeFunctions.length > 0) {
    const says = `on, and functions that run as another user are not the migrations': ${guards.strangeFunctions.join(", ")}`;
    return problem(check, says, "find out who made them, drop them, or make them again as in prisma/migrations");
  }
  return ok(check, "on");
}

/** The audit's tables are guarded for their owner too. */
function triggerFinding({ guards }: ServerFacts): Finding[] {
  if (!guards) return [];
  const check = "audit triggers";
  if (guards.missingTriggers.length === 0) return [ok(check, "the audit only grows")];
  const says = `only_grows is missing, switched off or changed on ${guards.missingTriggers.join(", ")}`;
  return [problem(check, says, "run `audit verify`, find out who did it, and make the trigger again as in the migration `audit`")];
}

function bankFinding({ jwtIssuers }: Config, { guards, unknownBanks }: ServerFacts): Finding[] {
  if (jwtIssuers.length === 0 || !guards) return [];
  const check = "banks of JWT_ISSUERS";
  if (unknownBanks.length === 0) return [ok(check, "there")];
  return [problem(check, `there is no ${unknownBanks.join(", ")}`, "set JWT_ISSUERS right, or make the bank by its first key")];
}

/** Whether the keys of the issuer of one entry, counted from 1, can be had; `fault` says why not. */
export function issuerFinding(entry: number, fault: string | null): Finding {
  const check = `issuer ${entry}`;
  if (fault === null) return ok(check, "its keys can be had");
  return problem(check, `its keys cannot be had: ${fault}`, "set its jwks in JWT_ISSUERS right, and let this machine reach it");
}

/** Which keys the data needs: ids and numbers only. */
export function sealedFindings(keyring: Keyring, { encrypted, hashed, audited }: SealedData): Finding[] {
  const { ids } = keyring;
  const older = ids.slice(1);
  const lost = [...encrypted.keys()].filter((id) => !ids.includes(id));
  const needed = older.filter((id) => encrypted.has(id));
  const values =
    lost.length > 0
      ? problem(
          "encrypted values",
          `${listed(encrypted)}: the keyring does not have ${lost.join(", ")}`,
          "put the missing key at the end of GATEWAY_KEYRING",
        )
      : needed.length > 0
        ? warning(
            "encrypted values",
            listed(encrypted),
            `keep ${needed.join(", ")} until nothing stands under it: a running gateway seals it anew by ${ids[0]}`,
          )
        : ok("encrypted values", `${listed(encrypted)}${older.length > 0 ? `; nothing stands under ${older.join(", ")}` : ""}`);
  return [
    values,
    hashFinding("blacklist hashes", keyring, hashed, "these identities are not recognised"),
    hashFinding("audit entries", keyring, audited, "`audit verify` takes these entries for changed"),
  ];
}

/** Of hashes that cannot be made anew: their keys are kept. */
function hashFinding(check: string, { ids, hashIds }: Keyring, counts: CountByKey, loss: string): Finding {
  const found = [...counts.keys()];
  const lost = found.filter((id) => !hashIds.includes(id));
  const older = found.filter((id) => id !== ids[0]);
  if (lost.length > 0) {
    return problem(
      check,
      `${listed(counts)}: the keyring does not have ${lost.join(", ")}, so ${loss}`,
      "put the missing key back as `kept:<key>`",
    );
  }
  if (older.every((id) => !ids.includes(id))) return ok(check, listed(counts));
  return warning(
    check,
    listed(counts),
    `never drop ${older.join(", ")} while hashes stand under it; turn it into \`kept:<key>\` when it is to open nothing more`,
  );
}

function listed(counts: CountByKey): string {
  return [...counts].map(([id, count]) => `${count} under ${id}`).join(", ") || "none yet";
}
