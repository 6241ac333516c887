import { setTimeout as sleep } from "node:timers/promises";
import { expect, it, onTestFinished, vi } from "vitest";
import { command, type Env, freshEnv, keyFor, send, startGateway } from "../support/process.ts";
import { openReceiver } from "../support/receiver.ts";

/** How often the sender is killed; WEBHOOK_KILLS=50 for the whole of it, which takes some minutes. */
const KILLS = Number(process.env["WEBHOOK_KILLS"] ?? 6);

const CREATE = "mutation ($input: CreateCustomerInput!) { result: createCustomer(input: $input) { ... on Customer { id } } }";
const UPDATE = "mutation ($input: UpdateCustomerInput!) { result: updateCustomer(input: $input) { ... on Customer { version } } }";

it("makes, lists, changes, tests, replays and ends endpoints", { timeout: 180_000 }, async () => {
  const env = { ...(await freshEnv()), WEBHOOK_PRIVATE_ADDRESSES: "on" };
  const { url } = await startGateway(env);
  const receiver = await openReceiver();
  onTestFinished(() => receiver.close());
  const at: Env = { GATEWAY_URL: url, GATEWAY_KEY: await keyFor(env) };
  const json = async (...words: string[]) => {
    const { code, stdout, stderr } = await command(["webhooks", ...words, "--json"], at).ended;
    expect({ code, stderr }, words.join(" ")).toEqual({ code: 0, stderr: "" });
    return JSON.parse(stdout);
  };
  const refused = async (cause: RegExp, ...words: string[]) => {
    const { code, stderr } = await command(["webhooks", ...words], at).ended;
    expect(code).toBe(1);
    expect(stderr).toMatch(cause);
    expect(stderr).not.toMatch(/\n\s+at /);
  };
  const made = await json("create", "--to", receiver.url, "--events", "customer.created,BATCH_COMPLETED", "--visibility", "extended");
  const { id } = made.endpoint;
  expect(made).toMatchObject({ secret: expect.stringMatching(/^whsec_/), endpoint: { events: ["CUSTOMER_CREATED", "BATCH_COMPLETED"] } });
  expect(await json("list")).toMatchObject([{ id, url: receiver.url, enabled: true }]);
  const sent = await json("test", id);
  await receiver.until(1);
  await vi.waitFor(
    async () => expect(await json("deliveries", id, "--state", "delivered")).toMatchObject([{ id: sent.id, type: "TEST", outcome: "204" }]),
    {
      timeout: 30_000,
    },
  );
  expect(await json("replay", id, sent.id)).toMatchObject({ count: 1 });
  expect((await receiver.until(2)).map(({ headers }) => headers["webhook-id"])).toEqual([sent.id, sent.id]);
  expect((await json("rotate", id, "--overlap", "60")).secret).not.toBe(made.secret);
  expect(await json("update", id, "--off", "--visibility", "standard", "--events", "customer.updated")).toMatchObject({
    enabled: false,
    visibility: "STANDARD",
    events: ["CUSTOMER_UPDATED"],
    url: receiver.url,
  });
  await refused(/switched off/, "test", id);
  await refused(/Webhook endpoint not found/, "test", `whe_${crypto.randomUUID()}`);
  await refused(/url must be an https:\/\/ URL/, "create", "--to", "nowhere", "--events", "customer.created", "--visibility", "standard");
  await refused(/events: |WebhookEventType/, "create", "--to", receiver.url, "--events", "odd", "--visibility", "standard");
  await refused(/required option '--to/, "create", "--events", "customer.created", "--visibility", "standard");
  await refused(/either ids or a time/, "replay", id);
  expect(await json("delete", id)).toMatchObject({ id });
  expect(await json("list")).toEqual([]);
});

it(
  `kill -9 of the sender, ${KILLS} times: every event arrives, with one id however often, each customer's in its order`,
  { timeout: 1_200_000 },
  async () => {
    const env = { ...(await freshEnv()), WEBHOOK_PRIVATE_ADDRESSES: "on" };
    const key = await keyFor(env);
    const receiver = await openReceiver();
    onTestFinished(() => receiver.close());
    // Now and then it refuses, or takes its time: kills then meet messages under way.
    receiver.answer((response) => {
      const chance = Math.random();
      if (chance < 0.02) response.writeHead(500).end();
      else setTimeout(() => response.writeHead(200).end(), chance * 50);
    });
    let gateway = await startGateway(env);
    const input = { url: receiver.url, events: ["CUSTOMER_CREATED", "CUSTOMER_UPDATED"], visibility: "EXTENDED" };
    await send(gateway.url, key, "mutation ($input: CreateWebhookEndpointInput!) { createWebhookEndpoint(input: $input) { __typename } }", {
      input,
    });
    const expected = new Map<string, number>();
    for (let kill = 0; kill < KILLS; kill += 1) {
      for (let person = 0; person < 5; person += 1) {
        const customer = { firstname: "A", lastname: "B", country: "NG", email: `kill.${kill}.${person}@example.com` };
        const { data } = await send(gateway.url, key, CREATE, { input: customer });
        const { id } = data.result;
        for (const state of ["One", "Two", "Three"]) await send(gateway.url, key, UPDATE, { input: { id, update: { state } } });
        expected.set(id, 4);
      }
      await sleep(Math.random() * 1500);
      await gateway.end("SIGKILL");
      gateway = await startGateway(env);
    }
    receiver.answer((response) => response.writeHead(200).end());
    const settled = () => new Set(receiver.received.map(({ headers }) => headers["webhook-id"])).size;
    await vi.waitFor(() => expect(settled()).toBe(expected.size * 4), { timeout: 120_000, interval: 200 });
    const ids = new Map<string, Set<string>>();
    const highest = new Map<string, number>();
    for (const { body, headers } of receiver.received) {
      const { customerId, sequence } = body.data;
      const place = `${customerId} ${sequence}`;
      ids.set(place, (ids.get(place) ?? new Set()).add(String(headers["webhook-id"])));
      // One that was sent twice comes twice, but none comes before the one before it.
      expect(sequence).toBeLessThanOrEqual((highest.get(customerId) ?? 0) + 1);
      highest.set(customerId, Math.max(highest.get(customerId) ?? 0, sequence));
    }
    expect([...highest.values()].every((last) => last === 4)).toBe(true);
    expect([...ids.values()].every((all) => all.size === 1)).toBe(true);
    expect(ids.size).toBe(expected.size * 4);
  },
);
