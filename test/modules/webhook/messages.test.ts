import { createHmac } from "node:crypto";
import { Webhook } from "standardwebhooks";
import { afterAll, afterEach, expect, test, vi } from "vitest";
import { batchRow, caller, everyRow, person } from "../../support/customers.ts";
import { openGateway } from "../../support/gateway.ts";
import { merchantRow, provider } from "../../support/merchants.ts";
import { openReceiver, type Received } from "../../support/receiver.ts";
import { webhooksOf } from "../../support/webhooks.ts";

const gateway = await openGateway({}, { webhookWaits: [0.1, 0.1, 0.1] });
const receiver = await openReceiver();
afterAll(() => receiver.close());
afterEach(() => {
  receiver.received.length = 0;
  receiver.answer((response) => response.writeHead(204).end());
});

const EVERY_CUSTOMER_EVENT = ["CUSTOMER_CREATED", "CUSTOMER_UPDATED", "CUSTOMER_BLACKLISTED", "CUSTOMER_UNBLACKLISTED"];

/** A bank of its own with an endpoint. */
async function bankWith(bank: string, visibility = "EXTENDED", events = EVERY_CUSTOMER_EVENT) {
  const key = await gateway.key({ bank });
  const webhooks = webhooksOf(gateway, key);
  const { endpoint, secret } = await webhooks.create({ url: receiver.url, events, visibility });
  return { ...caller(gateway, key), key, webhooks, id: endpoint.id as string, secret: secret as string };
}

/** Throws unless the message is signed by the secret, in both ways. */
function verify({ headers, text }: Received, secret: string, plainHeader = "x-signature") {
  new Webhook(secret).verify(text, headers as Record<string, string>);
  expect(headers[plainHeader]).toBe(createHmac("sha256", secret).update(text).digest("hex"));
}

test("each change is told in order, signed in both ways, with what a key of the endpoint's visibility would be shown", async () => {
  const bank = await bankWith("told");
  const { id } = await bank.create(person("told", { phone: "+2348012345678" }));
  await bank.update({ id, update: { state: "Lagos", middlename: "Mid" } });
  await bank.update({ id, update: { state: "Lagos" } });
  await bank.blacklist({ id, blacklisted: true, reason: "FRAUD", note: "a note" });
  await bank.blacklist({ id, blacklisted: false });
  const received = await receiver.until(4);
  expect(received.map(({ body }) => [body.type, body.data.sequence, body.data.version, body.data.customerId])).toEqual([
    ["customer.created", 1, 1, id],
    ["customer.updated", 2, 2, id],
    ["customer.blacklisted", 3, 3, id],
    ["customer.unblacklisted", 4, 4, id],
  ]);
  for (const message of received) verify(message, bank.secret);
  expect(received[1]!.body.data.changed.toSorted()).toEqual(["middlename", "state"]);
  const shown = await bank.find({ id });
  const { accountNumber: _1, blacklist: _2, __typename: _3, ...extended } = shown;
  expect(received[3]!.body.data.customer).toEqual({ ...extended, lifecycle: "REGISTERED", paymentsEnabled: false });
  expect(received[3]!.body).toMatchObject({ timestamp: shown.updatedAt, data: { bankId: "told", mode: "SANDBOX" } });
  expect(new Set(received.map(({ headers }) => headers["webhook-id"])).size).toBe(4);
  await vi.waitFor(
    async () =>
      expect(
        (await bank.webhooks.deliveries(bank.id)).map((delivery: any) => [
          delivery.type,
          delivery.sequence,
          delivery.state,
          delivery.outcome,
        ]),
      ).toEqual([
        ["CUSTOMER_UNBLACKLISTED", 4, "DELIVERED", "204"],
        ["CUSTOMER_BLACKLISTED", 3, "DELIVERED", "204"],
        ["CUSTOMER_UPDATED", 2, "DELIVERED", "204"],
        ["CUSTOMER_CREATED", 1, "DELIVERED", "204"],
      ]),
    { timeout: 30_000 },
  );
});

test("STANDARD: nothing above it is in a message, nor told by one that comes, nor by a sequence with gaps", async () => {
  const bank = await bankWith("standard", "STANDARD", ["CUSTOMER_CREATED", "CUSTOMER_UPDATED"]);
  const { id } = await bank.create(person("zqcanary", { accountName: "Shown Name", phone: "+2348012345679", address: "zqcanary road" }));
  await bank.update({ id, update: { address: "zqcanary lane" } });
  await bank.blacklist({ id, blacklisted: true, note: "zqcanary note" });
  await bank.update({ id, update: { accountName: "Other Name", state: "zqcanary state" } });
  const [created, updated, ...more] = await receiver.until(2);
  await new Promise((resolve) => setTimeout(resolve, 1500));
  expect(receiver.received.length).toBe(2);
  expect(more).toEqual([]);
  expect(created!.text + updated!.text + JSON.stringify([created!.headers, updated!.headers])).not.toContain("zqcanary");
  const { phrase, country } = await bank.find({ id });
  const customer = { id, bankId: "standard", phrase, gender: null, displayPicture: null, country };
  // Values are those of the time of sending, and a message may be sent after the next change.
  expect(created!.body).toEqual({
    type: "customer.created",
    data: {
      bankId: "standard",
      mode: "SANDBOX",
      customerId: id,
      sequence: 1,
      customer: { ...customer, accountName: expect.stringMatching(/Name$/) },
    },
  });
  expect(updated!.body).toEqual({
    type: "customer.updated",
    data: {
      bankId: "standard",
      mode: "SANDBOX",
      customerId: id,
      sequence: 2,
      changed: ["accountName"],
      customer: { ...customer, accountName: "Other Name" },
    },
  });
});

test("SENSITIVE: the account number and why, to who may see them", async () => {
  const bank = await bankWith("sensitive", "SENSITIVE");
  const [id] = (await bank.batch([batchRow(77, { email: "sensitive.77@example.com" })])).customerIds;
  await bank.blacklist({ id, blacklisted: true, reason: "COMPLIANCE", expiresAt: "2999-01-01T00:00:00.000Z" });
  const [created, blacklisted] = await receiver.until(2);
  expect(created!.body.data.customer.accountNumber).toBe("1000000077");
  expect(blacklisted!.body.data).toMatchObject({
    reason: "COMPLIANCE",
    expiresAt: "2999-01-01T00:00:00.000Z",
    actor: bank.key.split("_")[2],
  });
});

test("what waits to be sent holds no personal value", async () => {
  const bank = await bankWith("waiting", "SENSITIVE");
  receiver.answer((response) => response.writeHead(500).end());
  await bank.create(person("zqwaiting", { address: "zqwaiting road" }));
  await receiver.until(1);
  const rows = (await everyRow(gateway)).filter(({ table }) => table.startsWith("webhook"));
  expect(rows.length).toBeGreaterThan(1);
  expect(rows.filter(({ text }) => text.includes("zqwaiting") || text.includes(bank.secret))).toEqual([]);
  await bank.webhooks.remove(bank.id);
});

test("a batch's end is told once, from the background too, and each of its customers", async () => {
  const bank = await bankWith("batch", "EXTENDED", ["BATCH_COMPLETED", "CUSTOMER_CREATED"]);
  const rows = Array.from({ length: 120 }, (_, index) => batchRow(1000 + index));
  const { id } = await bank.batch([...rows, { clientRef: "bad" }], { processing: "BACKGROUND" });
  const { id: second } = await bank.batch([batchRow(5000)]);
  await receiver.until(123);
  await new Promise((resolve) => setTimeout(resolve, 1000));
  const about = receiver.received.filter(({ body }) => body.data.bankId === "batch");
  expect(about.length).toBe(123);
  const batches = about.filter(({ body }) => body.type === "batch.completed").map(({ body }) => body.data);
  expect(batches.map(({ batch }) => batch.id).toSorted()).toEqual([id, second].toSorted());
  const told = batches.find(({ batch }) => batch.id === id)!;
  expect(told.batch).toMatchObject({ status: "COMPLETED", dryRun: false, summary: { total: 121, successful: 120, failed: 1, pending: 0 } });
});

test("of a batch of merchants the message tells the id alone: no visibility of customers shows more", async () => {
  const bank = await bankWith("shops", "SENSITIVE", ["BATCH_COMPLETED"]);
  const { id } = await provider(gateway, bank.key).batch([merchantRow(1), {}], { processing: "BACKGROUND" });
  const [message] = await receiver.until(1);
  expect(message!.body).toEqual({
    type: "batch.completed",
    timestamp: expect.any(String),
    data: { bankId: "shops", mode: "SANDBOX", merchantsBatchId: id },
  });
});

test("another bank's and another mode's endpoints are told nothing", async () => {
  const bank = await bankWith("one");
  const live = webhooksOf(gateway, await gateway.key({ bank: "one", mode: "LIVE" }));
  await live.create({ url: `${receiver.url}/live`, events: EVERY_CUSTOMER_EVENT, visibility: "EXTENDED" });
  await webhooksOf(gateway, await gateway.key({ bank: "two" })).create({
    url: `${receiver.url}/two`,
    events: EVERY_CUSTOMER_EVENT,
    visibility: "EXTENDED",
  });
  await bank.create(person("only-one"));
  await receiver.until(1);
  await new Promise((resolve) => setTimeout(resolve, 1500));
  expect(receiver.received.map(({ path }) => path)).toEqual(["/hooks"]);
});

test("secrets rotate with both signatures, and then the older one signs no more", async () => {
  const bank = await bankWith("rotating");
  const rotated = await bank.webhooks.rotate({ id: bank.id, overlapSeconds: 3600 });
  await bank.webhooks.test(bank.id);
  const [both] = await receiver.until(1);
  expect(both!.body).toEqual({
    type: "test",
    timestamp: expect.any(String),
    data: { bankId: "rotating", mode: "SANDBOX", webhookEndpointId: bank.id },
  });
  verify(both!, bank.secret);
  verify(both!, rotated.secret, "x-signature-next");
  const again = await bank.webhooks.rotate({ id: bank.id, overlapSeconds: 0 });
  await bank.webhooks.test(bank.id);
  const [, one] = await receiver.until(2);
  verify(one!, again.secret);
  expect(one!.headers["x-signature-next"]).toBeUndefined();
  for (const older of [bank.secret, rotated.secret]) expect(() => verify(one!, older)).toThrow();
});

test("a change that is rolled back is not told", async () => {
  const bank = await bankWith("undone", "EXTENDED", ["BATCH_COMPLETED", "CUSTOMER_CREATED"]);
  const { status } = await bank.batch([batchRow(1), { clientRef: "bad" }], { atomicity: "ALL_OR_NOTHING" });
  expect(status).toBe("FAILED");
  await receiver.until(1);
  await new Promise((resolve) => setTimeout(resolve, 1500));
  expect(receiver.received.map(({ body }) => [body.type, body.data.batch?.status])).toEqual([["batch.completed", "FAILED"]]);
});
