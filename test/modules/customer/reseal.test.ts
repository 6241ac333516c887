import { expect, test } from "vitest";
import { Keyring } from "../../../src/crypto/keyring.ts";
import { columnContext } from "../../../src/modules/customer/customer.columns.ts";
import { resealCustomers } from "../../../src/modules/customer/customer.reseal.job.ts";
import { createLog } from "../../../src/telemetry/log.ts";
import { TEST_KEYRING } from "../../support/config.ts";
import { batchRow, caller } from "../../support/customers.ts";
import { openGateway } from "../../support/gateway.ts";

const gateway = await openGateway();
const { db } = gateway.app.services;
const alpha = caller(gateway, await gateway.key());
const OLDER = Buffer.alloc(32, 7);
const ring = new Keyring([Buffer.alloc(32, 8), OLDER]);
const job = () => resealCustomers(db, ring, createLog("silent"));
const contextOf = (id: string) => columnContext({ bankId: "alpha", mode: "SANDBOX", id }, "accountNumber");
const sealedOf = async (id: string) => (await db.customer.findFirstOrThrow({ where: { id } })).accountNumber!;

let made = 0;
async function customers(count: number): Promise<string[]> {
  const { customerIds } = await alpha.batch(Array.from({ length: count }, () => batchRow((made += 1))));
  return customerIds;
}

test("every row of a long table is walked, in steps, and nothing but the text changes", async () => {
  const ids = (await Promise.all([1, 2, 3].map(() => customers(400)))).flat();
  const rows = async () =>
    (await db.customer.findMany({ where: { id: { in: ids } }, orderBy: { id: "asc" } })).map(({ accountNumber, ...row }) => ({
      row,
      text: ring.open("encryption", accountNumber!, contextOf(row.id)),
    }));
  const before = await rows();
  gateway.statements.length = 0;
  await job().run();
  expect(gateway.statements.filter((sql) => sql.includes("UPDATE customer")).length).toBeGreaterThan(2);
  expect(await rows()).toEqual(before);
  const newest = new Keyring([Buffer.alloc(32, 8)]);
  for (const id of ids) newest.open("encryption", await sealedOf(id), contextOf(id));
  gateway.statements.length = 0;
  await job().run();
  expect(gateway.statements.filter((sql) => sql.includes("UPDATE"))).toEqual([]);
});

test("of a job and a writer, the writer's value stays, however many jobs run", async () => {
  const ids = await customers(60);
  const write = (id: string) =>
    db.$executeRaw`UPDATE customer SET account_number = ${Buffer.from(TEST_KEYRING.seal("encryption", `new ${id}`, contextOf(id)))} WHERE id = ${id}::uuid`;
  const clear = (id: string) => db.$executeRaw`UPDATE customer SET account_number = NULL WHERE id = ${id}::uuid`;
  const jobs = [job(), job(), job()];
  const turns = jobs.map(async (one) => {
    for (let turn = 0; turn < 5; turn += 1) await one.run();
  });
  await Promise.all([...turns, ...ids.map((id, index) => (index % 2 ? write(id) : clear(id)))]);
  for (const [index, id] of ids.entries()) {
    const { accountNumber } = await db.customer.findFirstOrThrow({ where: { id } });
    expect(accountNumber && ring.open("encryption", accountNumber, contextOf(id))).toBe(index % 2 ? `new ${id}` : null);
  }
});

test("a row that another transaction holds is not waited for, and comes next time", async () => {
  const [held, free] = (await customers(2)) as [string, string];
  const isNewest = async (id: string) =>
    Buffer.from(await sealedOf(id))
      .toString("hex")
      .startsWith(ring.ids[0]!);
  // The embedded database has one connection, so there a transaction keeps everybody out.
  if (process.env["TEST_ON"] === "postgres") {
    await db.$transaction(async (tx) => {
      await tx.$queryRaw`SELECT 1 FROM customer WHERE id = ${held}::uuid FOR UPDATE`;
      await job().run();
    });
    expect([await isNewest(held), await isNewest(free)]).toEqual([false, true]);
  }
  await job().run();
  expect([await isNewest(held), await isNewest(free)]).toEqual([true, true]);
});

test("what no key opens is left as it is, and told by number alone", async () => {
  const [id] = (await customers(1)) as [string];
  const lost = Buffer.from(new Keyring([Buffer.alloc(32, 9)]).seal("encryption", "secret", contextOf(id)));
  await db.customer.updateMany({ where: { id }, data: { accountNumber: lost } });
  const lines: unknown[] = [];
  await resealCustomers(db, ring, { error: (line: unknown) => lines.push(line) } as never).run();
  expect(lines).toEqual([{ job: "reseal-customers", column: "account_number", unopened: 1 }]);
  expect(Buffer.from(await sealedOf(id))).toEqual(lost);
});
