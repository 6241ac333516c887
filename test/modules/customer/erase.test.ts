import { pino } from "pino";
import { afterAll, expect, test } from "vitest";
import { verifyAudit } from "../../../src/audit/verify.ts";
import { expireBlacklists } from "../../../src/modules/customer/customer.jobs.ts";
import { batchRow, caller, everyRow, person } from "../../support/customers.ts";
import { openGateway } from "../../support/gateway.ts";
import { openReceiver } from "../../support/receiver.ts";
import { webhooksOf } from "../../support/webhooks.ts";
import { flush } from "../audit/support.ts";
import { CANARIES } from "../../access/canary.customer.ts";

const log: string[] = [];
const gateway = await openGateway(
  {},
  { webhookWaits: [0.1, 0.1], log: pino({ level: "trace" }, { write: (line: string) => void log.push(line) }) },
);
const { db } = gateway.app.services;
const key = await gateway.key();
const { create, update, blacklist, batch, erase, find, history, linkDevice } = caller(gateway, key);

const NOT_FOUND = { __typename: "CustomerNotFound", code: "CUSTOMER_NOT_FOUND", message: "Customer not found" };
const IN_AN_HOUR = () => new Date(Date.now() + 3_600_000).toISOString();
const hashesOf = (customerId: string) => db.blacklistedIdentity.count({ where: { customerId } });

test("who was erased is null by every key and in no list, meets no mutation, and leaves the keys free", async () => {
  const values = { ...person("erased", { clientRef: "erased-client", reference: "erased-reference" }), idempotencyKey: "erased" };
  const made = await create(values);
  const erased = await erase({ id: made.id, reason: "REQUEST" });
  expect(erased).toEqual({
    __typename: "CustomerErased",
    id: made.id,
    phrase: made.phrase,
    reason: "REQUEST",
    erasedAt: expect.any(String),
  });
  const { id, phrase, email, clientRef, reference } = made;
  for (const by of [{ id }, { phrase }, { email }, { clientRef }, { reference }]) expect(await find(by)).toBeNull();
  const { body } = await gateway.query(
    key,
    "query ($id: ID!) { node(id: $id) { id } customers(filter: { ids: [$id] }) { nodes { id } } }",
    {
      id,
    },
  );
  expect(body.data).toEqual({ node: null, customers: { nodes: [] } });
  expect(await update({ id, update: { state: "Kano" } })).toEqual(NOT_FOUND);
  expect(await blacklist({ id, blacklisted: true })).toEqual(NOT_FOUND);
  expect(await erase({ id })).toEqual(NOT_FOUND);
  // A late retry of the registration does not bring the person back.
  expect(await create(values)).toMatchObject({ __typename: "IdempotencyConflict" });

  const tombstone = { bankId: "alpha", mode: "SANDBOX", id, phrase, reason: "REQUEST", actor: key.split("_")[2] };
  expect(await db.erasedCustomer.findFirst({ where: { id } })).toEqual({ ...tombstone, at: new Date(erased.erasedAt) });
  const again = await create({ ...values, idempotencyKey: null });
  expect(again).toMatchObject({ __typename: "Customer", email, version: 1 });
  expect(again.id).not.toBe(id);
  expect((await history(again.id)).map(({ type }) => type)).toEqual(["CREATED"]);
});

test("no column of any table, nor the log, holds a value of who was erased, though whoever is blacklisted is known when it comes again", async () => {
  const {
    blacklist: note,
    devices: device,
    consent: source,
    version: _v,
    createdAt: _c,
    updatedAt: _u,
    lifecycle: _l,
    ...values
  } = CANARIES;
  const consent = { source, at: "2003-04-05T06:07:08.000Z", textVersion: "zqtextversion" };
  const row = batchRow(1, { ...values, accountName: "Zqaccount", consent });
  const first = await batch([row, { ...row, email: "twin@example.com" }], { idempotencyKey: "whole" });
  expect(first.summary).toMatchObject({ successful: 1, failed: 1 });
  const [id] = first.customerIds;
  const second = await batch([{ ...row, clientRef: "another-name-of-the-client" }]);
  expect(second.failures).toMatchObject([{ customerId: id, clientRef: "another-name-of-the-client" }]);
  expect(await linkDevice({ id, deviceId: device })).toMatchObject({ devices: [{ deviceId: device }] });
  expect(await db.discovery.count({ where: { customerId: id } })).toBe(2);
  await blacklist({ id, blacklisted: true, note });
  await update({ id, update: { address: "Zqaddress 2" } });
  await batch([batchRow(2, { clientRef: "waits", email: row.email })], { processing: "BACKGROUND" });
  await expect.poll(() => db.batch.count({ where: { status: "PROCESSING" } }), { timeout: 30_000 }).toBe(0);
  await gateway.query(key, "query ($id: ID!) { exportCustomerData(id: $id) { categories { records } } }", { id });

  const { country: _country, address: _address, consent: _consent, ...personal } = row as Record<string, unknown>;
  const texts = [...Object.values(personal).map(String), source, "zqtextversion", "Zqaddress 2", "another-name-of-the-client", "waits"];
  const sealed = [row.accountNumber, note, device];
  // Bytes are printed as hexadecimal digits.
  const forms = (value: string) => [value.toLowerCase(), Buffer.from(value).toString("hex")];
  const found = async () => {
    const rows = await everyRow(gateway);
    expect(new Set(rows.map(({ table }) => table))).toContain("jobs.job_common");
    return [...texts, ...sealed].filter((value) => rows.some(({ text }) => forms(value).some((form) => text.toLowerCase().includes(form))));
  };
  /** Whatever has the customer's id: of a table that is new here, it must be said whether it may. */
  const tablesOf = async () => new Set((await everyRow(gateway)).flatMap(({ table, text }) => (text.includes(id) ? [table] : [])));
  expect(await found()).toEqual(texts.filter((text) => text !== row.accountNumber));
  expect(await tablesOf()).toEqual(
    new Set(["customer", "customer_event", "batch", "batch_failure", "blacklist_entry", "blacklisted_identity", "device", "discovery"]),
  );
  expect(await erase({ id, reason: "CONSENT_WITHDRAWN" })).toMatchObject({ __typename: "CustomerErased" });
  expect(await found()).toEqual([]);
  expect(await tablesOf()).toEqual(new Set(["customer_event", "batch", "batch_failure", "blacklisted_identity", "erased_customer"]));
  expect(await create({ ...person("comes.again"), email: row.email })).toMatchObject({ __typename: "InvalidCustomerData" });
  await flush(gateway.app);
  expect(await found()).toEqual([]);
  expect(log.length).toBeGreaterThan(10);
  for (const value of [...texts, ...sealed]) expect(log.filter((line) => line.toLowerCase().includes(value.toLowerCase()))).toEqual([]);
  // The audit holds no value, so nothing of it had to go.
  expect(await verifyAudit(db, gateway.app.services.keyring)).toMatchObject({ problems: [], unlinked: 0 });
  expect(await db.auditEntry.count({ where: { operation: "eraseCustomer" } })).toBeGreaterThan(0);
  // What is left: who did what and when.
  const events = await db.customerEvent.findMany({ where: { customerId: id }, orderBy: { version: "asc" } });
  expect(events.map(({ type, version }) => [type, version])).toEqual([
    ["CREATED", 1],
    ["DEVICE_LINKED", 2],
    ["BLACKLISTED", 3],
    ["UPDATED", 4],
    ["ERASED", 5],
  ]);
});

test("who is blacklisted is recognised after erasure, for as long as the entry would have lasted; who is not is not", async () => {
  const fresh = (name: string) => create(person(name, { phone: `+23480${String(20_000_000 + name.length)}` }));
  const [forEver, lifted, runsOut] = [await fresh("for.ever"), await fresh("lifted.since"), await fresh("runs.out.soon")];
  await blacklist({ id: forEver.id, blacklisted: true });
  await blacklist({ id: lifted.id, blacklisted: true });
  await blacklist({ id: lifted.id, blacklisted: false });
  await blacklist({ id: runsOut.id, blacklisted: true, expiresAt: IN_AN_HOUR() });
  for (const { id } of [forEver, lifted, runsOut]) await erase({ id });
  const refused = { __typename: "InvalidCustomerData", issues: [{ field: null, message: "this registration cannot be accepted" }] };
  expect(await create(person("for.ever"))).toMatchObject(refused);
  expect(await create(person("somebody", { phone: forEver.phone }))).toMatchObject(refused);
  expect(await create(person("runs.out.soon"))).toMatchObject(refused);
  expect(await create(person("lifted.since"))).toMatchObject({ __typename: "Customer" });
  expect(await Promise.all([forEver, lifted, runsOut].map(({ id }) => hashesOf(id)))).toEqual([2, 0, 2]);

  await db.blacklistedIdentity.updateMany({ where: { customerId: runsOut.id }, data: { expiresAt: new Date(Date.now() - 1000) } });
  await expireBlacklists(gateway.app.services).run();
  expect(await Promise.all([forEver, runsOut].map(({ id }) => hashesOf(id)))).toEqual([2, 0]);
  expect(await create(person("runs.out.soon"))).toMatchObject({ __typename: "Customer" });
});

test("webhooks tell of the erasure after all that came before it, and of no value", async () => {
  const receiver = await openReceiver();
  afterAll(() => receiver.close());
  const bankKey = await gateway.key({ bank: "told" });
  const bank = caller(gateway, bankKey);
  const events = ["CUSTOMER_CREATED", "CUSTOMER_UPDATED", "CUSTOMER_ERASED"];
  await webhooksOf(gateway, bankKey).create({ url: receiver.url, events, visibility: "SENSITIVE" });
  let open = false;
  receiver.answer((response) => response.writeHead(open ? 204 : 500).end());
  const { id } = await bank.create(person("told"));
  await receiver.until(1);
  await bank.erase({ id });
  const before = receiver.received.length;
  open = true;
  const received = (await receiver.until(before + 2)).slice(before);
  expect(received.map(({ body }) => [body.type, body.data.sequence, body.data.customerId, body.data.customer])).toEqual([
    ["customer.created", 1, id, null],
    ["customer.erased", 2, id, null],
  ]);
  for (const { text } of received) expect(text).not.toContain("told@example.com");
});

test("of many that erase and change one customer at once, one erases, and nothing of it is left", async () => {
  const { id } = await create(person("at.once", { address: "At Once 1" }));
  const results = await Promise.all(
    Array.from({ length: 30 }, (_, index) =>
      index % 3 === 0
        ? erase({ id })
        : index % 3 === 1
          ? update({ id, update: { address: `At Once ${index}` } })
          : blacklist({ id, blacklisted: true, note: `At Once ${index}` }),
    ),
  );
  expect(results.filter(({ __typename }) => __typename === "CustomerErased")).toHaveLength(1);
  for (const { __typename } of results) expect(["CustomerErased", "CustomerNotFound", "Customer"]).toContain(__typename);
  const rows = await everyRow(gateway);
  expect(rows.filter(({ text }) => text.includes("At Once") || text.includes("at.once@"))).toEqual([]);
  expect(await db.erasedCustomer.count({ where: { id } })).toBe(1);
});
