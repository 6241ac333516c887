import { expect, test } from "vitest";
import { openGateway } from "../../support/gateway.ts";

const gateway = await openGateway();

test("the batch printed in the source documents goes in, comes back by every key, and is then one existing customer", async () => {
  const key = await gateway.key();
  const input = {
    customers: [
      {
        clientRef: "cust_001",
        firstname: "John",
        lastname: "Doe",
        accountName: "John Doe",
        email: "john.doe@example.com",
        country: "NG",
        accountNumber: "1234567890",
        reference: "ref_001",
      },
    ],
  };
  const CREATE = /* GraphQL */ `
    mutation ($input: CreateCustomersBatchInput!) {
      createCustomersBatch(input: $input) {
        ... on BatchResult {
          id
          status
          summary { total successful failed duplicates invalidData pending rolledBack }
          customerIds
          customers { nodes { id phrase accountNumber } }
          failures { __typename ... on ExistingCustomer { index code matchedOn customerId } }
        }
      }
    }
  `;
  const first = (await gateway.query(key, CREATE, { input })).body.data.createCustomersBatch;
  expect(first.summary).toEqual({ total: 1, successful: 1, failed: 0, duplicates: 0, invalidData: 0, pending: 0, rolledBack: 0 });
  const [customer] = first.customers.nodes;
  expect(customer.accountNumber).toBe("1234567890");

  const lookups = [
    { id: customer.id },
    { email: "John.Doe@Example.com" },
    { phrase: customer.phrase },
    { reference: "ref_001" },
    { clientRef: "cust_001" },
  ];
  for (const by of lookups) {
    const { body } = await gateway.query(key, "query ($by: CustomerBy!) { customer(by: $by) { id } }", { by });
    expect(body.data.customer).toEqual({ id: customer.id });
  }

  const second = (await gateway.query(key, CREATE, { input })).body.data.createCustomersBatch;
  expect(second.status).toBe("COMPLETED");
  expect(second.failures).toEqual([
    { __typename: "ExistingCustomer", index: 0, code: "EXISTING_CUSTOMER", matchedOn: "EMAIL", customerId: customer.id },
  ]);
});
