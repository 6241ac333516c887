import type { GraphQLInputObjectType } from "graphql";
import { expect, test } from "vitest";
import { schema } from "../../../src/graphql/schema.ts";
import type { CustomerInputField } from "../../../src/modules/customer/customer.rules.ts";
import { openGateway } from "../../support/gateway.ts";

/** A value for every field that an input can set, in the form in which it is given back. */
const VALUES: Record<CustomerInputField, string> = {
  clientRef: "client-1",
  firstname: "Ada",
  middlename: "Bea",
  lastname: "Example",
  accountName: "Ada B. Example",
  country: "NG",
  email: "ada@example.com",
  phone: "+2347000000001",
  address: "1 Example Street",
  state: "Lagos",
  gender: "FEMALE",
  displayPicture: "https://example.com/ada.png",
  accountNumber: "0123456789",
  reference: "ref-1",
};
const OTHERS: Partial<typeof VALUES> = {
  firstname: "Eve",
  middlename: "Fay",
  lastname: "Sample",
  accountName: "Eve F. Sample",
  email: "eve@example.com",
  phone: "+2347000000002",
  address: "2 Sample Street",
  state: "Kano",
  gender: "OTHER",
  displayPicture: "https://example.com/eve.png",
};
const FIELDS = `... on Customer { id ${Object.keys(VALUES).join(" ")} }`;

const gateway = await openGateway();

/** The part of the values that an input type takes. */
const taken = (input: string, values: Partial<typeof VALUES>) =>
  Object.fromEntries(Object.entries(values).filter(([field]) => field in (schema.getType(input) as GraphQLInputObjectType).getFields()));

test("whatever can be set at registration is stored, whatever can be changed is changed", async () => {
  const key = await gateway.key();
  const create = `mutation ($input: CreateCustomerInput!) { createCustomer(input: $input) { ${FIELDS} } }`;
  const input = taken("CreateCustomerInput", VALUES);
  expect(Object.keys(input)).toEqual(Object.keys(VALUES));
  const made = (await gateway.query(key, create, { input })).body.data.createCustomer;
  expect(made).toEqual({ id: made.id, ...VALUES });

  const update = taken("CustomerUpdateInput", OTHERS);
  expect(Object.keys(update)).toHaveLength(
    Object.keys((schema.getType("CustomerUpdateInput") as GraphQLInputObjectType).getFields()).length,
  );
  const change = `mutation ($input: UpdateCustomerInput!) { updateCustomer(input: $input) { ${FIELDS} } }`;
  const changed = (await gateway.query(key, change, { input: { id: made.id, update } })).body.data.updateCustomer;
  expect(changed).toEqual({ ...made, ...OTHERS });
});

test("a row of a batch keeps all that it can bring", async () => {
  const row = taken("BatchCustomerInput", VALUES);
  const batch = `mutation ($input: CreateCustomersBatchInput!) {
    createCustomersBatch(input: $input) { ... on BatchResult { customers { nodes { ${Object.keys(row).join(" ")} } } } }
  }`;
  const { body } = await gateway.query(await gateway.key({ bank: "beta" }), batch, { input: { customers: [row] } });
  expect(body.data.createCustomersBatch.customers.nodes).toEqual([row]);
});
