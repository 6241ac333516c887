import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { batchRow, caller, everyRow, person } from "../../support/customers.ts";
import { openGateway } from "../../support/gateway.ts";

const gateway = await openGateway();
const { db } = gateway.app.services;
const key = await gateway.key();
const { create, batch, update, blacklist, find } = caller(gateway, key);

/** A text in every form in which a column could hold it readably, or be found by guessing. */
function readableForms(text: string): string[] {
  const bytes = Buffer.from(text);
  const guessable = ["md5", "sha1", "sha256", "sha512"].flatMap((name) => {
    const hash = createHash(name).update(text).digest();
    return [hash.toString("hex"), hash.toString("base64")];
  });
  return [text, bytes.toString("hex"), bytes.toString("base64").replace(/=+$/, ""), ...guessable];
}

test("account numbers and notes are readable in no column of any table", async () => {
  const secrets = ["ACC0123456789", "GB82WEST98765432", "Suspected of a very particular fraud"];
  const [accountNumber, inBatch, note] = secrets as [string, string, string];
  const customer = await create(person("single", { accountNumber, idempotencyKey: "sealed" }));
  const { failures } = await batch(
    [batchRow(1, { accountNumber: inBatch }), batchRow(2, { accountNumber: `${inBatch}_` }), batchRow(1, { accountNumber: inBatch })],
    { idempotencyKey: "sealed" },
  );
  expect(failures).toHaveLength(2);
  await blacklist({ id: customer.id, blacklisted: true, note });
  await blacklist({ id: customer.id, blacklisted: true, note, reason: "FRAUD" });
  await update({ id: customer.id, update: { state: "Kano" } });
  expect(await find({ id: customer.id })).toMatchObject({ accountNumber, blacklist: { note } });
  expect((await find({ clientRef: "client-1" })).accountNumber).toBe(inBatch);

  const rows = await everyRow(gateway);
  for (const table of ["customer", "blacklist_entry", "customer_event", "batch_failure", "idempotency_key"])
    expect(rows.map((row) => row.table)).toContain(table);
  // The scan does see what is not sealed.
  expect(rows.filter(({ text }) => text.includes("single@example.com")).map(({ table }) => table)).toEqual(["customer"]);
  for (const secret of secrets) {
    for (const form of readableForms(secret)) {
      expect(rows.filter(({ text }) => text.toLowerCase().includes(form.toLowerCase())).map(({ table }) => table)).toEqual([]);
    }
  }
});

test("equal account numbers give different ciphertexts", async () => {
  const { customerIds } = await batch([1, 2].map((number) => batchRow(100 + number, { accountNumber: "EQUAL0001" })));
  const [one, two] = await db.customer.findMany({ where: { id: { in: customerIds } }, select: { accountNumber: true } });
  expect(Buffer.from(one!.accountNumber!)).not.toEqual(Buffer.from(two!.accountNumber!));
});

test("a ciphertext that is moved or changed does not open, and says nothing", async () => {
  const customers = await Promise.all(["from", "to", "bits"].map((name) => create(person(name, { accountNumber: `SECRET-${name}` }))));
  const [from, to, bits] = customers as [any, any, any];
  const row = await db.customer.findFirstOrThrow({ where: { id: from.id } });
  await db.customer.updateMany({ where: { id: to.id }, data: { accountNumber: row.accountNumber } });
  const other = await db.customer.findFirstOrThrow({ where: { id: bits.id } });
  const changed = new Uint8Array(other.accountNumber!);
  changed[20]! ^= 1;
  await db.customer.updateMany({ where: { id: bits.id }, data: { accountNumber: changed } });
  for (const { id } of [to, bits]) {
    const { body } = await gateway.query(key, "query ($id: ID!) { customer(by: { id: $id }) { id accountNumber } }", { id });
    expect(body.data.customer).toEqual({ id, accountNumber: null });
    expect(body.errors).toMatchObject([
      { message: "Internal server error", path: ["customer", "accountNumber"], extensions: { code: "INTERNAL_SERVER_ERROR" } },
    ]);
    expect(JSON.stringify(body)).not.toContain("SECRET");
  }
  expect((await find({ id: from.id })).accountNumber).toBe("SECRET-from");
});

test("a note that is moved to another customer does not open", async () => {
  const [from, to] = await Promise.all(["note-from", "note-to"].map((name) => create(person(name))));
  for (const { id } of [from, to]) await blacklist({ id, blacklisted: true, note: `Note of ${id}` });
  const entry = await db.blacklistEntry.findFirstOrThrow({ where: { customerId: from.id } });
  await db.blacklistEntry.updateMany({ where: { customerId: to.id }, data: { note: entry.note } });
  const { body } = await gateway.query(key, "query ($id: ID!) { customer(by: { id: $id }) { blacklist { note } } }", { id: to.id });
  expect(body.data.customer).toEqual({ blacklist: { note: null } });
  expect(body.errors).toMatchObject([{ extensions: { code: "INTERNAL_SERVER_ERROR" } }]);
  expect((await find({ id: from.id })).blacklist.note).toBe(`Note of ${from.id}`);
});
