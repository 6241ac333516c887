import { expect, test } from "vitest";
import { openGateway } from "../../support/gateway.ts";
import { rest } from "../../support/rest.ts";

const gateway = await openGateway();
const call = rest(gateway, await gateway.key());
const register = async (name: string) => {
  const person = { firstName: name, lastName: "Example", email: `${name}@example.com`, country: "NG" };
  return (await call("POST", "/v1/customers", person)).body.data.id as string;
};

test("a device is linked, linked again, refused to another, and unlinked", async () => {
  const [id, other] = [await register("linked"), await register("other")];
  const link = (customer: string, deviceId: unknown = "device") =>
    call("POST", "/v1/bank/customer/device/link", { id: customer, deviceId });
  const linked = {
    statusCode: 200,
    success: true,
    message: "Device linked successfully",
    data: { id, lifecycle: "REGISTERED", paymentsEnabled: false },
  };
  expect((await link(id)).body).toEqual(linked);
  expect((await link(id)).body).toEqual(linked);
  const refused = { statusCode: 409, success: false, message: "The device cannot be linked to this customer" };
  expect((await link(other)).body).toEqual(refused);
  await call("PATCH", `/v1/customers/${other}/blacklist`, { blacklist: true });
  expect((await link(other, "another")).body).toEqual(refused);
  expect((await link(id, "")).body).toMatchObject({ statusCode: 400, errors: [{ field: "deviceId", message: "is required" }] });
  expect((await link(id, 5)).body).toMatchObject({ statusCode: 400, errors: [{ field: "deviceId" }] });
  expect((await link(crypto.randomUUID())).body).toEqual({ statusCode: 404, success: false, message: "Customer not found" });
  const unlinked = await call("POST", "/v1/bank/customer/device/unlink", { id, deviceId: "device" });
  expect(unlinked.body).toMatchObject({ statusCode: 200, message: "Device unlinked successfully", data: { id } });
  expect((await link(other)).status).toBe(409);
  const standard = rest(gateway, await gateway.key({ scopes: ["devices:write"] }));
  expect((await standard("POST", "/v1/bank/customer/device/link", { id, deviceId: "device" })).body).toMatchObject({
    data: { id, lifecycle: null, paymentsEnabled: null },
    visibility: [{ field: "lifecycle" }, { field: "paymentsEnabled" }],
  });
});

test("a customer is erased once, with a reason of the list", async () => {
  const id = await register("erased");
  expect((await call("DELETE", `/v1/customers/${id}?reason=whim`)).body).toMatchObject({ statusCode: 400, errors: [{ field: "reason" }] });
  const erased = await call("DELETE", `/v1/customers/${id}?reason=request`);
  expect(erased.body).toEqual({
    statusCode: 200,
    success: true,
    message: "Customer deleted successfully",
    data: { id, erasedAt: expect.any(String) },
  });
  expect((await call("DELETE", `/v1/customers/${id}`)).body).toEqual({ statusCode: 404, success: false, message: "Customer not found" });
  expect((await call("GET", `/v1/customers/${id}`)).status).toBe(404);
  const plain = rest(gateway, await gateway.key({ scopes: ["customers:write"] }));
  expect((await plain("DELETE", `/v1/customers/${crypto.randomUUID()}`)).status).toBe(403);
});
