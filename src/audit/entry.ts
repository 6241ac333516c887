import { randomUUID } from "node:crypto";
import type { Keyring } from "../crypto/keyring.ts";
import type { Database, Transaction } from "../database/client.ts";
import { refusalState } from "../database/fault.ts";
import type { AuditEntry } from "../database/generated/client.ts";

/** What an entry tells. Names, ids of keys and counts; never a value of a customer. */
export type AuditFacts = Omit<AuditEntry, "id" | "mac">;

/** Where entries stand that belong to no bank: callers without a valid key, starts of the gateway. */
export const GATEWAY_PLACE = { bankId: "operator", mode: "LIVE" } as const;

/** Gives facts an id and the mac that tells later whether anything in them was changed. */
export function makeEntry(keyring: Keyring, facts: AuditFacts): AuditEntry {
  const entry = { ...facts, id: randomUUID() };
  return { ...entry, mac: keyring.hashes("audit", entryText(entry))[0]! };
}

/** Whether an entry is as the gateway made it. The mac is by whichever key was the newest then. */
export function isGenuine(keyring: Keyring, entry: AuditEntry): boolean {
  return isHashOf(keyring, entryText(entry), entry.mac);
}

/** What a link's hash is made of: the one before it, its place, and its entry. */
export function linkText(previous: Uint8Array, chain: string, seq: number, mac: Uint8Array): string {
  return JSON.stringify(["link", hex(previous), chain, seq, hex(mac)]);
}

/** Whether a stored hash is that of a text, by any key of the keyring. */
export function isHashOf(keyring: Keyring, text: string, hash: Uint8Array): boolean {
  return keyring.hashes("audit", text).some((candidate) => hex(candidate) === hex(hash));
}

/** Every column but the mac, in a fixed order. */
function entryText({
  id,
  bankId,
  mode,
  at,
  actor,
  audience,
  requestId,
  action,
  operation,
  outcome,
  documentHash,
  customers,
  count,
  fields,
  subjects,
}: Omit<AuditEntry, "mac">): string {
  return JSON.stringify([
    "entry",
    id,
    bankId,
    mode,
    at.getTime(),
    actor,
    audience,
    requestId,
    action,
    operation,
    outcome,
    documentHash,
    customers,
    count,
    fields,
    subjects,
  ]);
}

/**
 * Entries as they are stored, to be checked: a list may be null, whatever its type says. Prisma's own read takes NULL
 * for an empty list, so one that was emptied would look untouched.
 */
export async function storedEntries(db: Database | Transaction, ids: readonly string[]): Promise<AuditEntry[]> {
  return db.$queryRaw<AuditEntry[]>`
    SELECT id, bank_id AS "bankId", mode::text, at, actor, audience::text, request_id AS "requestId", action::text, operation, outcome,
      document_hash AS "documentHash", customers, count, fields, subjects, mac
    FROM audit_entry WHERE id = ANY(${ids}::uuid[]) ORDER BY at, id`;
}

/** Adds entries by one statement, however many. */
export async function insertEntries(tx: Database | Transaction, entries: readonly AuditEntry[]): Promise<void> {
  if (entries.length === 0) return;
  const rows = entries.map((entry) => ({ ...entry, mac: hex(entry.mac) }));
  await tx.$executeRaw`
    INSERT INTO audit_entry (id, bank_id, mode, at, actor, audience, request_id, action, operation, outcome, document_hash, customers, count, fields, subjects, mac)
    SELECT r.id, r."bankId", r.mode, r.at, r.actor, r.audience, r."requestId", r.action, r.operation, r.outcome, r."documentHash",
      r.customers, r.count, r.fields, r.subjects, decode(r.mac, 'hex')
    FROM jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) AS r(
      id uuid, "bankId" text, mode mode, at timestamptz, actor text, audience audience, "requestId" text, action audit_action, operation text,
      outcome text, "documentHash" text, customers int, count int, fields text[], subjects text[], mac text
    )`;
}

/** An entry that the database will not have, and its SQLSTATE for that. */
export interface RefusedEntry {
  readonly entry: AuditEntry;
  readonly state: string;
}

/**
 * Adds entries in the caller's transaction, and gives those that the database refuses as such: one of them keeps
 * no other out. Halves what is refused until the one is found, so a few among thousands cost few statements.
 * Rejects, with the transaction lost, for a fault of any other kind.
 */
export async function insertWritable(tx: Transaction, entries: readonly AuditEntry[]): Promise<RefusedEntry[]> {
  if (entries.length === 0) return [];
  await tx.$executeRaw`SAVEPOINT audit_entries`;
  try {
    await insertEntries(tx, entries);
    await tx.$executeRaw`RELEASE SAVEPOINT audit_entries`;
    return [];
  } catch (error) {
    const state = refusalState(error);
    if (state === null) throw error;
    await tx.$executeRaw`ROLLBACK TO SAVEPOINT audit_entries`;
    await tx.$executeRaw`RELEASE SAVEPOINT audit_entries`;
    if (entries.length === 1) return [{ entry: entries[0]!, state }];
    const middle = Math.ceil(entries.length / 2);
    return [...(await insertWritable(tx, entries.slice(0, middle))), ...(await insertWritable(tx, entries.slice(middle)))];
  }
}

/** A head as logs and START entries name it: `chain:seq:hash`. */
export function headText({ chain, seq, hash }: { chain: string; seq: number; hash: Uint8Array }): string {
  return `${chain}:${seq}:${hex(hash)}`;
}

export function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}
