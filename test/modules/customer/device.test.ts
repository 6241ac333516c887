import { expect, test } from "vitest";
import { discoveryHashes } from "../../../src/changes/discovery.ts";
import { ownWork, write as ownWrite } from "../../../src/changes/write.ts";
import { Keyring } from "../../../src/crypto/keyring.ts";
import { linkDevice, unlinkDevice } from "../../../src/modules/customer/customer.device.write.ts";
import { resealCustomers } from "../../../src/modules/customer/customer.reseal.job.ts";
import { createLog } from "../../../src/telemetry/log.ts";
import { batchRow, caller, dataOf, everyRow, person } from "../../support/customers.ts";
import { openGateway } from "../../support/gateway.ts";

const gateway = await openGateway();
const { db, keyring } = gateway.app.services;
const key = await gateway.key();
const { create, update, batch, blacklist, erase, history } = caller(gateway, key);

const CONSENT = { source: "branch", at: "2025-01-02T03:04:05.678Z", textVersion: "2025-01" };
const STATE = "... on Customer { id version lifecycle paymentsEnabled devices { id deviceId actor linkedAt } }";
const ERRORS = "... on Error { code message } ... on InvalidCustomerData { issues { field message } } ... on DeviceRefused { reason }";

/** Runs linkDevice, unlinkDevice or setConsent. */
async function life(name: "linkDevice" | "unlinkDevice" | "setConsent", input: object, as = key) {
  const type = `${name[0]!.toUpperCase()}${name.slice(1)}Input!`;
  const errors = name === "linkDevice" ? ERRORS : ERRORS.replace("... on DeviceRefused { reason }", "");
  const { body } = await gateway.query(
    as,
    `mutation ($input: ${type}) { result: ${name}(input: $input) { __typename ${STATE} ${errors} } }`,
    { input },
  );
  expect(body.errors).toBeUndefined();
  return dataOf(body);
}
const link = (id: string, deviceId: string, as = key) => life("linkDevice", { id, deviceId }, as);
const unlink = (id: string, deviceId: string) => life("unlinkDevice", { id, deviceId });
const idsOf = (customer: { devices: { deviceId: string }[] }) => customer.devices.map(({ deviceId }) => deviceId);

/** Whom merchants of a mode find by a value. */
async function found(by: "email" | "device", value: string, ring = keyring) {
  const rows = await db.discovery.findMany({ where: { mode: "SANDBOX", hash: { in: discoveryHashes(ring, "SANDBOX", by, value) } } });
  return rows.map(({ customerId }) => customerId);
}

test("devices are linked once, listed newest first, and taken off", async () => {
  const { id } = await create(person("links"));
  expect(await link(id, " phone-1 ")).toMatchObject({ version: 2, devices: [{ deviceId: "phone-1", actor: key.split("_")[2] }] });
  expect(await link(id, "phone-1")).toMatchObject({ version: 2 });
  const two = await link(id, "phone-2");
  expect([two.version, idsOf(two)]).toEqual([3, ["phone-2", "phone-1"]]);
  expect(two.devices[0].id).toMatch(/^dev_[0-9a-f-]{36}$/);
  expect(idsOf(await unlink(id, "phone-1"))).toEqual(["phone-2"]);
  expect(await unlink(id, "phone-1")).toMatchObject({ version: 4 });
  expect((await history(id)).map(({ type, changedFields }) => [type, changedFields])).toEqual([
    ["CREATED", []],
    ["DEVICE_LINKED", ["DEVICES"]],
    ["DEVICE_LINKED", ["DEVICES"]],
    ["DEVICE_UNLINKED", ["DEVICES"]],
  ]);
  const { body } = await gateway.query(key, `{ node(id: "${two.devices[0].id}") { __typename ... on Device { deviceId } } }`);
  expect(body.data.node).toEqual({ __typename: "Device", deviceId: "phone-2" });
});

test("ids of devices are 1 to 255 characters that can be stored, and are compared in one form", async () => {
  const { id } = await create(person("forms"));
  for (const [deviceId, message] of [
    ["", "is required"],
    [" \u200b", "is required"],
    ["x".repeat(256), "must be at most 255 characters"],
    ["a\0b", "must not contain control characters"],
    ["a\u202eb", "must not contain control characters"],
    ["a\ud800", "must not contain control characters"],
  ] as const) {
    expect(await link(id, deviceId), JSON.stringify(deviceId)).toMatchObject({
      code: "INVALID_CUSTOMER_DATA",
      issues: [{ field: "deviceId", message }],
    });
  }
  await link(id, "Cafe\u0301");
  expect(idsOf(await link(id, "Caf\u00e9"))).toEqual(["Caf\u00e9"]);
  expect(idsOf(await link(id, "\u{1f4f1}".repeat(255)))).toHaveLength(2);
  expect(await link("no-uuid", "x")).toMatchObject({ code: "CUSTOMER_NOT_FOUND" });
  expect(await link(crypto.randomUUID(), "x")).toMatchObject({ code: "CUSTOMER_NOT_FOUND" });
  expect(await life("linkDevice", { id, deviceId: "x", expectedVersion: 1 })).toMatchObject({ code: "VERSION_CONFLICT" });
});

test("a device is refused to the blacklisted, to a second customer and beyond twenty; why is told to who may see it", async () => {
  const [one, two] = [await create(person("refused.one")), await create(person("refused.two"))];
  await link(one.id, "shared");
  await blacklist({ id: two.id, blacklisted: true });
  const write = await gateway.key({ scopes: ["devices:write"] });
  const extended = await gateway.key({ scopes: ["devices:write", "customers:read:extended"] });
  const reasonFor = async (id: string, deviceId: string, as: string) => {
    const { code, message, reason } = await link(id, deviceId, as);
    expect([code, message]).toEqual(["DEVICE_REFUSED", "The device cannot be linked to this customer"]);
    return reason;
  };
  expect(await reasonFor(two.id, "fresh", key)).toBe("BLACKLISTED");
  expect(await reasonFor(two.id, "fresh", extended)).toBe("BLACKLISTED");
  expect(await reasonFor(two.id, "fresh", write)).toBe(null);
  await blacklist({ id: two.id, blacklisted: false });
  expect(await reasonFor(two.id, "shared", key)).toBe("LINKED_TO_ANOTHER");
  expect(await reasonFor(two.id, "shared", extended)).toBe(null);
  // Taken off the one, it is free for the other.
  await unlink(one.id, "shared");
  expect(idsOf(await link(two.id, "shared"))).toEqual(["shared"]);
  for (let number = 2; number <= 20; number += 1) await link(two.id, `number ${number}`);
  expect(await reasonFor(two.id, "one more", key)).toBe("TOO_MANY");
});

test("of two customers that want one device at once, exactly one gets it", async () => {
  const ids = (await batch(Array.from({ length: 8 }, (_, row) => batchRow(100 + row)))).customerIds as string[];
  const results = await Promise.all(ids.map((id) => link(id, "wanted")));
  expect(results.filter(({ __typename }) => __typename === "Customer")).toHaveLength(1);
  expect(results.filter(({ reason }) => reason === "LINKED_TO_ANOTHER")).toHaveLength(7);
  // Of one that wants many at once, all are counted.
  await Promise.all(Array.from({ length: 10 }, (_, number) => link(ids[0]!, `many ${number}`)));
  const { deviceCount } = await db.customer.findFirstOrThrow({ where: { id: ids[0] } });
  expect(deviceCount).toBe(await db.device.count({ where: { customerId: ids[0] } }));
});

test("the lifecycle follows consent, devices and the blacklist, and history keeps its steps", async () => {
  const { id } = await create(person("steps"));
  const seen: string[] = [];
  const note = ({ lifecycle, paymentsEnabled }: { lifecycle: string; paymentsEnabled: boolean }) => {
    expect(paymentsEnabled).toBe(lifecycle === "PAYMENTS_ENABLED");
    seen.push(lifecycle);
  };
  note(await link(id, "steps"));
  note(await life("setConsent", { id, consent: CONSENT }));
  note(await unlink(id, "steps"));
  note(await link(id, "steps"));
  await blacklist({ id, blacklisted: true });
  note(await life("setConsent", { id, consent: CONSENT }));
  await blacklist({ id, blacklisted: false });
  note(await life("setConsent", { id, consent: null }));
  expect(seen).toEqual(["REGISTERED", "PAYMENTS_ENABLED", "ONBOARDED", "PAYMENTS_ENABLED", "DEVICE_LINKED", "REGISTERED"]);
  expect((await history(id)).map(({ type, lifecycle, changedFields }) => [type, lifecycle, changedFields.join(" ")])).toEqual([
    ["CREATED", "REGISTERED", ""],
    ["DEVICE_LINKED", "REGISTERED", "DEVICES"],
    ["CONSENT_GIVEN", "PAYMENTS_ENABLED", "CONSENT LIFECYCLE PAYMENTS_ENABLED"],
    ["DEVICE_UNLINKED", "ONBOARDED", "LIFECYCLE PAYMENTS_ENABLED DEVICES"],
    ["DEVICE_LINKED", "PAYMENTS_ENABLED", "LIFECYCLE PAYMENTS_ENABLED DEVICES"],
    ["BLACKLISTED", "DEVICE_LINKED", "LIFECYCLE PAYMENTS_ENABLED BLACKLISTED BLACKLIST"],
    ["UNBLACKLISTED", "PAYMENTS_ENABLED", "LIFECYCLE PAYMENTS_ENABLED BLACKLISTED BLACKLIST"],
    ["CONSENT_WITHDRAWN", "REGISTERED", "CONSENT LIFECYCLE PAYMENTS_ENABLED"],
  ]);
  const [made] = (await batch([batchRow(200, { consent: CONSENT })])).customerIds;
  expect((await history(made))[0]).toMatchObject({ type: "CREATED", lifecycle: "ONBOARDED" });
});

test("an entry that runs out enables payments by itself, and the job's record says so", async () => {
  const { id } = await create(person("expires", { consent: CONSENT }));
  await link(id, "expires");
  const expiresAt = new Date(Date.now() + 1500);
  await blacklist({ id, blacklisted: true, expiresAt: expiresAt.toISOString() });
  const lifecycle = async () => (await gateway.query(key, `{ customer(by: { id: "${id}" }) { lifecycle } }`)).body.data.customer.lifecycle;
  expect(await lifecycle()).toBe("DEVICE_LINKED");
  await expect.poll(lifecycle, { timeout: 20_000 }).toBe("PAYMENTS_ENABLED");
  await life("setConsent", { id, consent: { ...CONSENT, textVersion: "2" } });
  expect((await history(id)).slice(-2)).toMatchObject([
    {
      type: "BLACKLIST_EXPIRED",
      lifecycle: "PAYMENTS_ENABLED",
      changedFields: ["LIFECYCLE", "PAYMENTS_ENABLED", "BLACKLISTED", "BLACKLIST"],
    },
    { type: "CONSENT_GIVEN", lifecycle: "PAYMENTS_ENABLED", changedFields: ["CONSENT"] },
  ]);
});

test("consent is whole, repeats nothing, and cannot be left out", async () => {
  const { id } = await create(person("consents"));
  expect(await life("setConsent", { id })).toMatchObject({ code: "INVALID_CUSTOMER_DATA", issues: [{ field: "consent" }] });
  expect(await life("setConsent", { id, consent: { source: "x" } })).toMatchObject({
    issues: [{ field: "consent.at" }, { field: "consent.textVersion" }],
  });
  expect(await life("setConsent", { id, consent: null })).toMatchObject({ version: 1 });
  expect(await life("setConsent", { id, consent: CONSENT })).toMatchObject({ version: 2, lifecycle: "ONBOARDED" });
  expect(await life("setConsent", { id, consent: { ...CONSENT, at: "2025-01-02T04:04:05.678+01:00" } })).toMatchObject({ version: 2 });
  expect(await life("setConsent", { id, consent: CONSENT, expectedVersion: 1 })).toMatchObject({ code: "VERSION_CONFLICT" });
  expect(await life("setConsent", { id: crypto.randomUUID(), consent: null })).toMatchObject({ code: "CUSTOMER_NOT_FOUND" });
});

test("merchants find who consented by the e-mail and the devices of this moment, and nobody else", async () => {
  const { id } = await create(person("findable"));
  await link(id, "findable-1");
  expect([await found("email", "findable@example.com"), await found("device", "findable-1")]).toEqual([[], []]);
  await life("setConsent", { id, consent: CONSENT });
  expect([await found("email", "findable@example.com"), await found("device", "findable-1")]).toEqual([[id], [id]]);
  await link(id, "findable-2");
  await unlink(id, "findable-1");
  await update({ id, update: { email: "moved@example.com" } });
  expect(await Promise.all(["findable-1", "findable-2"].map((device) => found("device", device)))).toEqual([[], [id]]);
  expect([await found("email", "findable@example.com"), await found("email", "moved@example.com")]).toEqual([[], [id]]);
  // Whether somebody is blacklisted is not for merchants to see: nobody goes or comes by it.
  await blacklist({ id, blacklisted: true });
  expect(await found("email", "moved@example.com")).toEqual([id]);
  await life("setConsent", { id, consent: null });
  expect([await found("email", "moved@example.com"), await found("device", "findable-2")]).toEqual([[], []]);
  const { customerIds } = await batch([batchRow(300, { consent: CONSENT }), batchRow(301)]);
  expect([await found("email", "customer.300@example.com"), await found("email", "customer.301@example.com")]).toEqual([
    [customerIds[0]],
    [],
  ]);
});

test("an erasure takes devices along, and where merchants find them; no value is left anywhere", async () => {
  const { id } = await create(person("gone", { consent: CONSENT }));
  await link(id, "gone-device");
  expect(JSON.stringify(await everyRow(gateway))).not.toContain("gone-device");
  await erase({ id, reason: "REQUEST" });
  expect([await db.device.count({ where: { customerId: id } }), await db.discovery.count({ where: { customerId: id } })]).toEqual([0, 0]);
  const { id: next } = await create(person("next"));
  expect(idsOf(await link(next, "gone-device"))).toEqual(["gone-device"]);
});

test("gateways between which keys rotate link a device once; one that was linked twice holds up no other's renewal", async () => {
  const rings = [new Keyring([Buffer.alloc(32, 7), Buffer.alloc(32, 8)]), new Keyring([Buffer.alloc(32, 8), Buffer.alloc(32, 7)])];
  const linkBy = (ring: Keyring, id: string, deviceId: string) => {
    const origin = ownWork({ tenantId: "alpha", mode: "SANDBOX" }, "test");
    return ownWrite({ ...gateway.app.services, keyring: ring }, origin, (tx) =>
      linkDevice(tx, ring, origin.actor, { id, deviceId }, new Date()),
    );
  };
  for (let round = 0; round < 5; round += 1) {
    const pair = [await create(person(`one.${round}`)), await create(person(`two.${round}`))];
    const outcomes = await Promise.allSettled(pair.map(({ id }, place) => linkBy(rings[place]!, id, `contested-${round}`)));
    expect(outcomes.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
    const where = { customerId: { in: pair.map(({ id }) => id) } };
    expect(await db.device.count({ where })).toBe(1);
  }

  // As it could come about before.
  const [first, second] = [await create(person("first")), await create(person("second"))];
  await link(first.id, "twice");
  await link(first.id, "plain");
  await linkBy(new Keyring([Buffer.alloc(32, 8)]), second.id, "twice");
  await resealCustomers(db, rings[1]!, createLog("silent")).run();
  const devices = await db.device.findMany({ where: { customerId: { in: [first.id, second.id] } } });
  const old = devices.filter(({ hash }) => Buffer.from(hash).toString("hex").slice(0, 8) !== rings[1]!.ids[0]);
  expect(old.map(({ customerId }) => customerId)).toEqual([first.id]);
  expect(devices).toHaveLength(3);
  // The device's id itself needs no old key any more, and either customer's is taken off by itself.
  const sealedBy = devices.map(({ deviceId }) => Buffer.from(deviceId).toString("hex").slice(0, 8));
  expect(new Set(sealedBy)).toEqual(new Set([rings[1]!.ids[0]]));
  const origin = ownWork({ tenantId: "alpha", mode: "SANDBOX" }, "test");
  await ownWrite({ ...gateway.app.services, keyring: rings[1]! }, origin, (tx) =>
    unlinkDevice(tx, rings[1]!, origin.actor, { id: first.id, deviceId: "twice" }, new Date()),
  );
  await resealCustomers(db, rings[1]!, createLog("silent")).run();
  expect(await db.device.count({ where: { customerId: first.id } })).toBe(1);

  // One that no key opens holds up nobody either.
  await db.device.updateMany({ where: { customerId: second.id }, data: { deviceId: Buffer.alloc(40) } });
  await linkBy(new Keyring([Buffer.alloc(32, 7)]), first.id, "after");
  await resealCustomers(db, rings[1]!, createLog("silent")).run();
  const renewed = await db.device.findMany({ where: { customerId: first.id } });
  expect(new Set(renewed.map(({ hash }) => Buffer.from(hash).toString("hex").slice(0, 8)))).toEqual(new Set([rings[1]!.ids[0]]));
});

test("an older key's devices are recognised, and a job makes them the newest's; who was never published is then found", async () => {
  const { id } = await create(person("rotated", { consent: CONSENT }));
  await link(id, "rotated-device");
  const other = await create(person("unpublished", { consent: CONSENT }));
  await db.discovery.deleteMany({ where: { customerId: other.id } });
  const ring = new Keyring([Buffer.alloc(32, 8), Buffer.alloc(32, 7)]);
  const newest = new Keyring([Buffer.alloc(32, 8)]);
  expect([await found("device", "rotated-device", ring), await found("device", "rotated-device", newest)]).toEqual([[id], []]);
  await resealCustomers(db, ring, createLog("silent")).run();
  for (const value of ["rotated", "unpublished"]) expect(await found("email", `${value}@example.com`, newest)).toHaveLength(1);
  expect(await found("device", "rotated-device", newest)).toEqual([id]);
  const device = await db.device.findFirstOrThrow({ where: { customerId: id } });
  for (const bytes of [device.hash, device.deviceId]) expect(Buffer.from(bytes).toString("hex").slice(0, 8)).toBe(newest.ids[0]);
});
