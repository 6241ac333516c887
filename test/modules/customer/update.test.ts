import { expect, test } from "vitest";
import { caller, UPDATE } from "../../support/customers.ts";
import { openGateway } from "../../support/gateway.ts";

const gateway = await openGateway();
const { db } = gateway.app.services;
const key = await gateway.key();
const { create, update, find, history } = caller(gateway, key);

let people = 0;
/** A new customer with every field that an update can set. */
const newCustomer = () => {
  const number = ++people;
  return create({
    firstname: "First",
    middlename: "Middle",
    lastname: "Last",
    accountName: "Account",
    email: `update.${number}@example.com`,
    phone: `+23480100${String(10_000 + number)}`,
    country: "NG",
    address: "1 Road",
    state: "Lagos",
    gender: "OTHER",
    displayPicture: "https://example.com/1.png",
    clientRef: `update-${number}`,
  });
};
const UPDATABLE = ["firstname", "middlename", "lastname", "accountName", "email", "phone", "address", "state", "gender", "displayPicture"];

test("each field is set alone, what is left out stays, and the version grows by one", async () => {
  let customer = await newCustomer();
  const values: Record<string, string> = {
    firstname: "Ngozi",
    middlename: "Ada",
    lastname: "Okafor",
    accountName: "N. Okafor",
    email: "ngozi.okafor@example.com",
    phone: "+2348099999999",
    address: "2 Road",
    state: "Kano",
    gender: "FEMALE",
    displayPicture: "https://example.com/2.png",
  };
  expect(Object.keys(values)).toEqual(UPDATABLE);
  for (const [field, value] of Object.entries(values)) {
    const { updatedAt, version, ...rest } = customer;
    const updated = await update({ id: customer.id, update: { [field]: value } });
    expect(updated).toEqual({ ...rest, [field]: value, version: version + 1, updatedAt: updated.updatedAt });
    expect(updated.updatedAt >= updatedAt).toBe(true);
    customer = updated;
  }
  const events = await history(customer.id);
  expect(events.map(({ version }) => version)).toEqual(Array.from({ length: 11 }, (_, index) => index + 1));
  expect(events.slice(1).map(({ changedFields }) => changedFields)).toEqual(
    UPDATABLE.map((field) => [field.replace(/[A-Z]/g, (capital) => `_${capital}`).toUpperCase()]),
  );
  // The account name that lists sort and search by is the new one.
  const { body } = await gateway.query(key, 'query { customers(filter: { search: "okafor" }) { nodes { id } } }');
  expect(body.data.customers.nodes).toEqual([{ id: customer.id }]);
});

test("null and blank clear an optional field, and are invalid for a required one, which are all named", async () => {
  const customer = await newCustomer();
  const cleared = await update({
    id: customer.id,
    update: { middlename: null, phone: " ", address: "", state: "\u200b", gender: null, displayPicture: null },
  });
  expect(cleared).toMatchObject({
    middlename: null,
    phone: null,
    dialCode: null,
    address: null,
    state: null,
    gender: null,
    displayPicture: null,
    version: 2,
  });
  for (const blank of [null, "", " \u200b"]) {
    const refused = await update({
      id: customer.id,
      update: { firstname: blank, lastname: blank, accountName: blank, email: blank, state: "x".repeat(101) },
    });
    expect(refused.__typename).toBe("InvalidCustomerData");
    expect(refused.issues.map(({ field }: { field: string }) => field).sort()).toEqual([
      "accountName",
      "email",
      "firstname",
      "lastname",
      "state",
    ]);
  }
  expect((await find({ id: customer.id })).version).toBe(2);
});

test("values that are so already change nothing: no version, no history", async () => {
  const customer = await newCustomer();
  const same = Object.fromEntries(UPDATABLE.map((field) => [field, customer[field]]));
  const national = `0${customer.phone.slice(4)}`;
  for (const change of [{}, same, { email: customer.email.toUpperCase(), firstname: " First ", phone: national }]) {
    expect(await update({ id: customer.id, update: change })).toEqual(customer);
  }
  expect(await history(customer.id)).toHaveLength(1);
  // Of several fields, only those that differ are told.
  await update({ id: customer.id, update: { ...same, state: "Kano" } });
  expect((await history(customer.id)).at(-1)).toMatchObject({ type: "UPDATED", version: 2, changedFields: ["STATE"] });
});

test("a phone brings its dial code, and is read in the customer's country", async () => {
  const { id } = await newCustomer();
  expect(await update({ id, update: { phone: "0803 333 3333" } })).toMatchObject({
    phone: "+2348033333333",
    dialCode: "+234",
    country: "NG",
  });
  expect(await update({ id, update: { phone: "+233241234567" } })).toMatchObject({ dialCode: "+233", country: "NG" });
  expect((await history(id)).at(-1).changedFields.toSorted()).toEqual(["DIAL_CODE", "PHONE"]);
});

test("an e-mail that another customer has is refused, also when several take a free one at once", async () => {
  const [one, two] = [await newCustomer(), await newCustomer()];
  const taken = { __typename: "CustomerAlreadyExists", matchedOn: "EMAIL" };
  expect(await update({ id: two.id, update: { email: one.email.toUpperCase(), state: "Kano" } })).toMatchObject(taken);
  expect(await find({ id: two.id })).toMatchObject({ email: two.email, state: "Lagos", version: 1 });
  const others = await Promise.all(Array.from({ length: 8 }, newCustomer));
  const results = await Promise.all(others.map(({ id }) => update({ id, update: { email: "wanted@example.com" } })));
  expect(results.filter(({ __typename }) => __typename === "Customer")).toHaveLength(1);
  for (const lost of results.filter(({ __typename }) => __typename !== "Customer")) expect(lost).toMatchObject(taken);
  expect(await db.customer.count({ where: { email: "wanted@example.com" } })).toBe(1);
});

test("another bank's customer, the other mode's and none at all answer with the same bytes", async () => {
  const { id } = await newCustomer();
  const bodies = new Set<string>();
  const callers = [{ bank: "beta" }, { bank: "alpha", mode: "LIVE" as const }];
  const text = async (bearer: string, input: object) => {
    const response = await gateway.send("/graphql", {
      method: "POST",
      headers: { "content-type": "application/json", authorization: `Bearer ${bearer}` },
      body: JSON.stringify({ query: UPDATE, variables: { input } }),
    });
    const { cost: _, ...extensions } = ((await response.clone().json()) as { extensions?: { cost?: unknown } }).extensions ?? {};
    return JSON.stringify([response.status, ((await response.json()) as { data: unknown }).data, extensions]);
  };
  for (const options of callers) bodies.add(await text(await gateway.key(options), { id, update: { state: "Kano" } }));
  for (const absent of [crypto.randomUUID(), id.slice(0, -1), "", `bat_${id}`, "a\0b", "\ud800"])
    bodies.add(await text(key, { id: absent, update: { state: "Kano" } }));
  // What the input says is not looked at before the customer is found.
  bodies.add(await text(key, { id: crypto.randomUUID(), expectedVersion: 7, update: { email: "nobody", firstname: null } }));
  bodies.add(await text(await gateway.key({ bank: "beta" }), { id, expectedVersion: 1, update: { email: "nobody", firstname: null } }));
  expect([...bodies]).toHaveLength(1);
  expect([...bodies][0]).toContain('"CustomerNotFound"');
  expect(await find({ id })).toMatchObject({ state: "Lagos", version: 1 });
});

test.each([
  "id",
  "bankId",
  "mode",
  "version",
  "createdAt",
  "updatedAt",
  "blacklisted",
  "phrase",
  "country",
  "dialCode",
  "clientRef",
  "reference",
  "accountNumber",
  "__proto__",
])("%s cannot be updated", async (field) => {
  const { id } = await newCustomer();
  const input = JSON.parse(`{"id":"${id}","update":{"state":"Kano","${field}":"x"}}`) as object;
  const { body, status } = await gateway.query(key, UPDATE, { input });
  expect(status).toBeLessThan(500);
  expect(body.errors).toMatchObject([{ extensions: { code: "BAD_USER_INPUT" } }]);
  expect(await find({ id })).toMatchObject({ state: "Lagos", version: 1 });
});
