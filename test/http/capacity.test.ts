import { setImmediate } from "node:timers/promises";
import { expect, test } from "vitest";
import { openGateway } from "../support/gateway.ts";

const gateway = await openGateway({ maxRequests: 5, metricsPort: 0 });
const key = await gateway.key();
const metric = async () => Number(/^gateway_requests_shed_total (\d+)$/m.exec(await gateway.app.metrics.print())![1]);

test("what comes above the capacity is refused at once, says when to come again, is counted, and holds no place", async () => {
  const answers = await Promise.all(Array.from({ length: 40 }, () => gateway.query(key, "{ customers(first: 1) { totalCount } }")));
  const refused = answers.filter(({ status }) => status === 503);
  expect(answers.filter(({ status }) => status === 200).length).toBe(40 - refused.length);
  expect(refused.length).toBeGreaterThan(0);
  for (const { headers, body } of refused) {
    expect(headers.get("retry-after")).toBe("1");
    expect(body.errors).toMatchObject([{ extensions: { code: "UNAVAILABLE" } }]);
    expect(body.data).toBeUndefined();
  }
  expect(await metric()).toBe(refused.length);
  // One after the other, all are answered.
  for (let n = 0; n < 10; n += 1) expect((await gateway.query(key, "{ viewer { mode } }")).status).toBe(200);
});

test("while it is full nobody's key is looked up, and no body is read", async () => {
  const headers = { authorization: "Bearer cgw_none", "content-type": "application/json" };
  const unread = new ReadableStream({ pull: () => expect.fail("the body was read") }, { highWaterMark: 0 });
  const statuses = new Set<number>();
  // A refusal is there within the same turn: who asked again at once would leave the others' answers no turn to come in.
  const keepFull = async () => {
    for (; !statuses.has(503); await setImmediate()) await gateway.query(key, "{ customers(first: 1) { totalCount } }");
  };
  const running = Array.from({ length: 10 }, keepFull);
  await expect
    .poll(async () => {
      const asked = gateway.send("/graphql", { method: "POST", headers, body: unread, duplex: "half" } as RequestInit);
      return statuses.add((await asked).status);
    })
    .toContain(503);
  await Promise.all(running);
  expect([...statuses].filter((status) => status !== 401)).toEqual([503]);
});

test("a REST route tells it in its own form, and health answers whatever runs", async () => {
  const asked = Array.from({ length: 20 }, () => gateway.send("/v1/customers", { headers: { authorization: `Bearer ${key}` } }));
  expect((await gateway.send("/health/live")).status).toBe(200);
  const refused = (await Promise.all(asked)).find(({ status }) => status === 503)!;
  expect(refused.headers.get("retry-after")).toBe("1");
  expect(await refused.json()).toEqual({ statusCode: 503, success: false, message: expect.stringMatching(/more to do than it can/) });
});

test("a stream holds no place while it goes on", async () => {
  const streams = await Promise.all(
    Array.from({ length: 4 }, async () => {
      const { body } = await gateway.query(
        key,
        "mutation ($input: CreateCustomersBatchInput!) { createCustomersBatch(input: $input) { ... on BatchResult { id } } }",
        { input: { customers: [{ firstname: "Ada", lastname: "Obi", email: `${crypto.randomUUID()}@example.com`, country: "NG" }] } },
      );
      const response = await gateway.send("/graphql", {
        method: "POST",
        headers: { authorization: `Bearer ${key}`, accept: "text/event-stream", "content-type": "application/json" },
        body: JSON.stringify({ query: `subscription { batchProgress(id: "${body.data.createCustomersBatch.id}") { id } }` }),
      });
      expect(response.status).toBe(200);
      return response;
    }),
  );
  for (let n = 0; n < 10; n += 1) expect((await gateway.query(key, "{ viewer { mode } }")).status).toBe(200);
  for (const response of streams) expect(await response.text()).toContain("event: complete");
});
