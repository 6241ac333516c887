import dns from "node:dns";
import { afterAll, describe, expect, test, vi } from "vitest";
import { isPublicAddress } from "../../../src/modules/webhook/webhook.address.ts";
import { createSender } from "../../../src/modules/webhook/webhook.send.ts";
import { openGateway } from "../../support/gateway.ts";
import { openReceiver } from "../../support/receiver.ts";
import { webhooksOf } from "../../support/webhooks.ts";

const gateway = await openGateway({ webhooksMayBePrivate: false });
const webhooks = webhooksOf(gateway, await gateway.key());
const receiver = await openReceiver();
afterAll(() => receiver.close());
const { port } = new URL(receiver.url);
const guarded = createSender({ allowPrivate: false });
const open = createSender({ allowPrivate: true });
afterAll(() => Promise.all([guarded.close(), open.close()]));

/** Ways to write an address of this machine, or of the network's metadata service. */
const FORMS = [
  "127.0.0.1",
  "127.1",
  "127.8.9.10",
  "0.0.0.0",
  "0",
  "2130706433",
  "0x7f000001",
  "0x7f.1",
  "017700000001",
  "0177.0.0.1",
  "[::1]",
  "[::]",
  "[::ffff:127.0.0.1]",
  "[::ffff:7f00:1]",
  "[::127.0.0.1]",
  "[64:ff9b::7f00:1]",
  "[fe80::1]",
  "[fd00::1]",
  "[2002:7f00:1::]",
  "169.254.169.254",
  "2852039166",
  "[::ffff:169.254.169.254]",
  "10.0.0.1",
  "172.16.0.1",
  "192.168.1.1",
  "100.64.0.1",
  "224.0.0.1",
  "255.255.255.255",
  "localhost",
  "localhost.",
  "deep.LocalHost",
];

describe.each(FORMS)("http://%s", (host) => {
  test("is no endpoint, and nothing connects to it", async () => {
    for (const scheme of ["http", "https"]) {
      const url = `${scheme}://${host}:${port}/`;
      expect(await webhooks.create({ url, events: ["CUSTOMER_CREATED"], visibility: "STANDARD" })).toMatchObject({
        __typename: "InvalidWebhookEndpoint",
        issues: [{ field: "url" }],
      });
      expect(await guarded.send(url, "{}", {})).toEqual({ outcome: "ERR_FORBIDDEN_ADDRESS", delivered: false, gone: false });
    }
    expect(receiver.connections()).toBe(0);
  });
});

test("a name that leads to this machine is refused when it connects, and so is one whose address changes", async () => {
  expect(await guarded.send(`http://localhost:${port}/`, "{}", {})).toMatchObject({ outcome: "ERR_FORBIDDEN_ADDRESS" });
  expect(await guarded.send(`http://localhost.:${port}/`, "{}", {})).toMatchObject({ delivered: false });
  // A name server that answers otherwise from one time to the next: each connection is judged by the answer that it is made by.
  const answers = [[{ address: "93.184.215.14", family: 4 }], [{ address: "127.0.0.1", family: 4 }]];
  const lookup = vi
    .spyOn(dns, "lookup")
    .mockImplementation(((_name: string, _options: object, done: Function) =>
      done(null, answers[Math.min(lookup.mock.calls.length, 2) - 1])) as never);
  const mixed = [
    { address: "93.184.215.14", family: 4 },
    { address: "127.0.0.1", family: 4 },
  ];
  try {
    await guarded.send(`http://rebinding.example:${port}/`, "{}", {});
    expect(await guarded.send(`http://rebinding.example:${port}/`, "{}", {})).toMatchObject({ outcome: "ERR_FORBIDDEN_ADDRESS" });
    lookup.mockImplementation(((_name: string, _options: object, done: Function) => done(null, mixed)) as never);
    expect(await guarded.send(`http://mixed.example:${port}/`, "{}", {})).toMatchObject({ outcome: "ERR_FORBIDDEN_ADDRESS" });
  } finally {
    lookup.mockRestore();
  }
  expect(receiver.connections()).toBe(0);
  // Where the operator allows it, the same address is reached: so it was the guard, and nothing else.
  expect(await open.send(receiver.url, "{}", {})).toMatchObject({ outcome: "204", delivered: true });
});

test("public addresses are public", () => {
  for (const address of ["93.184.215.14", "8.8.8.8", "2606:2800:21f:cb07:6820:80da:af6b:8b2c"]) expect(isPublicAddress(address)).toBe(true);
  for (const odd of ["", "localhost", "::808:808", "4000::1", "fe80::1%eth0"]) expect(isPublicAddress(odd)).toBe(false);
});

test.each([
  ["http://bank.example/hooks", "must be an https:// URL"],
  ["ftp://bank.example/", "must be an https:// URL"],
  ["bank.example", "must be an https:// URL"],
  ["", "must be an https:// URL"],
  ["https://user:word@bank.example/", "must hold no user name and no password"],
  ["https://bank.example/#part", "must hold no fragment"],
  [`https://bank.example/${"x".repeat(2000)}`, "must have at most 2000 characters"],
])("%s is no URL of an endpoint", async (url, message) => {
  expect(await webhooks.create({ url, events: ["CUSTOMER_CREATED"], visibility: "STANDARD" })).toMatchObject({
    issues: [{ field: "url", message }],
  });
});

test("an endpoint shows and tells no more than its key may see, and only who may see as much may touch it", async () => {
  const low = webhooksOf(gateway, await gateway.key({ scopes: ["customers:read", "webhooks:manage"] }));
  const none = webhooksOf(gateway, await gateway.key({ scopes: ["webhooks:manage"] }));
  const url = "https://bank.example/hooks";
  const refused = (field: string) => ({ __typename: "InvalidWebhookEndpoint", issues: [{ field }] });
  expect(await low.create({ url, events: ["CUSTOMER_CREATED"], visibility: "EXTENDED" })).toMatchObject(refused("visibility"));
  expect(await none.create({ url, events: ["CUSTOMER_CREATED"], visibility: "STANDARD" })).toMatchObject(refused("visibility"));
  for (const event of ["CUSTOMER_BLACKLISTED", "CUSTOMER_UNBLACKLISTED", "BATCH_COMPLETED"]) {
    expect(await low.create({ url, events: [event], visibility: "STANDARD" })).toMatchObject(refused("events"));
  }
  for (const events of [[], ["TEST"]]) expect(await low.create({ url, events, visibility: "STANDARD" })).toMatchObject(refused("events"));
  const { endpoint } = await webhooks.create({ url, events: ["CUSTOMER_CREATED"], visibility: "SENSITIVE" });
  const { id } = endpoint;
  expect(await low.update({ id, url: "https://elsewhere.example/" })).toMatchObject(refused("id"));
  expect(await low.rotate({ id })).toMatchObject(refused("id"));
  expect(await low.remove(id)).toMatchObject({ __typename: "InvalidWebhookEndpoint" });
  expect(await webhooks.update({ id, visibility: "STANDARD", events: ["BATCH_COMPLETED"] })).toMatchObject(refused("events"));
  expect(await webhooks.update({ id, url: null, enabled: null })).toMatchObject({ issues: [{ field: "enabled" }, { field: "url" }] });
  expect((await webhooks.list()).find((one: any) => one.id === id)).toMatchObject({
    url,
    visibility: "SENSITIVE",
    events: ["CUSTOMER_CREATED"],
  });
});

test("a bank has at most 100 endpoints", async () => {
  const many = webhooksOf(gateway, await gateway.key({ bank: "many" }));
  const make = () => many.create({ url: "https://bank.example/", events: ["CUSTOMER_CREATED"], visibility: "STANDARD" });
  for (let made = 0; made < 100; made += 1) expect(await make()).toMatchObject({ __typename: "WebhookEndpointIssued" });
  expect(await make()).toMatchObject({ issues: [{ field: null, message: "there are 100 already" }] });
});
