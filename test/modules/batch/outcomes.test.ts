import { expect, test } from "vitest";
import { batchRow, caller } from "../../support/customers.ts";
import { openGateway } from "../../support/gateway.ts";

const gateway = await openGateway();
const { db } = gateway.app.services;

const inBank = async (bank: string) => caller(gateway, await gateway.key({ bank }));
const stored = (bankId: string) => db.customer.count({ where: { bankId } });
const rows = (numbers: number[]) => numbers.map((number) => batchRow(number));

const ATOMIC = { atomicity: "ALL_OR_NOTHING" };

test("ALL_OR_NOTHING writes every row when all are good", async () => {
  const { batch } = await inBank("atomic-good");
  const result = await batch(rows([1, 2, 3]), ATOMIC);
  expect(result).toMatchObject({ status: "COMPLETED", createdCount: 3, failures: [], summary: { total: 3, successful: 3, rolledBack: 0 } });
  expect(await stored("atomic-good")).toBe(3);
});

test.each([
  ["INVALID_DATA", () => batchRow(9, { email: "" })],
  ["VALIDATION_ERROR", () => batchRow(9, { email: "nobody" })],
  ["DUPLICATE_IN_BATCH", () => batchRow(9, { reference: "ref-2" })],
  ["EXISTING_CUSTOMER", () => batchRow(9, { clientRef: "client-100" })],
])("ALL_OR_NOTHING writes nothing when the one failure is %s", async (code, bad) => {
  const bank = `atomic-${code.toLowerCase()}`;
  const { batch } = await inBank(bank);
  await batch(rows([100]));
  const result = await batch([...rows([1, 2]), bad(), ...rows([3])], ATOMIC);
  expect(result).toMatchObject({ status: "FAILED", createdCount: 0, customerIds: [], failures: [{ index: 2, code }] });
  expect(result.summary).toMatchObject({ total: 4, successful: 0, failed: 1, pending: 0, rolledBack: 3 });
  expect(await stored(bank)).toBe(1);
  expect(await db.customerEvent.count({ where: { bankId: bank } })).toBe(1);
});

test("of ALL_OR_NOTHING batches at once that share one e-mail, one is written whole and the others not at all", async () => {
  const { batch } = await inBank("atomic-race");
  const results = await Promise.all(
    [1, 2, 3, 4].map((turn) =>
      batch([batchRow(turn * 10), batchRow(turn * 10 + 1, { email: "shared@example.com" }), batchRow(turn * 10 + 2)], ATOMIC),
    ),
  );
  expect(results.map(({ status }) => status).sort()).toEqual(["COMPLETED", "FAILED", "FAILED", "FAILED"]);
  const won = results.find(({ status }) => status === "COMPLETED");
  for (const lost of results.filter((result) => result !== won)) {
    expect(lost.failures).toMatchObject([{ index: 1, code: "EXISTING_CUSTOMER", matchedOn: "EMAIL", customerId: won.customerIds[1] }]);
    expect(lost.summary).toMatchObject({ successful: 0, failed: 1, rolledBack: 2 });
  }
  expect((await db.customer.findMany({ where: { bankId: "atomic-race" } })).map(({ id }) => id).sort()).toEqual(won.customerIds.toSorted());
});

test("a dry run writes no customer, keeps its record, ignores the key, and tells the failures of the real run", async () => {
  const bank = "dry";
  const { batch } = await inBank(bank);
  await batch(rows([100]));
  const mixed = [
    batchRow(1),
    null,
    batchRow(2, { email: "CUSTOMER.1@example.com" }),
    batchRow(3, { country: "ZZ" }),
    batchRow(4, { reference: "ref-100" }),
    batchRow(5),
  ];
  for (const atomicity of ["ALL_OR_NOTHING", "PARTIAL"]) {
    const key = { idempotencyKey: `dry-${atomicity}`, atomicity };
    const dry = await batch(mixed, { ...key, dryRun: true });
    expect(await batch(mixed, { ...key, dryRun: true })).toMatchObject({ replayed: false });
    expect(await stored(bank)).toBe(1);
    expect(await db.idempotencyKey.count({ where: { key: key.idempotencyKey } })).toBe(0);
    expect(await db.batch.count({ where: { id: dry.id.slice("bat_".length), dryRun: true } })).toBe(1);
    const real = await batch(mixed, key);
    expect(real.replayed).toBe(false);
    expect(dry).toMatchObject({
      dryRun: true,
      createdCount: 0,
      customerIds: [],
      status: real.status,
      summary: real.summary,
      failures: real.failures,
    });
    expect(real.failures.map(({ code }: { code: string }) => code)).toEqual([
      "INVALID_DATA",
      "DUPLICATE_IN_BATCH",
      "VALIDATION_ERROR",
      "EXISTING_CUSTOMER",
    ]);
  }
  expect(await stored(bank)).toBe(3);
});

/** Has each row take some time to insert, so that batches at once do meet. */
async function slowly(run: () => Promise<void>) {
  await db.$executeRawUnsafe(
    "CREATE FUNCTION slow_down() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN PERFORM pg_sleep(0.003); RETURN NEW; END $$",
  );
  await db.$executeRawUnsafe("CREATE TRIGGER slow_down BEFORE INSERT ON customer FOR EACH ROW EXECUTE FUNCTION slow_down()");
  try {
    await run();
  } finally {
    await db.$executeRawUnsafe("DROP FUNCTION slow_down CASCADE");
  }
}

test.each([
  ["same-order-of-keys", (number: number) => ({ email: `customer.${number}@example.com`, reference: `ref-${number}` })],
  [
    "crossed-keys",
    (number: number, turn: number) => ({ email: `customer.${number}@example.com`, reference: `ref-${turn % 2 ? number : 19 - number}` }),
  ],
  ["references-only", (number: number, turn: number) => ({ email: `customer.${number}.${turn}@example.com`, reference: `ref-${number}` })],
])(
  "batches at once with the same keys in opposite orders (%s): each row exactly once, and no deadlock reaches a client",
  async (bank, keys) => {
    const { batch } = await inBank(bank);
    const numbers = Array.from({ length: 20 }, (_, number) => number);
    await slowly(async () => {
      const results = await Promise.all(
        [0, 1, 2, 3].map((turn) =>
          batch(
            (turn % 2 ? numbers : numbers.toReversed()).map((number) =>
              batchRow(number, { ...keys(number, turn), clientRef: `${bank}-${number}` }),
            ),
          ),
        ),
      );
      for (const { summary } of results)
        expect(summary).toMatchObject({ total: 20, duplicates: summary.failed, successful: 20 - summary.failed });
      // clientRef n goes to one row only, whoever sends it.
      expect(results.reduce((sum, { createdCount }) => sum + createdCount, 0)).toBe(20);
      const found = await db.customer.findMany({ where: { bankId: bank }, select: { id: true, clientRef: true } });
      expect(new Set(found.map(({ clientRef }) => clientRef)).size).toBe(20);
      expect(found.map(({ id }) => id).sort()).toEqual(results.flatMap(({ customerIds }) => customerIds).sort());
      for (const failure of results.flatMap(({ failures }) => failures)) {
        expect(failure).toMatchObject({ code: "EXISTING_CUSTOMER" });
        expect(found.map(({ id }) => id)).toContain(failure.customerId);
      }
    });
    expect(await db.customerEvent.count({ where: { bankId: bank } })).toBe(20);
  },
);

test("a phrase that is taken is drawn again, and nobody hears of it", async () => {
  const { batch, create } = await inBank("phrases");
  await batch(rows([1]));
  // The database itself answers the first draws with a phrase that is taken, as chance might.
  const { phrase } = await db.customer.findFirstOrThrow({ where: { bankId: "phrases" } });
  await db.$executeRawUnsafe("CREATE SEQUENCE draws");
  await db.$executeRawUnsafe(`CREATE FUNCTION take_phrase() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
    BEGIN IF nextval('draws') <= 5 THEN NEW.phrase := '${phrase}'; END IF; RETURN NEW; END $$`);
  await db.$executeRawUnsafe("CREATE TRIGGER take_phrase BEFORE INSERT ON customer FOR EACH ROW EXECUTE FUNCTION take_phrase()");
  // Four rows meet it at once, of which one exists besides; then the three others, of which one meets it again.
  const result = await batch([...rows([2, 1, 3, 4])]);
  expect(result.failures).toMatchObject([{ index: 1, code: "EXISTING_CUSTOMER" }]);
  expect(result.summary).toMatchObject({ successful: 3, failed: 1 });
  const [{ last_value: draws }] = await db.$queryRaw<[{ last_value: bigint }]>`SELECT last_value FROM draws`;
  expect(Number(draws)).toBe(8);
  await db.$executeRawUnsafe("ALTER SEQUENCE draws RESTART");
  expect(await batch(rows([5, 6]), ATOMIC)).toMatchObject({ status: "COMPLETED", createdCount: 2 });
  await db.$executeRawUnsafe("ALTER SEQUENCE draws RESTART WITH 3");
  expect(await create({ firstname: "A", lastname: "B", email: "phrase@example.com", country: "NG" })).toMatchObject({
    __typename: "Customer",
    version: 1,
  });
  await db.$executeRawUnsafe("DROP TRIGGER take_phrase ON customer");
  const phrases = (await db.customer.findMany({ where: { bankId: "phrases" } })).map((customer) => customer.phrase);
  expect(new Set(phrases).size).toBe(7);
  for (const each of phrases) expect(each).toMatch(/^[a-z]+-[a-z]+-[a-z]+-[a-z]+$/);
});
