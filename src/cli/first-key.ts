import { OPERATOR } from "../access/bank-id.ts";
import { isValid } from "../access/authenticate.ts";
import { clientProblem } from "../access/client-name.ts";
import { issueKey } from "../access/issue-key.ts";
import { heldScopes, type Scope, scopesProblem } from "../access/scopes.ts";
import { createClient, type Database } from "../database/client.ts";
import type { Mode } from "../database/generated/enums.ts";
import { ensureSchema } from "../database/migrate.ts";
import { StartupError } from "../startup-error.ts";
import type { CreateKeyOptions } from "./keys.ts";
import { operatorDatabase } from "./migrate.ts";

/** With one of these, a key makes others. */
const MAKES_KEYS: Scope[] = ["keys:manage", "banks:manage"];

/**
 * Makes the first key of a database, on DATABASE_URL directly: there is no key to ask a gateway with. Once there is a
 * valid one that may make keys, only who holds it makes more; until then any number, so that a first key without
 * that right, or the loss of the last one with it, is no dead end. The same rules as the gateway's. Throws StartupError.
 */
export async function createFirstKey({
  bank,
  kind = "bank",
  merchant,
  mode,
  audience,
  scopes,
  client,
  expires,
}: CreateKeyOptions): Promise<{ id: string; key: string }> {
  const isOperator = scopes.includes("banks:manage");
  if (isOperator === (bank !== undefined)) {
    throw new StartupError({
      what: "no key was made",
      cause: isOperator
        ? "banks:manage is the operator's, who belongs to no bank"
        : "a key belongs to a bank, unless its scope is banks:manage",
      fix: isOperator ? "leave --bank out" : "name the bank with --bank",
    });
  }
  const tenant = bank === undefined ? OPERATOR : ({ id: bank, kind: kind === "bank" ? "BANK" : "PROVIDER", name: bank } as const);
  const ends = expires === undefined ? null : new Date(expires);
  const problems = {
    "--merchant": merchant === undefined ? null : "is made by a running gateway, with a key of whose merchant it is",
    "--scopes": scopesProblem({ audience, tenantKind: tenant.kind }, scopes),
    "--client": clientProblem(audience, client),
    "--expires": ends && ends <= new Date() ? "must be in the future" : null,
  };
  for (const [option, problem] of Object.entries(problems)) {
    if (problem) throw new StartupError({ what: "no key was made", cause: `${option} ${problem}`, fix: "ask for what a key may have" });
  }
  const connection = operatorDatabase();
  await ensureSchema(connection, { autoMigrate: "if-empty" });
  const db = createClient(connection);
  try {
    if (await isManaged(db)) {
      throw new StartupError({
        what: "no key was made",
        cause: "this database has a key that may make keys, and only who holds one makes more",
        fix: "give the address of the running gateway with --url, and with --key a key that holds keys:manage or banks:manage",
      });
    }
    return await issueKey(db, { tenant, mode: mode.toUpperCase() as Mode, audience, scopes, client, expiresAt: ends });
  } finally {
    await db.$disconnect();
  }
}

/** Whether anybody holds a valid key that makes keys; the demo's, which production does not accept, are left out. */
async function isManaged(db: Database): Promise<boolean> {
  const keys = await db.apiKey.findMany({ where: { demo: false, scopes: { hasSome: MAKES_KEYS } }, include: { tenant: true } });
  const now = new Date();
  return keys.some((key) => {
    const bearer = { audience: key.audience, tenantKind: key.tenant.kind };
    return isValid(key, now) && heldScopes(bearer, key.scopes).some((scope) => MAKES_KEYS.includes(scope));
  });
}
