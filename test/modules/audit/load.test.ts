import { expect, test } from "vitest";
import { buildApp } from "../../../src/app.ts";
import { AuditBuffer, type Noted } from "../../../src/audit/buffer.ts";
import { verifyAudit } from "../../../src/audit/verify.ts";
import { batchRow } from "../../support/customers.ts";
import { openGateway } from "../../support/gateway.ts";
import { TEST_KEYRING } from "../../support/config.ts";
import { flush } from "./support.ts";

const gateway = await openGateway();
const { db } = gateway.app.services;
const onPostgres = process.env["TEST_ON"] === "postgres";

test("10,000 refusals are a few entries that add up to 10,000", async () => {
  const weak = await gateway.key({ scopes: ["customers:read"] });
  const begun = performance.now();
  const each = 2500;
  const refusals: [string | null, string][] = [
    [null, "{ viewer { mode } }"],
    [weak, "{ apiKeys { nodes { id } } }"],
    [weak, '{ customers(filter: { emails: ["a@example.com"] }) { totalCount } }'],
    // An alias and another document each time: neither makes an entry of its own.
    [weak, "{ NAME: batches { nodes { id } } }"],
  ];
  for (let start = 0; start < each; start += 50) {
    const calls = Array.from({ length: 50 }, (_, number) =>
      refusals.map(([key, document]) => gateway.query(key, document.replace("NAME", `a${start + number}`))),
    );
    await Promise.all(calls.flat());
  }
  await flush(gateway.app);
  // A turn a second, of which each writes at most one entry for each kind; the first and the last stand for what is cut off.
  const turns = Math.ceil((performance.now() - begun) / 1000) + 2;
  const rows = await db.auditEntry.findMany({ where: { action: "REFUSAL" } });
  expect(rows.length).toBeLessThanOrEqual(turns * refusals.length);
  const sums = Map.groupBy(rows, ({ outcome, operation }) => `${outcome} ${operation}`);
  expect(Object.fromEntries([...sums].map(([kind, of]) => [kind, of.reduce((sum, { count }) => sum + count, 0)]))).toEqual({
    "UNAUTHENTICATED null": each,
    "FORBIDDEN apiKeys": each,
    "FORBIDDEN_FIELD customers": each,
    "FORBIDDEN batches": each,
  });
});

test("the buffer is bounded whatever comes, leaves nothing out of its counts, and can be put back", () => {
  const noted = (number: number): Noted => ({
    bankId: "alpha",
    mode: "LIVE",
    at: new Date(0),
    actor: "key",
    audience: "APP",
    requestId: `r${number}`,
    action: "READ",
    operation: "customers",
    outcome: "OK",
    documentHash: `${number}`.padStart(64, "0"),
    fields: [`Customer.f${number % 7}`],
    subjects: [],
    customers: new Set([`c${number}`, "everywhere"]),
  });
  const buffer = new AuditBuffer();
  for (let number = 0; number < 50_000; number++) buffer.note(noted(number));
  const sum = (facts: { count: number }[]) => facts.reduce((total, { count }) => total + count, 0);
  const taken = buffer.take();
  expect(taken.facts.length).toBeLessThanOrEqual(5001);
  expect(sum(taken.facts)).toBe(50_000);
  expect(taken.facts[0]).toMatchObject({ requestId: "r0", customers: 2, count: 1 });
  const rest = taken.facts.at(-1)!;
  expect(rest).toMatchObject({ requestId: null, documentHash: null, customers: rest.count + 1 });
  expect(rest.fields.length).toBe(7);
  expect(buffer.take().facts).toEqual([]);
  for (let number = 0; number < 10; number++) buffer.note(noted(number));
  taken.restore();
  expect(sum(buffer.take().facts)).toBe(50_010);
});

test("questions of several merchants are never added up, but where there is no room for more", () => {
  const asked = (merchant: string): Noted => ({
    bankId: "provider",
    mode: "LIVE",
    at: new Date(0),
    actor: "key",
    audience: "APP",
    requestId: "r",
    action: "READ",
    operation: "customerBanks",
    outcome: "OK",
    documentHash: null,
    fields: ["Customer.email"],
    subjects: [merchant],
  });
  const buffer = new AuditBuffer();
  for (let number = 0; number < 600; number++) for (const merchant of ["mer_1", "mer_2"]) buffer.note(asked(merchant));
  const sums = buffer.take().facts.filter(({ count }) => count > 1);
  expect(sums.map(({ subjects, count }) => [subjects, count])).toEqual([
    [["mer_1"], 350],
    [["mer_2"], 350],
  ]);
  for (let number = 0; number < 6000; number++) buffer.note(asked(`mer_${number % 5500}`));
  expect(new Set(buffer.take().facts.flatMap(({ subjects }) => subjects)).size).toBe(5500);
});

test("when the database refuses, nothing that was noted is lost", async () => {
  const key = await gateway.key({ bank: "patient" });
  await flush(gateway.app);
  await db.$executeRaw`ALTER TABLE audit_link RENAME TO audit_link_away`;
  for (let number = 0; number < 3; number++)
    await gateway.query(key, '{ customers(filter: { emails: ["a@example.com"] }) { totalCount } }');
  await gateway.query(key, "mutation ($input: CreateCustomersBatchInput!) { createCustomersBatch(input: $input) { __typename } }", {
    input: { customers: [batchRow(1)] },
  });
  await expect(flush(gateway.app)).rejects.toThrow();
  expect(await db.auditEntry.groupBy({ by: ["action"], where: { bankId: "patient" }, _count: true })).toEqual([
    { action: "WRITE", _count: 1 },
  ]);
  await db.$executeRaw`ALTER TABLE audit_link_away RENAME TO audit_link`;
  await flush(gateway.app);
  const counts = await db.auditEntry.groupBy({ by: ["action"], where: { bankId: "patient" }, _count: true, orderBy: { action: "asc" } });
  expect(counts).toEqual([
    { action: "READ", _count: 3 },
    { action: "WRITE", _count: 1 },
  ]);
  expect(await verifyAudit(db, TEST_KEYRING)).toMatchObject({ problems: [], unlinked: 0 });
});

test.runIf(onPostgres)("two gateways on one database, all at once: both chains are whole", async () => {
  const other = await buildApp(gateway.config);
  try {
    const key = await gateway.key({ bank: "busy" });
    const send = (app: typeof other, query: string, variables?: object) =>
      app.fetch(
        new Request("http://gateway.test/graphql", {
          method: "POST",
          headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
          body: JSON.stringify({ query, variables }),
        }),
      );
    const create = "mutation ($input: CreateCustomersBatchInput!) { createCustomersBatch(input: $input) { __typename } }";
    // So that every page has somebody's e-mail on it, and every read counts.
    const answers = [await send(other, create, { input: { customers: [batchRow(1000)] } })];
    const one = (number: number) => {
      const app = number % 2 ? other : gateway.app;
      const work = [
        send(app, create, { input: { customers: [batchRow(number)] } }),
        send(app, "{ customers(first: 5) { nodes { email } } }"),
        send(app, '{ audit(after: "x") { nodes { id } } }'),
      ];
      // In the middle of it all both link, as often as they can.
      return number % 5 ? work : [...work, flush(app).then(() => new Response())];
    };
    for (let number = 0; number < 150; number += 10)
      answers.push(...(await Promise.all(Array.from({ length: 10 }, (_, place) => one(number + place)).flat())));
    expect(answers.map(({ status }) => status).filter((status) => status !== 200)).toEqual([]);
    await Promise.all([flush(other), flush(gateway.app)]);
    const writes = await db.auditEntry.aggregate({ where: { bankId: "busy", action: "WRITE" }, _count: true, _sum: { customers: true } });
    expect(writes).toMatchObject({ _count: 151, _sum: { customers: 151 } });
    const reads = await db.auditEntry.aggregate({ where: { bankId: "busy", action: "READ" }, _sum: { count: true } });
    expect(reads._sum.count).toBe(150);
    const report = await verifyAudit(db, TEST_KEYRING);
    expect(report).toMatchObject({ problems: [], unlinked: 0, chains: 2 });
  } finally {
    await other.close();
  }
});
