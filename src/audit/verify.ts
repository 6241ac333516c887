import type { Keyring } from "../crypto/keyring.ts";
import type { Database, Transaction } from "../database/client.ts";
import type { AuditEntry, AuditLink } from "../database/generated/client.ts";
import { hex, isGenuine, isHashOf, linkText, storedEntries } from "./entry.ts";

/** What a check of the whole audit came to. */
export interface AuditReport {
  readonly chains: number;
  /** Entries that stand in a chain. */
  readonly entries: number;
  /** Genuine entries that no chain has yet: of the last second, or of a process that died and was not followed. */
  readonly unlinked: number;
  /** How many heads were asked for: those that START entries name, and those that were given. */
  readonly heads: number;
  /** What is wrong and where, one sentence each; the first 100. */
  readonly problems: readonly string[];
}

const PER_READ = 5000;
const HEADS_PER_READ = 500;
const MAX_PROBLEMS = 100;
const HEAD = /([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}):(\d{1,9}):([0-9a-f]{64,80})/g;

/** Every head that a text holds, in whatever form: a list, or the gateway's log as it is. */
export function headsIn(text: string): string[] {
  return [...text.matchAll(HEAD)].map(([head]) => head);
}

/**
 * Reads every link and entry and finds what was changed, removed, reordered or forged since a gateway with this
 * keyring wrote it. `heads` are those that somebody kept elsewhere: each must still be in its chain, so that a
 * chain whose end was cut off is found. May run while gateways write.
 */
export async function verifyAudit(db: Database | Transaction, keyring: Keyring, heads: readonly string[] = []): Promise<AuditReport> {
  const problems: string[] = [];
  const report = (problem: string) => void (problems.length < MAX_PROBLEMS && problems.push(problem));
  const { chains, entries, named } = await walkLinks(db, keyring, report);
  await checkHeads(db, named, "a later chain's START entry", report);
  await checkHeads(db, heads, "a head that was given", report);
  const unlinked = await walkUnlinked(db, keyring, report);
  return { chains, entries, unlinked, heads: named.length + heads.length, problems };
}

/** Every chain from its first link to its last, with each link's entry. */
async function walkLinks(db: Database | Transaction, keyring: Keyring, report: (problem: string) => void) {
  const named: string[] = [];
  let [chains, entries] = [0, 0];
  let last: AuditLink | undefined;
  for (;;) {
    const links: AuditLink[] = await db.auditLink.findMany({
      where: last && { OR: [{ chain: { gt: last.chain } }, { chain: last.chain, seq: { gt: last.seq } }] },
      orderBy: [{ chain: "asc" }, { seq: "asc" }],
      take: PER_READ,
    });
    const found = await storedEntries(
      db,
      links.map(({ entryId }) => entryId),
    );
    const byId = new Map(found.map((entry) => [entry.id, entry]));
    for (const link of links) {
      const previous = last?.chain === link.chain ? last : undefined;
      if (!previous) chains++;
      entries++;
      const entry = byId.get(link.entryId);
      checkLink(keyring, previous, link, entry, report);
      if (entry?.action === "START") named.push(...(entry.subjects ?? []));
      last = link;
    }
    if (links.length < PER_READ) return { chains, entries, named };
  }
}

function checkLink(
  keyring: Keyring,
  previous: AuditLink | undefined,
  link: AuditLink,
  entry: AuditEntry | undefined,
  report: (problem: string) => void,
): void {
  const { chain, seq } = link;
  const expected = (previous?.seq ?? 0) + 1;
  const place = `chain ${chain}, link ${seq}`;
  if (seq !== expected)
    report(`chain ${chain}: ${seq === expected + 1 ? `link ${expected} is` : `links ${expected} to ${seq - 1} are`} missing`);
  if (!entry) return report(`${place}: its entry ${link.entryId} is missing`);
  if (!isGenuine(keyring, entry)) report(`${place}: its ${describe(entry)} was changed or forged`);
  if (seq === 1 && entry.action !== "START") report(`${place}: a chain begins with a START entry, not with ${entry.action}`);
  // After a gap the link before it is gone, so this one cannot be recomputed; the gap has been reported.
  if (seq === expected && !isHashOf(keyring, linkText(previous?.hash ?? new Uint8Array(), chain, seq, entry.mac), link.hash)) {
    report(`${place}: it or the link before it was changed, moved or forged (${describe(entry)})`);
  }
}

const describe = ({ id, at }: AuditEntry) => `entry ${id} of ${at.toISOString()}`;

/** Each head must be a link of its chain still, with the same hash. */
async function checkHeads(
  db: Database | Transaction,
  heads: readonly string[],
  source: string,
  report: (problem: string) => void,
): Promise<void> {
  for (let start = 0; start < heads.length; start += HEADS_PER_READ) {
    const wanted = heads.slice(start, start + HEADS_PER_READ).map((head) => head.split(":") as [string, string, string]);
    const links = await db.auditLink.findMany({ where: { OR: wanted.map(([chain, seq]) => ({ chain, seq: Number(seq) })) } });
    const hashes = new Map(links.map(({ chain, seq, hash }) => [`${chain}:${seq}`, hex(hash)]));
    for (const [chain, seq, hash] of wanted) {
      const stored = hashes.get(`${chain}:${seq}`);
      if (stored === undefined) report(`chain ${chain}: its end was cut off before link ${seq}, which ${source} names`);
      else if (stored !== hash) report(`chain ${chain}, link ${seq}: it is not the one that ${source} names`);
    }
  }
}

/** Entries that stand in no chain: each must be one that the gateway made. */
async function walkUnlinked(db: Database | Transaction, keyring: Keyring, report: (problem: string) => void): Promise<number> {
  const ids = await db.$queryRaw<{ id: string }[]>`
    SELECT id FROM audit_entry WHERE NOT EXISTS (SELECT FROM audit_link WHERE entry_id = audit_entry.id) ORDER BY at, id`;
  let genuine = 0;
  for (let start = 0; start < ids.length; start += PER_READ) {
    const entries = await storedEntries(
      db,
      ids.slice(start, start + PER_READ).map(({ id }) => id),
    );
    for (const entry of entries) {
      if (isGenuine(keyring, entry)) genuine++;
      else report(`${describe(entry)}, in no chain, was changed or forged`);
    }
  }
  return genuine;
}
