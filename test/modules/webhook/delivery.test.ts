import { afterAll, expect, test, vi } from "vitest";
import { caller, person } from "../../support/customers.ts";
import { openGateway } from "../../support/gateway.ts";
import { openReceiver } from "../../support/receiver.ts";
import { webhooksOf } from "../../support/webhooks.ts";

const gateway = await openGateway({}, { webhookWaits: [0.1, 0.2, 0.2] });

/** A bank of its own whose endpoint is a receiver of its own. */
async function bankWith(bank: string, events = ["CUSTOMER_CREATED", "CUSTOMER_UPDATED"]) {
  const receiver = await openReceiver();
  afterAll(() => receiver.close());
  const key = await gateway.key({ bank });
  const webhooks = webhooksOf(gateway, key);
  const { endpoint, secret } = await webhooks.create({ url: receiver.url, events, visibility: "EXTENDED" });
  const id = endpoint.id as string;
  return { ...caller(gateway, key), receiver, webhooks, id, secret, deliveries: (states?: string[]) => webhooks.deliveries(id, states) };
}

test("what fails is tried again under one id, and a customer's next event waits for it, while others' go on", async () => {
  const bank = await bankWith("again");
  let refused = 0;
  const { id: poisoned } = await bank.create(person("poisoned"));
  await bank.receiver.until(1);
  bank.receiver.answer((response, { body }) =>
    response.writeHead(body.data.customerId === poisoned && refused++ < 3 ? 500 : 200).end("ok"),
  );
  await bank.update({ id: poisoned, update: { state: "One" } });
  await bank.update({ id: poisoned, update: { state: "Two" } });
  const { id: other } = await bank.create(person("other"));
  const received = (await bank.receiver.until(7)).slice(1);
  const about = (id: string) => received.filter(({ body }) => body.data.customerId === id);
  expect(about(other)).toHaveLength(1);
  expect(about(poisoned).map(({ body }) => body.data.sequence)).toEqual([2, 2, 2, 2, 3]);
  expect(new Set(about(poisoned).map(({ headers }) => headers["webhook-id"])).size).toBe(2);
  await vi.waitFor(async () => expect((await bank.deliveries(["PENDING"])).length).toBe(0), { timeout: 30_000 });
  expect((await bank.deliveries()).find(({ sequence, attempts }: any) => sequence === 2 && attempts === 4)).toMatchObject({
    state: "DELIVERED",
    outcome: "200",
  });
});

test("after the last try it has FAILED, the next event goes out, and a replay sends it again by id and by time", async () => {
  const bank = await bankWith("failing");
  bank.receiver.answer((response) => response.writeHead(503).end());
  const { id } = await bank.create(person("failing"));
  await vi.waitFor(async () => expect(await bank.deliveries(["FAILED"])).toHaveLength(1), { timeout: 30_000 });
  const [failed] = await bank.deliveries();
  expect(failed).toMatchObject({ sequence: 1, attempts: 4, outcome: "503", dueAt: null });
  bank.receiver.answer((response) => response.writeHead(204).end());
  await bank.update({ id, update: { state: "Later" } });
  await vi.waitFor(async () => expect(await bank.deliveries(["DELIVERED"])).toHaveLength(1), { timeout: 30_000 });
  expect(await bank.webhooks.replay({ endpointId: bank.id, ids: [failed.id, `msg_${crypto.randomUUID()}`, "odd"] })).toEqual({
    __typename: "WebhooksReplayed",
    count: 1,
  });
  await vi.waitFor(async () => expect(await bank.deliveries(["DELIVERED"])).toHaveLength(2), { timeout: 30_000 });
  const before = bank.receiver.received.length;
  expect(await bank.webhooks.replay({ endpointId: bank.id, from: "2000-01-01T00:00:00Z" })).toMatchObject({ count: 2 });
  const received = await bank.receiver.until(before + 2);
  expect(received.slice(before).map(({ body }) => body.data.sequence)).toEqual([1, 2]);
  for (const wrong of [{}, { ids: [], from: "2000-01-01T00:00:00Z" }]) {
    expect(await bank.webhooks.replay({ endpointId: bank.id, ...wrong })).toMatchObject({ __typename: "InvalidWebhookEndpoint" });
  }
});

test("410 switches an endpoint off, and switched on again it goes on with what waited", async () => {
  const bank = await bankWith("gone");
  bank.receiver.answer((response) => response.writeHead(410).end());
  const { id } = await bank.create(person("gone"));
  await vi.waitFor(
    async () => expect((await bank.webhooks.list())[0]).toMatchObject({ enabled: false, disabledReason: "the receiver answered 410 Gone" }),
    { timeout: 30_000 },
  );
  await bank.update({ id, update: { state: "Unheard" } });
  expect(await bank.webhooks.test(bank.id)).toMatchObject({ __typename: "InvalidWebhookEndpoint" });
  await new Promise((resolve) => setTimeout(resolve, 2000));
  expect(bank.receiver.received).toHaveLength(1);
  bank.receiver.answer((response) => response.writeHead(204).end());
  expect(await bank.webhooks.update({ id: bank.id, enabled: true })).toMatchObject({ enabled: true, disabledReason: null });
  await bank.receiver.until(2);
  // The receiver has it a moment before the gateway has its answer.
  await expect
    .poll(async () => (await bank.deliveries()).map(({ type, state }: any) => [type, state]))
    .toEqual([["CUSTOMER_CREATED", "DELIVERED"]]);
});

test("a redirect is not followed, and a broken connection, an answer that is none and a closed port are tried again", async () => {
  const bank = await bankWith("odd");
  const trap = await openReceiver();
  afterAll(() => trap.close());
  const answers = [
    (response: any) => response.writeHead(302, { location: trap.url }).end(),
    (response: any) => response.writeHead(308, { location: trap.url }).end(),
    (response: any) => response.socket.destroy(),
    (response: any) => response.writeHead(200).end("x".repeat(10_000_000)),
  ];
  bank.receiver.answer((response) => answers[bank.receiver.received.length - 1]!(response));
  await bank.create(person("odd"));
  await vi.waitFor(async () => expect(await bank.deliveries(["DELIVERED"])).toHaveLength(1), { timeout: 30_000 });
  expect((await bank.deliveries())[0].attempts).toBe(4);
  expect(trap.connections()).toBe(0);
});

test("receivers that hang delay no other", async () => {
  const hanging = await Promise.all(Array.from({ length: 8 }, (_, index) => bankWith(`hanging-${index}`)));
  for (const bank of hanging) {
    bank.receiver.answer(() => {});
    await Promise.all(Array.from({ length: 12 }, (_, index) => bank.create(person(`hang${index}`))));
  }
  const well = await bankWith("well");
  for (let index = 0; index < 30; index += 1) await well.create(person(`well${index}`));
  const started = Date.now();
  await well.receiver.until(30);
  // Those that hang are given 15 seconds each, and none of them has answered yet.
  expect(Date.now() - started).toBeLessThan(15_000);
});
