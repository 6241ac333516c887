import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { jwtIssuersSchema } from "../../src/access/jwt-issuers.ts";
import { printScopes } from "../../src/access/scopes.ts";
import { printTrust } from "../../src/access/trust.ts";
import { FIELDS_OF_TIER, printVisibility, SCOPE_OF_VISIBILITY, VISIBILITIES } from "../../src/access/visibility.ts";
import { readConfig } from "../../src/config.ts";
import { batchRow, caller } from "../support/customers.ts";
import { openGateway } from "../support/gateway.ts";

const page = readFileSync("docs/access.md", "utf8");
const json = [...page.matchAll(/```json\n([\s\S]*?)```/g)].map(([, text]) => JSON.parse(text!));
const [withheld, forbidden, issuers] = json;
const gateway = await openGateway();

test("the page's tables are the code's, and the README leads to it", () => {
  expect(page).toContain(`\n${printVisibility()}\n`);
  expect(page).toContain(`\n${printScopes()}\n`);
  expect(page).toContain(`\n${printTrust()}\n`);
  expect(readFileSync("README.md", "utf8")).toContain("](docs/access.md)");
});

test("the page's example of JWT_ISSUERS is one that the gateway takes", () => {
  expect(jwtIssuersSchema.parse(issuers)).toEqual(issuers);
  expect(readConfig({ JWT_ISSUERS: JSON.stringify(issuers) }).jwtIssuers).toEqual(issuers);
});

test("the page's answers are the gateway's", async () => {
  await caller(gateway, await gateway.key()).batch([batchRow(1)]);
  const key = await gateway.key({ scopes: ["customers:read:extended"] });
  const ask = async (document: string) => (await gateway.query(key, document, {}, { "x-visibility": "standard" })).body;
  const shown = await ask("{ customers(first: 1) { nodes { accountName email accountNumber redactedFields } } }");
  const [example] = withheld.data.customers.nodes;
  expect(shown.data.customers.nodes).toEqual([{ ...example, accountName: expect.any(String) }]);
  expect(shown.extensions.visibility).toEqual(withheld.extensions.visibility);
  const { errors } = await ask('{ customers(filter: { emails: ["customer.1@example.com"] }) { totalCount } }');
  expect(errors).toEqual([expect.objectContaining(forbidden)]);
});

test("GraphiQL shows the rule: the type and the enum print which fields each tier shows", async () => {
  const { body } = await gateway.query(
    await gateway.key(),
    '{ type: __type(name: "Customer") { description } tiers: __type(name: "Visibility") { enumValues { name description } } }',
  );
  expect(body.data.type.description).toContain(printVisibility());
  expect(body.data.tiers.enumValues).toHaveLength(VISIBILITIES.length);
  for (const tier of VISIBILITIES) {
    expect(body.data.tiers.enumValues).toContainEqual({
      name: tier,
      description: `Shows ${FIELDS_OF_TIER[tier].join(", ")}. Needs \`${SCOPE_OF_VISIBILITY[tier]}\`.`,
    });
  }
});
