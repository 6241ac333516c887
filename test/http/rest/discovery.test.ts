import { expect, test } from "vitest";
import { openGateway } from "../../support/gateway.ts";
import { letFind, makeMerchant, merchantKey } from "../../support/merchants.ts";
import { rest } from "../../support/rest.ts";

const gateway = await openGateway({ discoveryLimit: 4 });
const provider = await gateway.key({ bank: "provider", kind: "PROVIDER" });
const [basic, enhanced] = [await makeMerchant(gateway, "provider"), await makeMerchant(gateway, "provider", "SANDBOX", "ENHANCED")];
await letFind(gateway, "bank-b", "SANDBOX", [{ email: "ada@example.com", phrase: "two-words", deviceIds: ["device-1"] }]);
await letFind(gateway, "bank-a", "SANDBOX", [{ email: "ada@example.com", phrase: "one-word" }]);

const found = (message: string, data: object[]) => ({ statusCode: 200, success: true, message, data });
const BANKS = "Customer banks retrieved successfully";
const LOOKUP = "Device lookup completed successfully";

test("a merchant finds customers by the source documents' routes, and an empty list for nobody", async () => {
  const call = rest(gateway, await merchantKey(gateway, provider, enhanced));
  const banks = await call("GET", "/v1/customer/banks?email=ADA@example.com");
  expect(banks.body).toEqual(
    found(BANKS, [
      { bankId: "bank-a", phrase: "one-word" },
      { bankId: "bank-b", phrase: "two-words" },
    ]),
  );
  const device = await call("POST", "/v1/customer/device/lookup", { deviceId: "device-1" });
  expect(device.body).toEqual(found(LOOKUP, [{ bankId: "bank-b", phrase: "two-words" }]));
  const nobody = [
    await call("GET", "/v1/customer/banks?email=nobody%40example.com"),
    await call("POST", "/v1/customer/device/lookup", { deviceId: "nothing" }),
  ];
  expect(nobody.map(({ status, body }) => [status, body])).toEqual([
    [200, found(BANKS, [])],
    [200, found(LOOKUP, [])],
  ]);
  const over = await call("GET", "/v1/customer/banks?email=ada%40example.com");
  expect([over.status, Number(over.headers.get("retry-after")) > 0, over.body.success]).toEqual([429, true, false]);
});

test("a provider names the merchant; one that is too little trusted, none and another's are refused", async () => {
  const call = rest(gateway, provider);
  expect((await call("GET", `/v1/customer/banks?email=ada%40example.com&entityId=${basic}`)).status).toBe(200);
  const low = await call("POST", "/v1/customer/device/lookup", { deviceId: "device-1", entityId: basic });
  expect(low.body).toEqual({ statusCode: 403, success: false, message: "This needs the trust level ENHANCED." });
  const invalid = (field: string, message: string) => ({
    statusCode: 400,
    success: false,
    message: "Invalid customer data",
    errors: [{ field, message }],
  });
  const banks = async (query: string) => (await call("GET", `/v1/customer/banks?${query}`)).body;
  expect(await banks("email=ada%40example.com")).toEqual(invalid("entityId", "is required: the merchant that you ask for."));
  const none = `mer_${crypto.randomUUID()}`;
  for (const entityId of [none, "x", await makeMerchant(gateway, "other")]) {
    expect(await banks(`email=a&entityId=${entityId}`)).toEqual(invalid("entityId", "there is no such merchant here."));
  }
  expect(await banks(`entityId=${enhanced}`)).toEqual(invalid("email", "is required"));
});
