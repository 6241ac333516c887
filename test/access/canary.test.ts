import { pino } from "pino";
import { describe, expect, test } from "vitest";
import { type Identity, createPrincipal, maySee, mayReach } from "../../src/access/principal.ts";
import { SCOPES, type Scope } from "../../src/access/scopes.ts";
import { CUSTOMER_FIELD_NAMES, type CustomerFieldName } from "../../src/access/visibility.ts";
import { openGateway } from "../support/gateway.ts";
import { type CanaryField, CANARIES, COLUMNS, OTHER_FORMS, PERSONAL, plantCanaries } from "./canary.customer.ts";

const log: string[] = [];
const gateway = await openGateway({}, { log: pino({ level: "trace" }, { write: (line: string) => void log.push(line) }) });
const { id, batchId } = await plantCanaries(gateway);

const selection: Record<string, string> = {
  consent: "{ source at textVersion }",
  blacklist: "{ note reason actor }",
  history: "{ nodes { version actor lifecycle } }",
  devices: "{ deviceId linkedAt }",
};
const ask = (field: CustomerFieldName) => `${field} ${selection[field] ?? ""}`;

/** Ways to ask a customer for a field. Each is an operation and where the customer stands in its answer. */
const WAYS: Record<string, (field: CustomerFieldName) => string> = {
  plain: (field) => `{ customer(by: { id: "${id}" }) { ${ask(field)} } }`,
  "aliased twice": (field) =>
    `{ customer(by: { id: "${id}" }) { accountName one: ${ask(field)} two: ${ask(field)} } again: customer(by: { id: "${id}" }) { three: ${ask(field)} } }`,
  fragment: (field) =>
    `{ customer(by: { id: "${id}" }) { ...Part ... on Node { ... on Customer { id } } } } fragment Part on Customer { ${ask(field)} }`,
  batch: (field) => `{ batch(id: "${batchId}") { customers { nodes { ${ask(field)} } edges { node { ${ask(field)} } } } } }`,
  node: (field) => `{ node(id: "${id}") { ... on Customer { ${ask(field)} redactedFields } } }`,
  connection: (field) =>
    `{ customers { nodes { ${ask(field)} } edges { cursor node { ${ask(field)} } } totalCount pageInfo { endCursor } } }`,
};

/** By scope, what it may do; a principal made as the gateway makes it. */
const principalOf = (scope: Scope) =>
  createPrincipal(
    {
      keyId: "k",
      tenantId: "alpha",
      tenantKind: "BANK",
      trustLevel: null,
      providerId: null,
      mode: "SANDBOX",
      audience: "INTERNAL",
      clientId: null,
      clientAccess: "OPEN",
      clientCostLimit: null,
      expiresAt: null,
      scopes: [scope],
    } satisfies Identity,
    null,
  );

describe.each(SCOPES)("with %s", async (scope) => {
  const principal = principalOf(scope);
  const keys = {
    batch: await gateway.key({ scopes: [...new Set<Scope>([scope, ...(scope === "banks:manage" ? [] : ["batches:write" as const])])] }),
    other: await gateway.key({ scopes: [scope] }),
  };

  test.each(Object.keys(WAYS))("%s: a field is shown or nowhere, and its column not read", async (way) => {
    for (const field of CUSTOMER_FIELD_NAMES) {
      gateway.statements.length = 0;
      const { body, headers } = await gateway.query(way === "batch" ? keys.batch : keys.other, WAYS[way]!(field));
      const text = JSON.stringify(body) + JSON.stringify([...headers]);
      const reads = gateway.statements.join("\n");
      const shown = CANARIES[field as CanaryField];
      if (!mayReach(principal, "STANDARD")) {
        expect(body.errors?.[0]!.extensions.code, field).toBe("FORBIDDEN");
        expect(reads).not.toContain('"customer"');
      } else expect(body.errors, field).toBeUndefined();
      if (maySee(principal, field)) {
        if (shown !== undefined) expect(text).toContain(shown);
        continue;
      }
      for (const canary of [...Object.values(CANARIES), ...OTHER_FORMS]) expect(text, `${field} ${way}`).not.toContain(canary);
      if (!mayReach(principal, "STANDARD")) continue;
      expect(body.extensions.visibility.length).toBeGreaterThan(0);
      // The order of a list needs its column; it leaves the gateway only sealed in cursors.
      const ordered = way === "connection" && field === "createdAt";
      if (COLUMNS[field] && !ordered) expect(reads, `${field} ${way}`).not.toContain(COLUMNS[field]);
    }
  });
});

test("a column that may be seen is read by the name that the others are not", async () => {
  const key = await gateway.key({ scopes: ["customers:read:sensitive"] });
  for (const [field, column] of Object.entries(COLUMNS)) {
    if (column === undefined) continue;
    gateway.statements.length = 0;
    await gateway.query(key, WAYS["plain"]!(field as CustomerFieldName));
    expect(gateway.statements.join("\n"), field).toContain(column);
  }
});

test("nothing of a customer is in the log, at any level", () => {
  expect(log.length).toBeGreaterThan(100);
  for (const canary of [...PERSONAL, ...OTHER_FORMS]) expect(log.filter((line) => line.includes(canary))).toEqual([]);
});
