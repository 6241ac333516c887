import { describe, expect, test } from "vitest";
import { headText, insertEntries, makeEntry } from "../../../src/audit/entry.ts";
import { verifyAudit } from "../../../src/audit/verify.ts";
import { buildApp } from "../../../src/app.ts";
import type { Transaction } from "../../../src/database/client.ts";
import type { AuditLink } from "../../../src/database/generated/client.ts";
import { Keyring } from "../../../src/crypto/keyring.ts";
import { batchRow } from "../../support/customers.ts";
import { TEST_KEYRING } from "../../support/config.ts";
import { openGateway } from "../../support/gateway.ts";
import { flush } from "./support.ts";

const gateway = await openGateway();
const { db } = gateway.app.services;
const key = await gateway.key();

const BATCH = "mutation ($input: CreateCustomersBatchInput!) { createCustomersBatch(input: $input) { __typename } }";
for (let number = 0; number < 12; number++) {
  await gateway.query(key, BATCH, { input: { customers: [batchRow(number)] } });
  await gateway.query(key, "{ customers(first: 2) { nodes { email state } } }");
  if (number % 4 === 3) await flush(gateway.app);
}

const byAge = (one: AuditLink, two: AuditLink) => one.chain.localeCompare(two.chain) || one.seq - two.seq;
const linksOf = async () => (await db.auditLink.findMany({})).sort(byAge);
const links = await linksOf();
/** The chain of the running gateway; on the embedded database there is the one that made the template, too. */
const chain = [...Map.groupBy(links, (link) => link.chain)].sort(([, one], [, two]) => two.length - one.length)[0]!;
const [first, ...rest] = chain[1] as [AuditLink, ...AuditLink[]];
const middle = rest[Math.floor(rest.length / 2)]!;
const last = rest.at(-1)!;
const entry = (await db.auditEntry.findUnique({ where: { id: middle.entryId } }))!;

/** Runs the check on a tampered database, of which nothing stays. */
async function tampered(tamper: (tx: Transaction) => Promise<unknown>, heads: string[] = [], keyring = TEST_KEYRING) {
  const undo = new Error("undo");
  let problems: readonly string[] = [];
  const attempt = db.$transaction(
    async (tx) => {
      for (const table of ["audit_entry", "audit_link"]) await tx.$executeRawUnsafe(`ALTER TABLE ${table} DISABLE TRIGGER only_grows`);
      await tamper(tx);
      ({ problems } = await verifyAudit(tx, keyring, heads));
      throw undo;
    },
    { timeout: 30_000 },
  );
  await expect(attempt).rejects.toBe(undo);
  return problems;
}

const place = (link: AuditLink) => `chain ${link.chain}, link ${link.seq}`;
const sql = (text: string) => (tx: Transaction) => tx.$executeRawUnsafe(text);

test("what nobody touched is whole, and every entry is in a chain", async () => {
  const report = await verifyAudit(db, TEST_KEYRING, links.map(headText));
  expect(report).toMatchObject({
    problems: [],
    unlinked: 0,
    entries: links.length,
    chains: new Set(links.map(({ chain: one }) => one)).size,
  });
  expect(report.entries).toBe(await db.auditEntry.count());
  expect(rest.length).toBeGreaterThan(20);
});

test("the tables refuse change and removal, for their owner too, and all of it for a tenant", async () => {
  for (const table of ["audit_entry", "audit_link"]) {
    for (const change of [
      `UPDATE ${table} SET ${table === "audit_entry" ? "actor" : "seq"} = NULL`,
      `DELETE FROM ${table}`,
      `TRUNCATE ${table}`,
    ]) {
      await expect(db.$executeRawUnsafe(change), change).rejects.toThrow(/only grows/);
    }
  }
  const asTenant = (text: string) => db.$transaction([db.$executeRaw`SET LOCAL ROLE customer_gateway_tenant`, db.$queryRawUnsafe(text)]);
  for (const text of [
    "SELECT 1 FROM audit_link",
    "UPDATE audit_entry SET actor = NULL",
    "DELETE FROM audit_entry",
    "INSERT INTO audit_link SELECT * FROM audit_link",
  ]) {
    await expect(asTenant(text), text).rejects.toThrow(/permission denied/);
  }
  expect((await asTenant("SELECT 1 FROM audit_entry"))[1]).toEqual([]);
});

/** Another value for each column of an entry. */
const CHANGES: Record<string, string> = {
  id: "gen_random_uuid()",
  bank_id: "'beta'",
  mode: "'LIVE'",
  at: "at + interval '1 millisecond'",
  actor: "'0123456789abcdef'",
  audience: "'PARTNER'",
  request_id: "'another'",
  action: "'REFUSAL'",
  operation: "'viewer'",
  outcome: "'FORBIDDEN'",
  document_hash: "repeat('0', 64)",
  customers: "customers + 1",
  count: "count + 1",
  fields: "'{}'",
  subjects: "'{x}'",
  mac: "sha256(mac)",
};
if (entry.action === "WRITE") CHANGES["fields"] = "'{Customer.email}'";

test("every column has a change", async () => {
  const columns = await db.$queryRaw<{ name: string }[]>`
    SELECT column_name::text AS name FROM information_schema.columns WHERE table_name = 'audit_entry' AND table_schema = current_schema()`;
  expect(Object.keys(CHANGES).sort()).toEqual(columns.map(({ name }) => name).sort());
});

test.each(Object.entries(CHANGES))("a changed %s is found and named", async (column, value) => {
  const problems = await tampered(sql(`UPDATE audit_entry SET ${column} = ${value} WHERE id = '${middle.entryId}'`));
  expect(problems.join("\n")).toContain(
    column === "id" ? `${place(middle)}: its entry ${middle.entryId} is missing` : `${place(middle)}: its entry ${middle.entryId}`,
  );
});

test.each(["fields", "subjects"])("an empty list of %s that was made NULL is found and named, in a chain and in none", async (column) => {
  const empty = await db.auditEntry.findMany({ where: { [column]: { isEmpty: true } }, select: { id: true } });
  const link = links.find(({ entryId }) => empty.some(({ id }) => id === entryId))!;
  const emptied = sql(`UPDATE audit_entry SET ${column} = NULL WHERE id = '${link.entryId}'`);
  expect((await tampered(emptied)).join("\n")).toContain(`${place(link)}: its entry ${link.entryId}`);
  const entries = await db.auditEntry.findMany({ where: { id: link.entryId } });
  const lone = makeEntry(TEST_KEYRING, { ...entries[0]!, [column]: [] });
  const alone = async (tx: Transaction) => {
    await insertEntries(tx, [lone]);
    await sql(`UPDATE audit_entry SET ${column} = NULL WHERE id = '${lone.id}'`)(tx);
  };
  expect(await tampered(alone)).toEqual([expect.stringContaining(`entry ${lone.id}`)]);
});

describe("found and named", () => {
  const unlink = ({ chain: of, seq }: AuditLink) => `DELETE FROM audit_link WHERE chain = '${of}' AND seq = ${seq}`;
  const remove = ({ entryId }: AuditLink) => `DELETE FROM audit_entry WHERE id = '${entryId}'`;
  const both = (link: AuditLink) => async (tx: Transaction) => [await sql(unlink(link))(tx), await sql(remove(link))(tx)];

  test("an entry that was removed", async () => {
    expect(await tampered(sql(remove(middle)))).toEqual([`${place(middle)}: its entry ${middle.entryId} is missing`]);
  });

  test("a link that was removed, alone and with its entry", async () => {
    expect(await tampered(sql(unlink(middle)))).toEqual([`chain ${middle.chain}: link ${middle.seq} is missing`]);
    expect(await tampered(both(middle))).toEqual([`chain ${middle.chain}: link ${middle.seq} is missing`]);
  });

  test("links that were removed and the later ones moved up", async () => {
    const problems = await tampered(async (tx) => {
      await both(middle)(tx);
      for (const { seq } of rest.filter((link) => link.seq > middle.seq))
        await sql(`UPDATE audit_link SET seq = ${seq - 1} WHERE chain = '${middle.chain}' AND seq = ${seq}`)(tx);
    });
    expect(problems[0]).toContain(`${place(middle)}: it or the link before it was changed, moved or forged`);
  });

  test("a chain's beginning that was removed", async () => {
    expect(await tampered(both(first))).toContain(`chain ${first.chain}: link 1 is missing`);
  });

  test("two links that were swapped", async () => {
    const before = rest[rest.indexOf(middle) - 1]!;
    const swap = (to: [AuditLink, string][]) => async (tx: Transaction) => {
      await sql(`DELETE FROM audit_link WHERE chain = '${middle.chain}' AND seq IN (${middle.seq}, ${before.seq})`)(tx);
      for (const [link, entryId] of to) await tx.auditLink.create({ data: { ...link, entryId } });
    };
    const entriesSwapped = await tampered(
      swap([
        [before, middle.entryId],
        [middle, before.entryId],
      ]),
    );
    expect(entriesSwapped[0]).toContain(place(before));
    const rowsSwapped = await tampered(
      swap([
        [{ ...before, seq: middle.seq }, before.entryId],
        [{ ...middle, seq: before.seq }, middle.entryId],
      ]),
    );
    expect(rowsSwapped[0]).toContain(place(before));
  });

  test("an end that was cut off: by a head that somebody kept, and not without", async () => {
    const cut = both(last);
    expect(await tampered(cut, [headText(middle)])).toEqual([]);
    expect(await tampered(cut, [headText(last)])).toEqual([
      `chain ${last.chain}: its end was cut off before link ${last.seq}, which a head that was given names`,
    ]);
  });

  test("a link that was replaced by another genuine one", async () => {
    const replaced = headText({ ...last, hash: middle.hash });
    expect(await tampered(async () => {}, [replaced])).toEqual([`${place(last)}: it is not the one that a head that was given names`]);
  });

  test("a forged entry: without a link, and linked by who has no keyring", async () => {
    const thief = new Keyring([Buffer.alloc(32, 8)]);
    const forged = makeEntry(thief, { ...entry, actor: "innocent" });
    expect((await tampered((tx) => insertEntries(tx, [forged])))[0]).toContain(`entry ${forged.id}`);
    const problems = await tampered(async (tx) => {
      await insertEntries(tx, [forged]);
      await tx.auditLink.create({ data: { chain: last.chain, seq: last.seq + 1, entryId: forged.id, hash: last.hash } });
    });
    expect(problems[0]).toContain(`chain ${last.chain}, link ${last.seq + 1}: its entry ${forged.id}`);
  });

  test("everything, by who checks with another keyring; nothing, by one with a newer key in front", async () => {
    expect((await tampered(async () => {}, [], new Keyring([Buffer.alloc(32, 9)]))).length).toBe(Math.min(100, 2 * links.length));
    expect(await tampered(async () => {}, [], new Keyring([Buffer.alloc(32, 9), Buffer.alloc(32, 7)]))).toEqual([]);
  });
});

test("the next process to start names the heads of all others: an end that is cut off later is found", async () => {
  await gateway.app.close();
  const next = await buildApp(gateway.config);
  try {
    await flush(next);
    const { db: after, keyring } = next.services;
    expect(await verifyAudit(after, keyring)).toMatchObject({ problems: [] });
    const ends = await after.auditLink.findMany({ where: { chain: last.chain }, orderBy: { seq: "desc" }, take: 1 });
    const undo = new Error("undo");
    let problems: readonly string[] = [];
    const attempt = after.$transaction(async (tx) => {
      for (const table of ["audit_entry", "audit_link"]) await tx.$executeRawUnsafe(`ALTER TABLE ${table} DISABLE TRIGGER only_grows`);
      await tx.auditLink.deleteMany({ where: { chain: last.chain, seq: ends[0]!.seq } });
      await tx.auditEntry.deleteMany({ where: { id: ends[0]!.entryId } });
      ({ problems } = await verifyAudit(tx, keyring));
      throw undo;
    });
    await expect(attempt).rejects.toBe(undo);
    expect(problems).toEqual([
      `chain ${last.chain}: its end was cut off before link ${ends[0]!.seq}, which a later chain's START entry names`,
    ]);
    // Named once is enough: a third process names only the second's.
    const starts = await after.auditEntry.findMany({ where: { action: "START" }, orderBy: { at: "desc" } });
    expect(starts[0]!.subjects).toContain(headText(ends[0]!));
  } finally {
    await next.close();
  }
});
