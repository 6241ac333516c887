import { expect, test } from "vitest";
import { openGateway } from "../../support/gateway.ts";

const gateway = await openGateway();

test("each mutation of one document answers with the customer as it left it", async () => {
  const key = await gateway.key();
  const created = await gateway.query(
    key,
    'mutation { createCustomer(input: { firstname: "A", lastname: "B", email: "serial@example.com", country: "NG" }) { ... on Customer { id } } }',
  );
  const { id } = created.body.data.createCustomer;
  const { body } = await gateway.query(
    key,
    `mutation ($id: ID!) {
      one: updateCustomer(input: { id: $id, update: { state: "One" } }) { ...It }
      two: updateCustomer(input: { id: $id, update: { state: "Two" } }) { ...It }
      three: setBlacklist(input: { id: $id, blacklisted: true }) { ...It }
      four: setBlacklist(input: { id: $id, blacklisted: false }) { ...It }
    }
    fragment It on Customer { version state blacklisted blacklist { reason } history(first: 1) { nodes { version type } } }`,
    { id },
  );
  const state = (version: number, text: string, type: string, blacklisted = false) => ({
    version,
    state: text,
    blacklisted,
    blacklist: blacklisted ? { reason: "OTHER" } : null,
    history: { nodes: [{ version, type }] },
  });
  expect(body.data).toEqual({
    one: state(2, "One", "UPDATED"),
    two: state(3, "Two", "UPDATED"),
    three: state(4, "Two", "BLACKLISTED", true),
    four: state(5, "Two", "UNBLACKLISTED"),
  });
});
