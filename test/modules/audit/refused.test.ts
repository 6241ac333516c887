import { expect, test } from "vitest";
import { pino } from "pino";
import { verifyAudit } from "../../../src/audit/verify.ts";
import { TEST_KEYRING } from "../../support/config.ts";
import { openGateway } from "../../support/gateway.ts";
import { flush } from "./support.ts";

let log: Record<string, unknown>[] = [];
const gateway = await openGateway({}, { log: pino({ level: "error" }, { write: (line: string) => void log.push(JSON.parse(line)) }) });
const { db, audit } = gateway.app.services;
const key = await gateway.key();

const READ = '{ customers(filter: { emails: ["nobody@example.com"] }) { totalCount } }';
const ask = (id: string) => gateway.query(key, READ, {}, { "x-request-id": id });
const written = async () =>
  (await db.auditEntry.findMany({ where: { requestId: { not: null } } })).map(({ requestId }) => requestId).sort();

test("entries that the database refuses keep no others out, are told of in the log once, and are not tried again", async () => {
  await flush(gateway.app);
  log = [];
  await db.$executeRaw`ALTER TABLE audit_entry ADD CONSTRAINT test_refusal CHECK (request_id NOT LIKE 'refused%') NOT VALID`;
  const before = await written();
  for (let number = 10; number < 40; number++) await ask(number === 17 || number === 30 ? `refused-${number}` : `good-${number}`);
  await flush(gateway.app);
  const good = Array.from({ length: 30 }, (_, index) => `good-${index + 10}`).filter((id) => !/17|30/.test(id));
  expect(await written()).toEqual([...before, ...good].sort());
  const told = { action: "READ", operation: "customers", actor: key.split("_")[2], count: 1, state: "23514" };
  expect(log).toEqual(
    [17, 30].map((number) =>
      expect.objectContaining({ ...told, requestId: `refused-${number}`, msg: "the database refuses an audit entry, which is lost" }),
    ),
  );
  log = [];
  await ask("good-after");
  await flush(gateway.app);
  expect(await written()).toContain("good-after");
  expect(log).toEqual([]);
  expect(await verifyAudit(db, TEST_KEYRING)).toMatchObject({ problems: [], unlinked: 0 });
});

test.each([
  ["an audience that there is not", { audience: "constructor" as never }],
  ["a text that PostgreSQL cannot hold", { actor: "jwt-\0" }],
])("%s keeps no others out either", async (_name, poison) => {
  log = [];
  const place = { bankId: "alpha", mode: "SANDBOX" as const, at: new Date(), documentHash: null, fields: [], subjects: [] };
  audit.note({
    ...place,
    actor: "k",
    audience: null,
    requestId: "poison",
    action: "READ",
    operation: "customers",
    outcome: "OK",
    ...poison,
  });
  const id = `good-${crypto.randomUUID()}`;
  await ask(id);
  await flush(gateway.app);
  expect(await written()).toContain(id);
  expect(await written()).not.toContain("poison");
  expect(log).toEqual([expect.objectContaining({ requestId: "poison", state: expect.stringMatching(/^22P/) })]);
});

test("a fault that is not of the entry loses nothing: it is written once the fault is gone", async () => {
  await db.$executeRaw`ALTER TABLE audit_link RENAME TO audit_link_away`;
  await ask("kept");
  await expect(flush(gateway.app)).rejects.toThrow();
  await db.$executeRaw`ALTER TABLE audit_link_away RENAME TO audit_link`;
  await flush(gateway.app);
  expect(await written()).toContain("kept");
});
