import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseApiKey } from "../access/api-key.ts";
import { OPERATOR } from "../access/bank-id.ts";
import { issueKey, type NewKey } from "../access/issue-key.ts";
import { scopesOf } from "../access/scopes.ts";
import { ownWork, write } from "../changes/write.ts";
import type { Services } from "../context.ts";
import type { Database } from "../database/client.ts";
import { registerDocuments } from "../documents/register.ts";
import { STANDARD_REST_DOCUMENTS } from "../http/rest/rest-documents.ts";
import { customerBatch } from "../modules/customer/customer.batch.ts";
import { setBlacklist } from "../modules/customer/customer.blacklist.ts";
import { linkDevice } from "../modules/customer/customer.device.write.ts";
import { StartupError } from "../startup-error.ts";
import { DEMO_DOCUMENTS } from "./demo-documents.ts";

/** The demo's keys, one for each audience and the operator's. */
export interface DemoKeys {
  readonly app: string;
  readonly internal: string;
  readonly partner: string;
  readonly operator: string;
}

export const DEMO_CUSTOMERS = 300;
const BANK = { id: "demo-bank", kind: "BANK", name: "Demo Bank" } as const;
const IN_SANDBOX = { mode: "SANDBOX" } as const;

const KEYS: Record<keyof DemoKeys, NewKey> = {
  app: { tenant: BANK, ...IN_SANDBOX, audience: "APP", scopes: ["customers:read:extended", "customers:write"], client: "demo-app" },
  internal: {
    tenant: BANK,
    ...IN_SANDBOX,
    audience: "INTERNAL",
    scopes: scopesOf("BANK"),
    client: "demo-staff",
  },
  partner: { tenant: BANK, ...IN_SANDBOX, audience: "PARTNER", scopes: ["customers:read"], client: "demo-partner" },
  operator: { tenant: OPERATOR, ...IN_SANDBOX, audience: "INTERNAL", scopes: ["banks:manage"] },
};

const NAMES = Object.keys(KEYS) as (keyof DemoKeys)[];

/**
 * The demo's keys as an earlier start wrote them. Null: there is no file yet, or its keys are those of a database that
 * is no longer there. Throws StartupError when the file is damaged.
 */
export async function findDemoKeys(db: Database, dataDir: string): Promise<DemoKeys | null> {
  const path = keysPath(dataDir);
  if (!existsSync(path)) return null;
  const keys = readDemoKeys(path);
  const ids = NAMES.map((name) => parseApiKey(keys[name])!.id);
  return (await db.apiKey.count({ where: { id: { in: ids } } })) > 0 ? keys : null;
}

const keysPath = (dataDir: string) => join(dataDir, "dev-keys.json");

function readDemoKeys(path: string): DemoKeys {
  let cause = `it does not hold a key for each of ${NAMES.join(", ")}`;
  try {
    const keys = JSON.parse(readFileSync(path, "utf8")) as DemoKeys;
    if (NAMES.every((name) => parseApiKey(keys[name]))) return keys;
  } catch (error) {
    // What JSON.parse says quotes the text, which may be a key's.
    cause = (error as NodeJS.ErrnoException).code ?? cause;
  }
  throw new StartupError({
    what: `the demo's keys in ${path} cannot be read`,
    cause,
    fix: "restore the file, or remove it: the next start then makes new keys and leaves the customers as they are",
  });
}

/**
 * Makes the demo bank in an empty embedded database: customers in sandbox mode, one key for each audience,
 * and the partner's documents. The keys are in the answer and in `dev-keys.json` (mode 0600). A start that
 * was cut off midway left no file, so the next one finishes: customers that are there stay, new keys are made.
 */
export async function seedDemoBank(services: Services, dataDir: string): Promise<DemoKeys> {
  const { db } = services;
  const issued = {} as Record<keyof DemoKeys, string>;
  for (const name of NAMES) {
    const { key, clientId } = await issueKey(db, { ...KEYS[name], demo: true });
    issued[name] = key;
    if (name === "partner") await registerDocuments(db, clientId!, [...DEMO_DOCUMENTS, ...STANDARD_REST_DOCUMENTS]);
  }
  await seedCustomers(services);
  // Whole or not at all: the next start takes the file for the sign that this one finished.
  const draft = `${keysPath(dataDir)}.new`;
  writeFileSync(draft, `${JSON.stringify(issued, null, 2)}\n`, { mode: 0o600 });
  renameSync(draft, keysPath(dataDir));
  return issued;
}

/** The id of the demo's second customer, or null when it is there no more. */
export async function findDemoCustomerId(db: Database): Promise<string | null> {
  const where = { bankId: BANK.id, ...IN_SANDBOX, clientRef: "demo-0002" };
  const customer = await db.customer.findUnique({ where: { bankId_mode_clientRef: where }, select: { id: true } });
  return customer?.id ?? null;
}

/** Through the batch's own rules and columns, so that what the demo shows is what a client would have made. */
async function seedCustomers(services: Services): Promise<void> {
  const { keyring } = services;
  const origin = ownWork({ tenantId: BANK.id, ...IN_SANDBOX }, "seed-demo-bank");
  const { actor } = origin;
  const kind = customerBatch(keyring);
  // Loaded here only: the names of many countries take 26 MB, of which a gateway on PostgreSQL would never need one.
  const { demoCustomers } = await import("./demo-customers.ts");
  const rows = demoCustomers(DEMO_CUSTOMERS).map((row) => {
    const check = kind.check(row, new Date());
    if (!("values" in check)) throw new Error(`a demo customer is invalid: ${JSON.stringify(check.issues)}`);
    return check.values;
  });
  await write(services, origin, async (tx) => {
    const now = new Date();
    const outcomes = await kind.write(tx, actor, now, rows, false);
    for (const [index, outcome] of outcomes.entries()) {
      if (!("id" in outcome)) continue;
      const { id } = outcome;
      const number = String(index + 1).padStart(4, "0");
      if (index % 10 === 3) await linkDevice(tx, keyring, actor, { id, deviceId: `demo-device-${number}` }, now);
      if (index % 50 !== 49) continue;
      await setBlacklist(tx, keyring, actor, { id, blacklisted: true, reason: "COMPLIANCE", note: "Demonstration entry" }, now);
    }
  });
}
