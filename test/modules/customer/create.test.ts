import { expect, test } from "vitest";
import { caller, person } from "../../support/customers.ts";
import { openGateway } from "../../support/gateway.ts";

const gateway = await openGateway();
const key = await gateway.key();
const { create, find } = caller(gateway, key);

const invalid = (...issues: [string | null, unknown][]) => ({
  __typename: "InvalidCustomerData",
  code: "INVALID_CUSTOMER_DATA",
  message: "Invalid customer data",
  issues: issues.map(([field, message]) => ({ field, message })),
});

test("a customer with every field comes back as it was given, and by every key", async () => {
  const input = {
    clientRef: "full-1",
    firstname: "Ngozi",
    middlename: "Ada",
    lastname: "Okafor",
    accountName: "N. A. Okafor",
    country: "NG",
    email: "ngozi@example.com",
    phone: "+2348012345678",
    address: "1 Marina\nLagos Island",
    state: "Lagos",
    gender: "FEMALE",
    displayPicture: "https://example.com/ngozi.png",
    accountNumber: "0123456789",
    reference: "full-ref-1",
  };
  const customer = await create(input);
  expect(customer).toMatchObject({
    ...input,
    __typename: "Customer",
    bankId: "alpha",
    dialCode: "+234",
    version: 1,
    blacklisted: false,
    blacklist: null,
  });
  expect(customer.id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  expect(customer.phrase).toMatch(/^[a-z]+(-[a-z]+){3}$/);
  expect(customer.createdAt).toBe(customer.updatedAt);
  const { __typename: _, ...fields } = customer;
  for (const by of [
    { id: customer.id },
    { email: "NGOZI@example.com" },
    { phrase: customer.phrase },
    { reference: "full-ref-1" },
    { clientRef: "full-1" },
  ]) {
    expect(await find(by)).toEqual(fields);
  }
});

test("the least that is required, and what the rest then is", async () => {
  const empty = { middlename: null, phone: null, dialCode: null, address: null, state: null, gender: null, displayPicture: null };
  const keys = { clientRef: null, reference: null, accountNumber: null };
  expect(await create({ firstname: "Ada", lastname: "Obi", email: "least@example.com", country: "gh" })).toMatchObject({
    accountName: "Ada Obi",
    country: "GH",
    ...empty,
    ...keys,
  });
  const blanks = Object.fromEntries(
    Object.keys({ ...empty, ...keys })
      .filter((field) => !["dialCode", "gender"].includes(field))
      .map((field) => [field, " \u200b "]),
  );
  expect(await create(person("blank", { ...blanks, accountName: "" }))).toMatchObject({ accountName: "blank Person", ...empty, ...keys });
  // Null is no value that another null could equal.
  expect(await create(person("blank-too", blanks))).toMatchObject({ __typename: "Customer" });
});

test("the account name is by default all the names, as far as they fit", async () => {
  expect(await create(person("three", { middlename: "Middle" }))).toMatchObject({ accountName: "three Middle Person" });
  const long = {
    firstname: "a".repeat(100),
    middlename: "b".repeat(98),
    lastname: "c".repeat(100),
    email: "long@example.com",
    country: "NG",
  };
  expect(await create(long)).toMatchObject({ accountName: `${long.firstname} ${long.middlename}` });
  const wide = { firstname: "😀".repeat(100), lastname: "é".repeat(100), email: "wide@example.com", country: "NG" };
  expect(await create(wide)).toMatchObject({ accountName: `${wide.firstname} ${"é".repeat(99)}` });
});

test("the country is by default the phone's", async () => {
  expect(await create(person("by-phone", { country: undefined, phone: "+233 24 123 4567" }))).toMatchObject({
    country: "GH",
    phone: "+233241234567",
    dialCode: "+233",
  });
  expect(await create(person("canada", { country: null, phone: "+1 416 555 0123" }))).toMatchObject({ country: "CA", dialCode: "+1" });
  expect(await create(person("given", { country: "KE", phone: "+233241234568" }))).toMatchObject({ country: "KE", dialCode: "+233" });
  expect(await create(person("national", { phone: "0801 234 5679" }))).toMatchObject({ country: "NG", phone: "+2348012345679" });
  // A number of no one country, and one that says nothing without a country.
  expect(await create(person("freephone", { country: " ", phone: "+800 1234 5678" }))).toEqual(
    invalid(["country", "is required, unless the phone tells it"]),
  );
  expect(await create(person("nowhere", { country: null, phone: "08012345678" }))).toEqual(
    invalid(["phone", "must be a phone number, such as +2348012345678"]),
  );
  expect(await create(person("neither", { country: undefined }))).toEqual(invalid(["country", "is required, unless the phone tells it"]));
});

test("every violation is named, not the first", async () => {
  const result = await create({
    clientRef: "x".repeat(101),
    firstname: " ",
    middlename: "a\0b",
    email: "nobody",
    phone: "many",
    country: "XX",
    displayPicture: "javascript:alert(1)",
    accountNumber: "12_34",
    address: "x".repeat(501),
  });
  expect(result).toMatchObject({ __typename: "InvalidCustomerData" });
  expect(result.issues.map(({ field }: { field: string }) => field).sort()).toEqual(
    ["accountNumber", "address", "clientRef", "country", "displayPicture", "email", "firstname", "lastname", "middlename", "phone"].sort(),
  );
  expect(JSON.stringify(result)).not.toMatch(/nobody|many|javascript|12_34/);
  expect(await create({})).toMatchObject({
    issues: [{ field: "firstname" }, { field: "lastname" }, { field: "email" }, { field: "country" }],
  });
});

test("CustomerAlreadyExists names the key that matched, the e-mail first, and only within the bank and mode", async () => {
  const first = person("taken", { clientRef: "taken-c", reference: "taken-r" });
  await create(first);
  const exists = (matchedOn: string, name: string) => ({
    __typename: "CustomerAlreadyExists",
    code: "CUSTOMER_ALREADY_EXISTS",
    message: `Customer with this ${name} already exists`,
    matchedOn,
  });
  expect(await create({ ...first, email: " TAKEN@Example.com " })).toEqual(exists("EMAIL", "email"));
  expect(await create({ ...first, email: "free@example.com" })).toEqual(exists("CLIENT_REF", "clientRef"));
  expect(await create({ ...first, email: "free@example.com", clientRef: null })).toEqual(exists("REFERENCE", "reference"));
  for (const other of [{ bank: "beta" }, { mode: "LIVE" as const }]) {
    expect(await caller(gateway, await gateway.key(other)).create(first)).toMatchObject({ __typename: "Customer" });
  }
});

test.each([
  ["id", "11111111-1111-4111-8111-111111111111"],
  ["bankId", "beta"],
  ["mode", "LIVE"],
  ["phrase", "my-own-good-phrase"],
  ["version", 7],
  ["blacklisted", true],
  ["dialCode", "+1"],
  ["createdAt", "2020-01-01T00:00:00Z"],
  ["__proto__", { country: "NG" }],
  ["constructor", "x"],
])("%s cannot be set", async (field, value) => {
  const input = JSON.parse(JSON.stringify(person("mass")).replace("{", `{${JSON.stringify(field)}:${JSON.stringify(value)},`)) as object;
  const { body } = await gateway.query(key, "mutation ($input: CreateCustomerInput!) { createCustomer(input: $input) { __typename } }", {
    input,
  });
  expect(body.errors).toMatchObject([{ extensions: { code: "BAD_USER_INPUT" } }]);
  expect(await find({ email: "mass@example.com" })).toBeNull();
});
