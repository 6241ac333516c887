import { expect, test, vi } from "vitest";
import { openGateway } from "../../support/gateway.ts";
import { merchantRow, provider } from "../../support/merchants.ts";
import { rest } from "../../support/rest.ts";

const gateway = await openGateway();
const key = await gateway.key({ scopes: ["merchants:write"] });
const call = rest(gateway, key);
const created = await call("POST", "/v1/provider/merchants", { merchants: [merchantRow(1), merchantRow(2)] });
const [id] = created.body.data.data.merchantIds as [string];
const trustLevel = `/v1/provider/merchants/${id}/trust-level`;

test("POST /v1/provider/merchants: 201 with the members of a batch of customers, and merchantIds", async () => {
  expect(created.status).toBe(201);
  expect(created.body).toEqual({
    statusCode: 201,
    success: true,
    message: "Batch processed",
    data: {
      batchId: expect.stringMatching(/^mbt_/),
      status: "COMPLETED",
      summary: { total: 2, successful: 2, failed: 0, duplicates: 0, invalidData: 0 },
      failures: [],
      failuresInline: true,
      inlineFailureLimit: 50,
      data: { createdCount: 2, merchantIds: [expect.stringMatching(/^mer_/), expect.stringMatching(/^mer_/)] },
    },
  });
  const { body } = await call("POST", "/v1/provider/merchants", { merchants: [merchantRow(1), merchantRow(3, { country: "Lagos" })] });
  expect(body.data.failures).toMatchObject([
    { index: 0, code: "EXISTING_CUSTOMER", message: "Merchant with this email already exists", matchedOn: "EMAIL", customerId: id },
    { index: 1, code: "VALIDATION_ERROR", issues: [{ field: "country" }] },
  ]);
});

test("with respond-async a worker does it; the same Idempotency-Key gives the first answer again, another body 409", async () => {
  const later = await call("POST", "/v1/provider/merchants", { merchants: [merchantRow(10)] }, { prefer: "respond-async" });
  expect(later.body).toMatchObject({
    message: "Batch processed, merchants will reflect shortly",
    data: { status: "PROCESSING", data: { createdCount: 0, merchantIds: [] } },
  });
  const { readBatch } = provider(gateway, key);
  await vi.waitFor(async () => expect((await readBatch(later.body.data.batchId)).createdCount).toBe(1), { timeout: 30_000, interval: 200 });
  const once = { "idempotency-key": "once" };
  const first = await call("POST", "/v1/provider/merchants", { merchants: [merchantRow(11)] }, once);
  expect((await call("POST", "/v1/provider/merchants", { merchants: [merchantRow(11)] }, once)).body).toEqual(first.body);
  const other = await call("POST", "/v1/provider/merchants", { merchants: [merchantRow(12)] }, once);
  expect([other.status, other.body.success]).toEqual([409, false]);
});

test("PATCH trust-level: the merchant, whatever the case of the level", async () => {
  const first = await call("PATCH", trustLevel, { trustLevel: "ENHANCED" });
  const { version: _1, ...merchant } = await provider(gateway, key).find(id);
  expect([first.status, first.body]).toEqual([
    200,
    { statusCode: 200, success: true, message: "Trust level updated successfully", data: { ...merchant, trustLevel: "ENHANCED" } },
  ]);
  expect((await call("PATCH", trustLevel, { trustLevel: "premium" })).body.data.trustLevel).toBe("PREMIUM");
});

test("refusals: 400 with all that is wrong, 401, 403, 404", async () => {
  const wrong = [
    await call("POST", "/v1/provider/merchants", { merchants: [] }),
    await call("POST", "/v1/provider/merchants", { merchants: [{ nickname: "x" }], more: 1 }),
    await call("POST", "/v1/provider/merchants", "{"),
    await call("PATCH", trustLevel, {}),
    await call("PATCH", trustLevel, { trustLevel: "highest" }),
    await call("PATCH", trustLevel, { trustLevel: 3 }),
  ];
  for (const { status, body } of wrong)
    expect([status, body]).toEqual([400, { statusCode: 400, success: false, message: "Invalid merchant data", errors: expect.any(Array) }]);
  const absent = `/v1/provider/merchants/mer_${crypto.randomUUID()}/trust-level`;
  const other = rest(gateway, await gateway.key({ bank: "beta" }));
  for (const answer of [await call("PATCH", absent, { trustLevel: "BASIC" }), await other("PATCH", trustLevel, { trustLevel: "BASIC" })])
    expect([answer.status, answer.body]).toEqual([404, { statusCode: 404, success: false, message: "Merchant not found" }]);
  const send = [trustLevel, { trustLevel: "BASIC" }] as const;
  expect((await rest(gateway, null)("PATCH", ...send)).status).toBe(401);
  expect((await rest(gateway, await gateway.key({ scopes: ["batches:write"] }))("PATCH", ...send)).status).toBe(403);
});
