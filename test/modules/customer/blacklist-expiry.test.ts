import { expect, test } from "vitest";
import { expireBlacklists } from "../../../src/modules/customer/customer.jobs.ts";
import { caller, person } from "../../support/customers.ts";
import { openGateway } from "../../support/gateway.ts";

const gateway = await openGateway();
const { db } = gateway.app.services;
const key = await gateway.key();
const { create, blacklist, update, find, history } = caller(gateway, key);
const keyId = key.split("_")[2];

const HOUR_MS = 60 * 60 * 1000;
const inAnHour = () => new Date(Date.now() + HOUR_MS).toISOString();

let people = 0;
const newCustomer = () => create(person(`expiry.${++people}`));

/** Lets a customer's entry run out a minute ago: the clock of the database is moved, not the gateway's. */
async function runOut(customerId: string) {
  const expiresAt = new Date(Date.now() - 60_000);
  await db.customer.updateMany({ where: { id: customerId }, data: { blacklistExpiresAt: expiresAt } });
  await db.blacklistEntry.updateMany({ where: { customerId, endedAt: null }, data: { expiresAt } });
  await db.blacklistedIdentity.updateMany({ where: { customerId }, data: { expiresAt } });
}

const listed = async (blacklisted: boolean) => {
  const { body } = await gateway.query(key, "query ($b: Boolean) { customers(first: 100, filter: { blacklisted: $b }) { nodes { id } } }", {
    b: blacklisted,
  });
  return body.data.customers.nodes.map(({ id }: { id: string }) => id);
};

test("an entry counts until it runs out, by the clock, with nobody doing anything", async () => {
  const { id } = await newCustomer();
  await blacklist({ id, blacklisted: true, expiresAt: inAnHour() });
  expect(await find({ id })).toMatchObject({ blacklisted: true });
  await blacklist({ id, blacklisted: true, expiresAt: new Date(Date.now() + 4000).toISOString() });
  await expect.poll(() => find({ id }), { timeout: 30_000, interval: 100 }).toMatchObject({ blacklisted: false, blacklist: null });
  expect(await listed(true)).not.toContain(id);
  expect(await listed(false)).toContain(id);
});

test("the job records what ran out, once, however many run at once", async () => {
  const customers = await Promise.all(Array.from({ length: 5 }, newCustomer));
  const stays = await newCustomer();
  await blacklist({ id: stays.id, blacklisted: true, expiresAt: inAnHour() });
  for (const { id } of customers) {
    await blacklist({ id, blacklisted: true, reason: "FRAUD", expiresAt: inAnHour() });
    await runOut(id);
    expect(await find({ id })).toMatchObject({ blacklisted: false, blacklist: null, version: 2 });
  }
  await Promise.all(Array.from({ length: 4 }, () => expireBlacklists(gateway.app.services).run()));
  await expireBlacklists(gateway.app.services).run();
  for (const { id } of customers) {
    expect(await find({ id })).toMatchObject({ blacklisted: false, blacklist: null, version: 3 });
    expect((await history(id)).slice(1)).toMatchObject([
      { version: 2, type: "BLACKLISTED", actor: keyId },
      { version: 3, type: "BLACKLIST_EXPIRED", actor: "gateway", reason: null },
    ]);
    expect(await db.blacklistedIdentity.count({ where: { customerId: id } })).toBe(0);
  }
  expect(await find({ id: stays.id })).toMatchObject({ blacklisted: true, version: 2 });
});

test("a write that comes before the job records the expiry first", async () => {
  const again = await newCustomer();
  await blacklist({ id: again.id, blacklisted: true, reason: "FRAUD", note: "old", expiresAt: inAnHour() });
  await runOut(again.id);
  expect(await blacklist({ id: again.id, blacklisted: true })).toMatchObject({
    version: 4,
    blacklist: { reason: "OTHER", note: null, expiresAt: null },
  });
  expect((await history(again.id)).map(({ type }) => type)).toEqual(["CREATED", "BLACKLISTED", "BLACKLIST_EXPIRED", "BLACKLISTED"]);

  const lifted = await newCustomer();
  await blacklist({ id: lifted.id, blacklisted: true, expiresAt: inAnHour() });
  await runOut(lifted.id);
  await blacklist({ id: lifted.id, blacklisted: false });
  expect((await history(lifted.id)).map(({ type }) => type)).toEqual(["CREATED", "BLACKLISTED", "BLACKLIST_EXPIRED"]);

  const updated = await newCustomer();
  await blacklist({ id: updated.id, blacklisted: true, expiresAt: inAnHour() });
  await runOut(updated.id);
  expect(await update({ id: updated.id, update: { state: "Kano" } })).toMatchObject({ version: 4, blacklisted: false });
  expect((await history(updated.id)).map(({ type }) => type)).toEqual(["CREATED", "BLACKLISTED", "BLACKLIST_EXPIRED", "UPDATED"]);
});
