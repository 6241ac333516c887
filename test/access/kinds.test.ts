import { describe, expect, test } from "vitest";
import { OPERATOR } from "../../src/access/bank-id.ts";
import { issueKey } from "../../src/access/issue-key.ts";
import { SCOPES, type Scope, scopesOf } from "../../src/access/scopes.ts";
import { dataOf } from "../support/customers.ts";
import { openGateway } from "../support/gateway.ts";

const gateway = await openGateway();
const { db } = gateway.app.services;
const CREATE = `mutation ($input: CreateApiKeyInput!) {
  createApiKey(input: $input) { ... on ApiKeyIssued { key } ... on InvalidApiKey { issues { field message } } }
}`;

/** Only banks have customers, and only providers ask where somebody is one. */
const NEVER: Record<"BANK" | "PROVIDER", Scope[]> = {
  BANK: ["devices:lookup", "discovery:read", "banks:manage"],
  PROVIDER: ["customers:write", "customers:blacklist", "customers:erase", "batches:write", "devices:write", "banks:manage"],
};

describe.each(["BANK", "PROVIDER"] as const)("a %s", (kind) => {
  const bank = kind.toLowerCase();

  test("has every scope but those that are not for it", () => {
    expect(scopesOf(kind)).toEqual(SCOPES.filter((scope) => !NEVER[kind].includes(scope)));
  });

  test("gets no key with another", async () => {
    const operator = await issueKey(db, {
      tenant: OPERATOR,
      mode: "SANDBOX",
      audience: "INTERNAL",
      scopes: ["banks:manage"],
    });
    for (const scope of NEVER[kind]) {
      const input = { bank: `new-${bank}`, kind, audience: "INTERNAL", scopes: ["keys:manage", scope] };
      const { issues } = dataOf((await gateway.query(operator.key, CREATE, { input })).body);
      expect(issues).toEqual([{ field: "scopes", message: `names what no ${kind} has: ${scope}` }]);
    }
  });

  test("holds no other by a key whose row names all", async () => {
    const key = await gateway.key({ bank, kind, scopes: [...SCOPES] });
    const { scopes } = dataOf((await gateway.query(key, "{ viewer { scopes } }")).body);
    expect(scopes).toEqual(scopesOf(kind).toSorted());
  });
});
