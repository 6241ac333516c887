import { randomUUID } from "node:crypto";
import type { Keyring } from "../crypto/keyring.ts";
import type { Database, Transaction } from "../database/client.ts";
import type { AuditEntry, AuditLink } from "../database/generated/client.ts";
import { GATEWAY_PLACE, headText, hex, isGenuine, isHashOf, linkText } from "./entry.ts";

/** The end of a chain. Seq 0 and no hash: nothing is linked yet. */
export type Head = Pick<AuditLink, "chain" | "seq" | "hash">;

/** What linking needs of an entry. */
export type Linkable = Pick<AuditEntry, "id" | "mac">;

/** How many links one statement adds. */
const PER_STATEMENT = 2000;

/** A chain of this process alone: nobody else adds to it, so nobody waits for it. */
export function newChain(): Head {
  return { chain: randomUUID(), seq: 0, hash: new Uint8Array() };
}

/**
 * Adds entries to a chain, in the caller's transaction, and gives its new head, which counts once that has
 * committed. Rejects when somebody has linked one of the entries meanwhile.
 */
export async function linkEntries(tx: Transaction, keyring: Keyring, head: Head, entries: readonly Linkable[]): Promise<Head> {
  for (let start = 0; start < entries.length; start += PER_STATEMENT) {
    const rows = entries.slice(start, start + PER_STATEMENT).map(({ id, mac }) => {
      const seq = head.seq + 1;
      head = { ...head, seq, hash: keyring.hashes("audit", linkText(head.hash, head.chain, seq, mac))[0]! };
      return { seq, entry: id, hash: hex(head.hash) };
    });
    await tx.$executeRaw`
      INSERT INTO audit_link (chain, seq, entry_id, hash)
      SELECT ${head.chain}::uuid, r.seq, r.entry, decode(r.hash, 'hex')
      FROM jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) AS r(seq int, entry uuid, hash text)`;
  }
  return head;
}

/** Of entries, those that stand in no chain yet, in the same order. */
export async function unlinkedOf<Entry extends Linkable>(db: Database, entries: readonly Entry[]): Promise<Entry[]> {
  const links = await db.auditLink.findMany({ where: { entryId: { in: entries.map(({ id }) => id) } }, select: { entryId: true } });
  const linked = new Set(links.map(({ entryId }) => entryId));
  return entries.filter(({ id }) => !linked.has(id));
}

/** The head of a chain as the database has it: after a commit whose outcome was lost, only it knows. */
export async function storedHead(db: Database, chain: string): Promise<Head> {
  return (
    (await db.auditLink.findFirst({ where: { chain }, orderBy: { seq: "desc" }, select: { chain: true, seq: true, hash: true } })) ?? {
      chain,
      seq: 0,
      hash: new Uint8Array(),
    }
  );
}

/** How long before the newest linked entry an unlinked one may lie: longer than any transaction takes. */
const OVERLAP_MS = 60 * 60 * 1000;

/**
 * Entries of before a moment that no chain has, oldest first: those of a process that died before it linked
 * them. While any process ran, all older ones were linked, so only the newest stretch of the table is read.
 */
export async function findOrphans(db: Database, before: Date, take: number): Promise<Linkable[]> {
  const [newest] = await db.$queryRaw<{ at: Date }[]>`
    SELECT at FROM audit_entry WHERE EXISTS (SELECT FROM audit_link WHERE entry_id = audit_entry.id) ORDER BY at DESC LIMIT 1`;
  const from = new Date(newest ? newest.at.getTime() - OVERLAP_MS : 0);
  return db.$queryRaw<Linkable[]>`
    SELECT id, mac FROM audit_entry
    WHERE at >= ${from}::timestamptz AND at < ${before}::timestamptz AND NOT EXISTS (SELECT FROM audit_link WHERE entry_id = audit_entry.id)
    ORDER BY at, id LIMIT ${take}::int`;
}

/**
 * The heads of all other chains that no START entry names yet, as texts. Named once, a head vouches for its
 * whole chain, and the chain that names it is vouched for by the next one to start. Only a START that a gateway
 * wrote and linked counts: a forged one would keep a head from being named, and could be taken away afterwards.
 */
export async function unnamedHeads(db: Database, keyring: Keyring, own: string): Promise<string[]> {
  const heads = await db.$queryRaw<Head[]>`
    WITH RECURSIVE chains AS (
      (SELECT chain FROM audit_link ORDER BY chain LIMIT 1)
      UNION ALL
      SELECT (SELECT chain FROM audit_link WHERE chain > chains.chain ORDER BY chain LIMIT 1) FROM chains WHERE chains.chain IS NOT NULL
    )
    SELECT head.* FROM chains CROSS JOIN LATERAL (
      SELECT chain, seq, hash FROM audit_link WHERE chain = chains.chain ORDER BY seq DESC LIMIT 1
    ) AS head WHERE head.chain <> ${own}::uuid`;
  const named = new Set((await genuineStarts(db, keyring)).flatMap(({ subjects }) => subjects));
  return heads.map(headText).filter((head) => !named.has(head));
}

/** The START entries that are as a gateway made them, and the first link of their chain. */
async function genuineStarts(db: Database, keyring: Keyring): Promise<AuditEntry[]> {
  const starts = await db.auditEntry.findMany({ where: { ...GATEWAY_PLACE, action: "START" } });
  const links = await db.auditLink.findMany({ where: { entryId: { in: starts.map(({ id }) => id) } } });
  const linkOf = new Map(links.map((link) => [link.entryId, link]));
  return starts.filter((start) => {
    const link = linkOf.get(start.id);
    return link && isGenuine(keyring, start) && isHashOf(keyring, linkText(new Uint8Array(), link.chain, 1, start.mac), link.hash);
  });
}
