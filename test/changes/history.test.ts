import { expect, test } from "vitest";
import { batchRow, caller, dataOf } from "../support/customers.ts";
import { openGateway } from "../support/gateway.ts";

const gateway = await openGateway();
const { db } = gateway.app.services;

test("every way of writing a customer leaves one event a version, with its actor and time", async () => {
  const keys = [await gateway.key(), await gateway.key()];
  const [one, two] = keys.map((key) => ({ keyId: key.split("_")[2], ...caller(gateway, key) })) as [any, any];
  const alone = await one.create({ firstname: "A", lastname: "B", email: "history@example.com", country: "NG" });
  const { customerIds } = await two.batch([batchRow(1), batchRow(2)]);
  await two.update({ id: alone.id, update: { state: "Kano", phone: "0801 234 5678" } });
  await one.blacklist({ id: alone.id, blacklisted: true, reason: "COMPLIANCE" });
  await two.blacklist({ id: alone.id, blacklisted: false });
  const { updatedAt } = await one.find({ id: alone.id });

  const events = await one.history(alone.id);
  expect(events).toMatchObject([
    { version: 1, type: "CREATED", actor: one.keyId, at: alone.createdAt, changedFields: [], reason: null },
    { version: 2, type: "UPDATED", actor: two.keyId, changedFields: expect.arrayContaining(["STATE", "PHONE", "DIAL_CODE"]) },
    { version: 3, type: "BLACKLISTED", actor: one.keyId, reason: "COMPLIANCE" },
    { version: 4, type: "UNBLACKLISTED", actor: two.keyId, at: updatedAt },
  ]);
  for (const id of customerIds) expect(await one.history(id)).toMatchObject([{ version: 1, type: "CREATED", actor: two.keyId }]);
});

test("what was not written leaves no event", async () => {
  const { create, batch, update } = caller(gateway, await gateway.key({ bank: "nothing" }));
  const { id, email } = await create({ firstname: "A", lastname: "B", email: "only@example.com", country: "NG" });
  await batch([batchRow(1), batchRow(2, { email })], { atomicity: "ALL_OR_NOTHING" });
  await batch([batchRow(1)], { dryRun: true });
  await create({ firstname: "A", lastname: "B", email, country: "NG" });
  await update({ id, update: { email: "nobody" } });
  await update({ id, expectedVersion: 9, update: { state: "Kano" } });
  const events = await db.customerEvent.findMany({ where: { bankId: "nothing" } });
  expect(events.map(({ customerId, version }) => [customerId, version])).toEqual([[id, 1]]);
});

test("events hold no personal value", async () => {
  const { create, update, blacklist } = caller(gateway, await gateway.key({ bank: "values" }));
  const values = {
    firstname: "Zuriel",
    middlename: "Quenby",
    lastname: "Xanthe",
    accountName: "Zuriel Q. Xanthe",
    email: "zuriel@example.com",
    phone: "+2348035551234",
    address: "77 Nowhere Close",
    state: "Adamawa",
    displayPicture: "https://example.com/zuriel.png",
  };
  const personal = { ...values, clientRef: "ref-zuriel", reference: "internal-zuriel", accountNumber: "9988776655" };
  const { id, phrase } = await create({ ...personal, country: "NG", gender: "OTHER" });
  const changed = { ...values, firstname: "Yorick", email: "yorick@example.com", phone: "+2348035559999", address: null };
  await update({ id, update: changed });
  await blacklist({ id, blacklisted: true, note: "A private remark", reason: "FRAUD" });
  const rows = await db.$queryRaw<{ text: string }[]>`SELECT e::text AS text FROM customer_event AS e WHERE bank_id = 'values'`;
  expect(rows).toHaveLength(3);
  const texts = rows
    .map(({ text }) => text)
    .join("\n")
    .toLowerCase();
  for (const value of [...Object.values(personal), ...Object.values(changed), phrase, "A private remark"]) {
    if (value !== null) expect(texts).not.toContain(value.toLowerCase());
  }
});

test("a history is read newest first, page by page, and only with SENSITIVE visibility", async () => {
  const key = await gateway.key({ bank: "pages" });
  const { create, update } = caller(gateway, key);
  const { id } = await create({ firstname: "A", lastname: "B", email: "pages@example.com", country: "NG" });
  for (let turn = 2; turn <= 7; turn++) await update({ id, update: { state: `State ${turn}` } });
  const read = async (bearer: string, after?: string) => {
    const { body } = await gateway.query(
      bearer,
      `query ($id: ID!, $after: String) { customer(by: { id: $id }) {
        redactedFields history(first: 3, after: $after) { pageInfo { hasNextPage endCursor } nodes { version } }
      } }`,
      { id, after },
    );
    return dataOf(body);
  };
  const versions: number[] = [];
  let page = (await read(key)).history;
  versions.push(...page.nodes.map(({ version }: { version: number }) => version));
  while (page.pageInfo.hasNextPage) {
    page = (await read(key, page.pageInfo.endCursor)).history;
    versions.push(...page.nodes.map(({ version }: { version: number }) => version));
  }
  expect(versions).toEqual([7, 6, 5, 4, 3, 2, 1]);
  const extended = await gateway.key({ bank: "pages", scopes: ["customers:read:extended"] });
  expect(await read(extended)).toEqual({ redactedFields: ["HISTORY"], history: null });
});
