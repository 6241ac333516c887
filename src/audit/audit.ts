import type { Logger } from "pino";
import type { Keyring } from "../crypto/keyring.ts";
import { type Database, transaction } from "../database/client.ts";
import type { AuditEntry } from "../database/generated/client.ts";
import type { Job } from "../jobs/schedule.ts";
import { AuditBuffer, type Noted } from "./buffer.ts";
import { findOrphans, type Linkable, linkEntries, newChain, storedHead, unlinkedOf, unnamedHeads } from "./chain.ts";
import { GATEWAY_PLACE, headText, insertEntries, insertWritable, makeEntry, type RefusedEntry } from "./entry.ts";

/** The audit of one process. */
export interface Audit {
  /** Notes what needs no transaction: a read, a refusal. It is written within a second; see docs/audit.md. */
  note(noted: Noted): void;
  /** Says that an entry has been committed with what it tells of, and waits to be linked. */
  committed(entry: AuditEntry): void;
  /** Writing and linking; adopting what a dead process left; logging the head. */
  readonly jobs: readonly Job[];
  /** Writes and links what is left, and logs the head. Logs its failure instead of rejecting. */
  close(): Promise<void>;
}

const EVERY_MS = 1000;
const HEAD_EVERY_MS = 60_000;

/** After how long an unlinked entry is taken to be a dead process's. A transaction takes 15 seconds at most. */
const ORPHAN_AFTER_MS = 20_000;
const ORPHANS_PER_TURN = 5000;

/** Opens a chain of this process; its first link names the heads of all others. */
export function createAudit(db: Database, keyring: Keyring, log: Logger): Audit {
  const buffer = new AuditBuffer();
  let pending: Linkable[] = [];
  let head = newChain();
  let failed = false;
  let turn = Promise.resolve();

  /** Writes what was noted and links it with what has been committed, in one transaction. */
  async function seal(adopted: readonly Linkable[] = []): Promise<void> {
    if (failed) {
      // Whether the last commit went through is not known, nor whether somebody has adopted what it held.
      head = await storedHead(db, head.chain);
      pending = await unlinkedOf(db, pending);
      failed = false;
    }
    const { facts, restore } = buffer.take();
    const committed = pending;
    pending = [];
    try {
      const start = head.seq === 0 ? [await startEntry()] : [];
      const noted = facts.map((one) => makeEntry(keyring, one));
      const linked = [...start, ...adopted.filter(({ id }) => !committed.some((own) => own.id === id)), ...committed];
      if (linked.length + noted.length === 0) return;
      let refused: RefusedEntry[] = [];
      head = await transaction(db, async (tx) => {
        await insertEntries(tx, start);
        refused = await insertWritable(tx, noted);
        const without = new Set(refused.map(({ entry }) => entry));
        return linkEntries(tx, keyring, head, [...linked, ...noted.filter((entry) => !without.has(entry))]);
      });
      refused.forEach(logRefused);
    } catch (error) {
      failed = true;
      restore();
      pending = [...committed, ...pending];
      throw error;
    }
  }

  async function startEntry(): Promise<AuditEntry> {
    const subjects = await unnamedHeads(db, keyring, head.chain);
    const nobody = { actor: null, audience: null, requestId: null, operation: null, documentHash: null };
    return makeEntry(keyring, {
      ...GATEWAY_PLACE,
      ...nobody,
      at: new Date(),
      action: "START",
      outcome: "OK",
      customers: 0,
      count: 1,
      fields: [],
      subjects,
    });
  }

  /** One after the other: two at once would both add to the same head. */
  function next(run: () => Promise<void>): Promise<void> {
    const result = turn.then(run);
    turn = result.catch(() => {});
    return result;
  }

  /** What the database will not have is told here alone. Of the values, names and ids only: one of them is what was refused. */
  function logRefused({ entry: { action, operation, actor, requestId, count }, state }: RefusedEntry): void {
    log.error({ action, operation, actor, requestId, count, state }, "the database refuses an audit entry, which is lost");
  }

  const adopt = () => next(async () => seal(await findOrphans(db, new Date(Date.now() - ORPHAN_AFTER_MS), ORPHANS_PER_TURN)));
  const logHead = () => log.info({ auditHead: headText(head) }, "audit head");

  return {
    note: (noted) => buffer.note(noted),
    committed: ({ id, mac }) => void pending.push({ id, mac }),
    jobs: [
      { name: "write-audit", everyMs: EVERY_MS, run: () => next(() => seal()) },
      { name: "adopt-audit-entries", everyMs: ORPHAN_AFTER_MS / 2, run: adopt },
      { name: "log-audit-head", everyMs: HEAD_EVERY_MS, run: () => next(async () => logHead()) },
    ],
    async close() {
      try {
        await next(() => seal());
        logHead();
      } catch (error) {
        log.error({ entries: pending.length, code: (error as { code?: unknown }).code }, "the audit could not be written on closing");
      }
    },
  };
}
