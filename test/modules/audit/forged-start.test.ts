import { afterAll, expect, test } from "vitest";
import { buildApp } from "../../../src/app.ts";
import { GATEWAY_PLACE, headText, insertEntries, isGenuine, makeEntry } from "../../../src/audit/entry.ts";
import { verifyAudit } from "../../../src/audit/verify.ts";
import { Keyring } from "../../../src/crypto/keyring.ts";
import type { Database } from "../../../src/database/client.ts";
import { TEST_KEYRING } from "../../support/config.ts";
import { freshDatabase } from "../../support/gateway.ts";
import { flush } from "./support.ts";

const { config, remove } = await freshDatabase();
afterAll(remove);

/** Runs a gateway for as long as `work` takes. */
async function running<Result>(work: (db: Database) => Promise<Result>): Promise<Result> {
  const app = await buildApp(config);
  try {
    await flush(app);
    return await work(app.services.db);
  } finally {
    await app.close();
  }
}

const THIEF = new Keyring([Buffer.alloc(32, 8)]);
const NOBODY = { actor: null, audience: null, requestId: null, operation: null, documentHash: null };

/** A START entry that says it has named heads, made by who has no keyring. */
const forgedStart = (subjects: string[]) =>
  makeEntry(THIEF, {
    ...GATEWAY_PLACE,
    ...NOBODY,
    at: new Date(),
    action: "START",
    outcome: "OK",
    customers: 0,
    count: 1,
    fields: [],
    subjects,
  });

/** What a thief with every right on the database does in one go; `undo` is thrown, so nothing of it stays. */
async function problemsAfter(db: Database, sql: string[]): Promise<readonly string[]> {
  const undo = new Error("undo");
  let problems: readonly string[] = [];
  const attempt = db.$transaction(async (tx) => {
    for (const table of ["audit_entry", "audit_link"]) await tx.$executeRawUnsafe(`ALTER TABLE ${table} DISABLE TRIGGER only_grows`);
    for (const statement of sql) await tx.$executeRawUnsafe(statement);
    ({ problems } = await verifyAudit(tx, TEST_KEYRING));
    throw undo;
  });
  await expect(attempt).rejects.toBe(undo);
  return problems;
}

test.each([
  ["in no chain", false],
  ["linked by the thief", true],
])("a forged START, %s, does not keep the next gateway from naming a head: what is cut off later is found", async (_name, linked) => {
  const { head, forged } = await running(async (db) => {
    const [newest] = await db.auditEntry.findMany({ where: { action: "START" }, orderBy: { at: "desc" }, take: 1 });
    const { chain } = (await db.auditLink.findUnique({ where: { entryId: newest!.id } }))!;
    const last = (await db.auditLink.findFirst({ where: { chain }, orderBy: { seq: "desc" } }))!;
    const entry = forgedStart([headText(last)]);
    await insertEntries(db, [entry]);
    if (linked) await db.auditLink.create({ data: { chain: crypto.randomUUID(), seq: 1, entryId: entry.id, hash: entry.mac } });
    return { head: last, forged: entry };
  });
  await running(async (db) => {
    const [start] = await db.auditEntry.findMany({ where: { action: "START", id: { not: forged.id } }, orderBy: { at: "desc" }, take: 1 });
    expect(start!.subjects).toContain(headText(head));
    const cut = [
      `DELETE FROM audit_link WHERE entry_id = '${forged.id}'`,
      `DELETE FROM audit_entry WHERE id = '${forged.id}'`,
      `DELETE FROM audit_entry WHERE id IN (SELECT entry_id FROM audit_link WHERE chain = '${head.chain}')`,
      `DELETE FROM audit_link WHERE chain = '${head.chain}'`,
    ];
    expect(await problemsAfter(db, cut)).toContain(
      `chain ${head.chain}: its end was cut off before link ${head.seq}, which a later chain's START entry names`,
    );
  });
});

test("what a genuine START entry names is named once", async () => {
  await running(async (db) => {
    const starts = await db.auditEntry.findMany({ where: { action: "START" } });
    const named = starts.filter((start) => isGenuine(TEST_KEYRING, start)).flatMap(({ subjects }) => subjects);
    expect(named.length).toBeGreaterThanOrEqual(2);
    expect(new Set(named).size).toBe(named.length);
  });
});
