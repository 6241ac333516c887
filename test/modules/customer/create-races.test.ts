import { expect, test } from "vitest";
import { caller, person } from "../../support/customers.ts";
import { openGateway } from "../../support/gateway.ts";

const gateway = await openGateway();
const { db } = gateway.app.services;
const { create, batch } = caller(gateway, await gateway.key());

test("of 20 registrations of one e-mail at once, exactly one is made", async () => {
  const results = await Promise.all(Array.from({ length: 20 }, (_, number) => create(person("race", { clientRef: `race-${number}` }))));
  expect(results.filter(({ __typename }) => __typename === "Customer")).toHaveLength(1);
  for (const lost of results.filter(({ __typename }) => __typename !== "Customer")) expect(lost).toMatchObject({ matchedOn: "EMAIL" });
  expect(await db.customer.count({ where: { bankId: "alpha", mode: "SANDBOX", email: "race@example.com" } })).toBe(1);
});

test("a registration by one e-mail in a batch and alone at once is made once", async () => {
  for (let round = 0; round < 5; round++) {
    const email = `both-${round}@example.com`;
    const row = { ...person("x", { email }), clientRef: `both-${round}`, accountName: "X", accountNumber: "1", reference: `both-${round}` };
    const other = { ...row, email: `rest-${round}@example.com`, clientRef: `rest-${round}`, reference: `rest-${round}` };
    const [alone, together] = await Promise.all([create(person("y", { email })), batch([other, row])]);
    expect((alone.__typename === "Customer" ? 1 : 0) + together.createdCount).toBe(2);
  }
});
