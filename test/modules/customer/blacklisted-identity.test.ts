import { expect, test } from "vitest";
import { batchRow, caller, person } from "../../support/customers.ts";
import { openGateway } from "../../support/gateway.ts";

const gateway = await openGateway();
const { db } = gateway.app.services;

/** A registration that is refused says this, whoever it met, and by which value. */
const ISSUES = [{ field: null, message: "this registration cannot be accepted" }];
const REFUSED = { __typename: "InvalidCustomerData", code: "INVALID_CUSTOMER_DATA", message: "Invalid customer data", issues: ISSUES };

let number = 0;
/** A bank with one blacklisted customer, and what is refused for it. */
async function scene(options: object = {}) {
  const bank = `scene-${++number}`;
  const calls = caller(gateway, await gateway.key({ bank }));
  const { create, batch, update, blacklist } = calls;
  const known = await create({ firstname: "K", lastname: "N", email: "known@example.com", phone: "+2348020000001", country: "NG" });
  await blacklist({ id: known.id, blacklisted: true, ...options });
  const other = await create({ firstname: "O", lastname: "T", email: "other@example.com", country: "NG" });
  let fresh = 0;
  /** What a registration with these values comes to, by each of the three ways in. */
  const tryAll = async (values: { email?: string; phone?: string }) => {
    const row = () => batchRow(++fresh, values);
    const { accountName: _, ...single } = row();
    const [created, dry, batched, atomic, updated] = [
      await create(single),
      await batch([row()], { dryRun: true }),
      await batch([row(), row()].slice(0, 1)),
      await batch([row()], { atomicity: "ALL_OR_NOTHING" }),
      await update({ id: other.id, update: values }),
    ];
    return { created, dry, batched, atomic, updated };
  };
  return { ...calls, bank, known, other, tryAll };
}

const expectRefused = ({ created, dry, batched, atomic, updated }: Record<string, any>) => {
  expect(created).toEqual(REFUSED);
  for (const result of [dry, batched, atomic]) {
    expect(result.failures).toMatchObject([{ index: 0, code: "VALIDATION_ERROR", message: ISSUES[0]!.message, issues: ISSUES }]);
    expect(result.summary).toMatchObject({ failed: 1, invalidData: 1, duplicates: 0 });
  }
  expect(updated).toEqual(REFUSED);
};

test("the same phone is refused without saying whom it met", async () => {
  const { tryAll, bank } = await scene();
  expectRefused(await tryAll({ phone: "0802 000 0001" }));
  expect(await db.customer.count({ where: { bankId: bank } })).toBe(2);
});

test("the same e-mail is told as what everyone learns anyway: that it exists", async () => {
  const { tryAll, known } = await scene();
  const { created, dry, batched, atomic, updated } = await tryAll({ email: "KNOWN@example.com", phone: "+2348020000001" });
  expect(created).toMatchObject({ __typename: "CustomerAlreadyExists", matchedOn: "EMAIL" });
  for (const { failures } of [dry, batched, atomic])
    expect(failures).toMatchObject([{ code: "EXISTING_CUSTOMER", matchedOn: "EMAIL", customerId: known.id }]);
  expect(updated).toMatchObject({ __typename: "CustomerAlreadyExists", matchedOn: "EMAIL" });
});

test("an e-mail that was given up while blacklisted stays refused, and the customer itself may take it back", async () => {
  const { tryAll, known, update } = await scene();
  await update({ id: known.id, update: { email: "new@example.com", phone: "+2348020000002" } });
  expectRefused(await tryAll({ email: "known@example.com" }));
  expectRefused(await tryAll({ phone: "+2348020000001" }));
  expectRefused(await tryAll({ phone: "+2348020000002" }));
  expect(await update({ id: known.id, update: { email: "known@example.com", phone: "+2348020000001" } })).toMatchObject({
    __typename: "Customer",
  });
  expectRefused(await tryAll({ email: "new@example.com" }));
});

test("what the customer had given up before it was blacklisted is free", async () => {
  const { bank } = await scene();
  const { create, update, blacklist } = caller(gateway, await gateway.key({ bank }));
  const someone = await create({ firstname: "P", lastname: "Q", email: "p@example.com", phone: "+2348020000077", country: "NG" });
  await update({ id: someone.id, update: { email: "q@example.com", phone: null } });
  await blacklist({ id: someone.id, blacklisted: true });
  expect(await create({ firstname: "R", lastname: "S", email: "p@example.com", phone: "+2348020000077", country: "NG" })).toMatchObject({
    __typename: "Customer",
  });
});

test("another bank and the other mode know nothing of it", async () => {
  const { bank } = await scene();
  for (const place of [{ bank: "elsewhere" }, { bank, mode: "LIVE" as const }]) {
    const { create } = caller(gateway, await gateway.key(place));
    expect(
      await create({ firstname: "A", lastname: "B", email: "known@example.com", phone: "+2348020000001", country: "NG" }),
    ).toMatchObject({ __typename: "Customer" });
  }
});

test("after lifting it passes", async () => {
  const { tryAll, known, update, blacklist } = await scene();
  await update({ id: known.id, update: { email: "new@example.com" } });
  await blacklist({ id: known.id, blacklisted: false });
  const { created, updated } = await tryAll({ phone: "+2348020000001" });
  expect([created.__typename, updated.__typename]).toEqual(["Customer", "Customer"]);
  expect((await tryAll({ email: "known@example.com" })).created.__typename).toBe("Customer");
});

test("after it ran out it passes, before any job; a longer entry covers every value that is held", async () => {
  const soon = new Date(Date.now() + 60 * 60 * 1000).toISOString();
  const { tryAll, known, update, blacklist, bank } = await scene({ expiresAt: soon });
  await update({ id: known.id, update: { email: "new@example.com" } });
  await blacklist({ id: known.id, blacklisted: true, expiresAt: null });
  const held = await db.blacklistedIdentity.findMany({ where: { bankId: bank } });
  expect(held.map(({ expiresAt }) => expiresAt)).toEqual([null, null, null]);
  await blacklist({ id: known.id, blacklisted: true, expiresAt: soon });
  expectRefused(await tryAll({ email: "known@example.com" }));
  await db.blacklistedIdentity.updateMany({ where: { bankId: bank }, data: { expiresAt: new Date(Date.now() - 1) } });
  expect((await tryAll({ email: "known@example.com" })).created.__typename).toBe("Customer");
});

test("of two blacklisted customers with one phone, lifting one leaves the other's entry", async () => {
  const { create, blacklist, tryAll, known, update } = await scene();
  const twin = await create({ firstname: "T", lastname: "W", email: "twin@example.com", country: "NG" });
  await blacklist({ id: known.id, blacklisted: false });
  await update({ id: twin.id, update: { phone: "+2348020000001" } });
  for (const { id } of [known, twin]) await blacklist({ id, blacklisted: true });
  await blacklist({ id: known.id, blacklisted: false });
  expectRefused(await tryAll({ phone: "+2348020000001" }));
  // Its own holder may still be updated otherwise.
  expect(await update({ id: known.id, update: { state: "Kano" } })).toMatchObject({ __typename: "Customer" });
});

test("in a batch, an existing match and an earlier row are told before the refusal", async () => {
  const { batch, known } = await scene();
  const phone = "+2348020000001";
  const { failures, summary } = await batch([
    batchRow(1, { phone }),
    batchRow(2),
    batchRow(3, { phone, clientRef: "client-2" }),
    batchRow(4, { phone, email: "known@example.com" }),
    batchRow(5, { phone, country: "ZZ" }),
  ]);
  expect(failures.map(({ index, code }: { index: number; code: string }) => [index, code])).toEqual([
    [0, "VALIDATION_ERROR"],
    [2, "DUPLICATE_IN_BATCH"],
    [3, "EXISTING_CUSTOMER"],
    [4, "VALIDATION_ERROR"],
  ]);
  expect(failures[2].customerId).toBe(known.id);
  expect(summary).toMatchObject({ successful: 1, failed: 4, duplicates: 2, invalidData: 2 });
});

test("nobody learns whose a value is by having it blacklisted on another", async () => {
  const key = await gateway.key({ bank: "decoy" });
  const guesser = caller(gateway, await gateway.key({ bank: "decoy", scopes: ["customers:write", "customers:blacklist"] }));
  const victim = await caller(gateway, key).create(person("victim", { phone: "+2348012345678" }));
  const answers = [];
  for (const phone of ["+2348012345678", "+2348087654321"]) {
    const decoy = await guesser.create(person(`decoy${phone.slice(-4)}`, { phone }));
    await guesser.blacklist({ id: decoy.id, blacklisted: true });
    answers.push(await guesser.update({ id: victim.id, update: { phone } }));
  }
  expect(answers[0]).toMatchObject({ __typename: "InvalidCustomerData" });
  expect(answers[0]).toEqual(answers[1]);
  expect(await caller(gateway, key).find({ id: victim.id })).toMatchObject({ version: 1, phone: "+2348012345678" });
});
