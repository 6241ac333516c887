import { client } from "./client.ts";
import { NewestCustomers, Register } from "./documents.ts";

/** Throws what went wrong with the whole request; what a mutation refuses is data. */
function dataOf<Data>({ data, error }: { data?: Data; error?: Error }): Data {
  if (error || !data) throw error ?? new Error("The answer has no data.");
  return data;
}

const person = { firstname: "Ada", lastname: "Example", email: `ada.${Date.now()}@example.com`, country: "NG" };

for (const input of [person, { ...person, email: "no address" }]) {
  const { createCustomer: result } = dataOf(await client.mutation(Register, { input }));
  switch (result.__typename) {
    case "Customer":
      console.log(`registered ${result.phrase} in ${result.country}`);
      break;
    case "InvalidCustomerData":
      for (const { field, message } of result.issues) console.log(`refused: ${field}: ${message}`);
      break;
    default:
      console.log(`refused: ${result.message}`);
  }
}

const { customers } = dataOf(await client.query(NewestCustomers, { first: 3 }));
for (const { accountName, email, country } of customers.nodes) console.log(`${accountName} <${email}>, ${country}`);
