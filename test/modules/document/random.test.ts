import fc from "fast-check";
import { type GraphQLObjectType, isObjectType, parse, TypeInfo, validate, visit, visitWithTypeInfo } from "graphql";
import { expect, test } from "vitest";
import { createPrincipal, maySee, type Principal } from "../../../src/access/principal.ts";
import { lacking } from "../../../src/access/requirement.ts";
import type { Scope } from "../../../src/access/scopes.ts";
import { CUSTOMER_FIELD_NAMES, type CustomerFieldName } from "../../../src/access/visibility.ts";
import { documentHash } from "../../../src/documents/register.ts";
import { requirementOfField } from "../../../src/graphql/field-facts.ts";
import { onlyOperation } from "../../../src/graphql/operation.ts";
import { schema } from "../../../src/graphql/schema.ts";
import { largestCostOf } from "../../../src/limits/cost.ts";
import { oversize } from "../../../src/limits/document-size.ts";
import { openGateway } from "../../support/gateway.ts";
import { randomDocument } from "../explain/random-document.ts";

const gateway = await openGateway();
const publisher = await gateway.key({ scopes: ["documents:publish"] });
const COST_LIMIT = 100;

/** The scopes of each key of a client. */
const CLIENTS: Record<string, Scope[][]> = {
  standard: [["customers:read"]],
  extended: [["customers:read:extended"]],
  sensitive: [["customers:read:sensitive", "batches:write"]],
  writer: [["customers:write", "customers:read:sensitive", "batches:write", "keys:manage"]],
  manager: [["keys:manage", "customers:read:sensitive", "batches:write"]],
  mixed: [["customers:read:sensitive", "batches:write"], ["customers:read"]],
  none: [["webhooks:manage"]],
};
for (const [client, keys] of Object.entries(CLIENTS)) {
  for (const scopes of keys) await gateway.key({ audience: "APP", client, scopes });
  await gateway.query(publisher, "mutation ($input: UpdateClientInput!) { updateClient(input: $input) { __typename } }", {
    input: { client, costLimit: COST_LIMIT },
  });
}

const principal = (scopes: Scope[]): Principal =>
  createPrincipal(
    {
      keyId: "k",
      tenantId: "alpha",
      tenantKind: "BANK",
      trustLevel: null,
      providerId: null,
      mode: "SANDBOX",
      audience: "APP",
      clientId: null,
      clientAccess: "OPEN",
      clientCostLimit: null,
      expiresAt: null,
      scopes,
    },
    null,
  );

/** Whether a key may have every field that stands in a document, but for the fragment that only uses its variables. */
function mayHaveAll(document: string, key: Principal): boolean {
  const types = new TypeInfo(schema);
  let may = true;
  visit(
    parse(document),
    visitWithTypeInfo(types, {
      FragmentDefinition: ({ name }) => (name.value === "Uses" ? false : undefined),
      Field({ name }) {
        const parent = types.getParentType();
        const field = isObjectType(parent) && (parent as GraphQLObjectType).getFields()[name.value];
        if (!field) return;
        if (lacking(key, requirementOfField(field)) !== null) may = false;
        const isCustomers = parent.name === "Customer" && CUSTOMER_FIELD_NAMES.some((known) => known === name.value);
        if (isCustomers && !maySee(key, name.value as CustomerFieldName)) may = false;
      },
    }),
  );
  return may;
}

const PUBLISH =
  "mutation ($input: PublishDocumentsInput!) { publishDocuments(input: $input) { __typename ... on InvalidDocuments { issues { message } } } }";

test("of 1,000 random documents those are published that every key of the client may have, and that keep under its cost limit", async () => {
  const things = { customerId: crypto.randomUUID(), batchId: `bat_${crypto.randomUUID()}`, email: "a@example.com", version: 1 };
  const seen = { published: 0, withheld: 0, dear: 0 };
  await fc.assert(
    fc.asyncProperty(fc.gen(), fc.constantFrom(...Object.keys(CLIENTS)), async (draw, client) => {
      const text = randomDocument(draw, things).document.replace(/^(query|mutation) /, "$1 Random ");
      const document = parse(text);
      // The generator makes fragments that nobody spreads, too.
      fc.pre(validate(schema, document).length === 0 && oversize(document) === null);
      const isCheap = largestCostOf(schema, onlyOperation(document)!) <= COST_LIMIT;
      const isOpen = CLIENTS[client]!.every((scopes) => mayHaveAll(text, principal(scopes)));
      const { body } = await gateway.query(publisher, PUBLISH, { input: { client, documents: [{ hash: documentHash(text), text }] } });
      const { __typename, issues } = body.data.publishDocuments;
      expect(__typename, `${client}: ${JSON.stringify(issues)}\n${text}`).toBe(
        isCheap && isOpen ? "DocumentsPublished" : "InvalidDocuments",
      );
      seen.published += Number(isCheap && isOpen);
      seen.withheld += Number(!isOpen);
      seen.dear += Number(!isCheap);
    }),
    { numRuns: 1000, endOnFailure: true },
  );
  for (const [kind, number] of Object.entries(seen)) expect(number, kind).toBeGreaterThan(20);
}, 240_000);
