import { expect, test, vi } from "vitest";
import { openGateway } from "../support/gateway.ts";
import { webhooksOf } from "../support/webhooks.ts";

const gateway = await openGateway({}, { webhookWaits: [0.1, 0.1] });

/** An endpoint of a bank's own that is sent a test, and what came of it. */
async function tested(name: string, mode: "SANDBOX" | "LIVE" = "SANDBOX") {
  const webhooks = webhooksOf(gateway, await gateway.key({ bank: name, mode }));
  const url = `https://${name}.sandbox.test/hooks`;
  const { endpoint } = await webhooks.create({ url, events: ["CUSTOMER_CREATED"], visibility: "STANDARD" });
  await webhooks.test(endpoint.id);
  const delivery = await vi.waitFor(
    async () => {
      const [now] = await webhooks.list();
      const [one] = await webhooks.deliveries(endpoint.id);
      expect(one.state !== "PENDING" || !now.enabled).toBe(true);
      return one;
    },
    { timeout: 30_000, interval: 50 },
  );
  const [now] = await webhooks.list();
  return { delivery, endpoint: now };
}

test.each([
  ["ok", "DELIVERED", "200", 1, 0],
  ["recovering", "DELIVERED", "200", 3, 0],
  ["internal-server-error", "FAILED", "500", 3, 3],
  ["timeout", "FAILED", "TIMEOUT", 3, 3],
  ["connection-refused", "FAILED", "ECONNREFUSED", 3, 3],
])("%s: %s with %s after %d tries", async (name, state, outcome, attempts, failures) => {
  const { delivery, endpoint } = await tested(name);
  expect(delivery).toMatchObject({ state, outcome, attempts });
  expect(endpoint).toMatchObject({ enabled: true, failures });
});

test("gone switches the endpoint off", async () => {
  const { delivery, endpoint } = await tested("gone");
  expect(delivery).toMatchObject({ outcome: "410", attempts: 1 });
  expect(endpoint).toMatchObject({ enabled: false, disabledReason: "the receiver answered 410 Gone" });
});

test("in live such an address is one that nobody has", async () => {
  const { delivery } = await tested("ok", "LIVE");
  expect(delivery.state).toBe("FAILED");
  expect(delivery.outcome).toMatch(/^E(NOTFOUND|AI_AGAIN)$/);
});
