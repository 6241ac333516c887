import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { expect, test } from "vitest";
import { batchRow, caller, dataOf } from "../../support/customers.ts";
import { openGateway } from "../../support/gateway.ts";
import { ON_POSTGRES } from "../../support/process.ts";

const gateway = await openGateway();
const { db } = gateway.app.services;

let banks = 0;
/** A bank of its own. */
async function inBank() {
  const bank = `erased-${(banks += 1)}`;
  const refs = async () => {
    const rows = await db.batchFailure.findMany({ where: { bankId: bank }, orderBy: [{ clientRef: "asc" }] });
    return rows.flatMap(({ clientRef, clientRefKey }) => [clientRef, clientRefKey]).filter((text) => text !== null);
  };
  return { bank, refs, ...caller(gateway, await gateway.key({ bank })) };
}

test.each(["COMPLETE", "BACKGROUND"])(
  "an erasure finds each failure that tells of the customer: a batch that is %s",
  async (processing) => {
    const { batch, erase, refs, bank } = await inBank();
    const send = async (rows: unknown[]) => {
      await batch(rows, { processing });
      await expect.poll(() => db.batch.count({ where: { bankId: bank, status: "PROCESSING" } }), { timeout: 30_000 }).toBe(0);
    };
    const invalid = { country: "nowhere" };
    await send([
      batchRow(1, { clientRef: "  the-one\u00a0", ...invalid }),
      batchRow(2, { clientRef: "before", ...invalid }),
      batchRow(3),
      batchRow(4, { clientRef: "the-one", email: "the.one@example.com", reference: "the-one" }),
      batchRow(5, { clientRef: "twin-by-email", email: "The.One@example.com" }),
      batchRow(6, { clientRef: "twin-by-reference", reference: "the-one" }),
      batchRow(7),
      batchRow(8, { clientRef: "twin-of-another", email: batchRow(7).email }),
    ]);
    await send([
      batchRow(9, { clientRef: "met-it", email: "the.one@example.com" }),
      batchRow(10, { clientRef: "twin-of-who-met-it", email: "the.one@example.com" }),
    ]);
    const { id } = await db.customer.findFirstOrThrow({ where: { bankId: bank, clientRef: "the-one" } });
    expect(await refs()).toHaveLength(14);
    expect(await erase({ id })).toMatchObject({ __typename: "CustomerErased" });
    expect(await refs()).toEqual(["before", "before", "twin-of-another", "twin-of-another"]);
  },
);

test.runIf(ON_POSTGRES)("a batch that has met a customer is waited for: what it tells of the customer is found", async () => {
  const { batch, erase, refs } = await inBank();
  const first = await batch([batchRow(1)]);
  const holder = new pg.Client({ connectionString: gateway.config.databaseUrl! });
  await holder.connect();
  await holder.query("BEGIN; LOCK TABLE batch_failure IN EXCLUSIVE MODE");
  const meeting = batch([batchRow(2, { clientRef: "met-it", email: batchRow(1).email })]);
  await sleep(500);
  const erasing = erase({ id: first.customerIds[0] });
  await sleep(500);
  await holder.end();
  expect((await meeting).failures).toMatchObject([{ code: "EXISTING_CUSTOMER", customerId: first.customerIds[0] }]);
  expect(await erasing).toMatchObject({ __typename: "CustomerErased" });
  expect(await refs()).toEqual([]);
});

test.runIf(ON_POSTGRES)("who is blacklisted and erased while a batch waits is refused by it all the same", async () => {
  const { bank, batch, blacklist, erase } = await inBank();
  const first = await batch([batchRow(1)]);
  const holder = new pg.Client({ connectionString: gateway.config.databaseUrl! });
  await holder.connect();
  await holder.query("BEGIN");
  await holder.query("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", [`customer batch|${bank}|SANDBOX`]);
  const waiting = batch([batchRow(1, { clientRef: "again", reference: "again" }), batchRow(2)]);
  await sleep(500);
  const [id] = first.customerIds;
  expect(await blacklist({ id, blacklisted: true })).toMatchObject({ __typename: "Customer" });
  expect(await erase({ id })).toMatchObject({ __typename: "CustomerErased" });
  await holder.end();
  const result = await waiting;
  expect(result.summary).toMatchObject({ successful: 1, failed: 1 });
  expect(result.failures).toMatchObject([{ index: 0, code: "VALIDATION_ERROR", message: "this registration cannot be accepted" }]);
  const { body } = await gateway.query(await gateway.key({ bank }), "{ customers { totalCount } }");
  expect(dataOf(body).totalCount).toBe(1);
});
