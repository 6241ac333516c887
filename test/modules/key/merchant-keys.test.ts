import { expect, test } from "vitest";
import { issueKey } from "../../../src/access/issue-key.ts";
import type { Scope } from "../../../src/access/scopes.ts";
import { OPERATOR } from "../../../src/access/bank-id.ts";
import { dataOf } from "../../support/customers.ts";
import { openGateway } from "../../support/gateway.ts";
import { makeMerchant } from "../../support/merchants.ts";
import { audited } from "../audit/support.ts";

const gateway = await openGateway();
const { db } = gateway.app.services;
const operator = (await issueKey(db, { tenant: OPERATOR, mode: "SANDBOX", audience: "INTERNAL", scopes: ["banks:manage"] })).key;

const CREATE = `mutation ($input: CreateApiKeyInput!) {
  result: createApiKey(input: $input) {
    __typename ... on ApiKeyIssued { key apiKey { id bankId mode scopes client } } ... on InvalidApiKey { issues { field message } }
  }
}`;
const create = async (key: string, input: object) =>
  dataOf((await gateway.query(key, CREATE, { input: { audience: "INTERNAL", ...input } })).body);
const fieldsOf = async (key: string, input: object) => (await create(key, input)).issues.map(({ field }: { field: string }) => field);
const viewer = async (key: string) => dataOf((await gateway.query(key, "{ viewer { bankId tenantKind mode trustLevel scopes } }")).body);
const list = async (key: string, merchant: string | null): Promise<string[]> =>
  dataOf(
    (await gateway.query(key, "query ($merchant: ID) { apiKeys(merchant: $merchant) { nodes { id } } }", { merchant })).body,
  ).nodes.map(({ id }: { id: string }) => id);
const change = async (key: string, mutation: string, id: string) =>
  dataOf(
    (
      await gateway.query(
        key,
        `mutation { r: ${mutation}(input: { id: "${id}" }) { __typename ${mutation === "rotateApiKey" ? "... on ApiKeyIssued { key }" : ""} } }`,
      )
    ).body,
  );
const idOf = (key: string) => key.split("_")[2]!;

const scopes = ["discovery:read", "devices:lookup"];
const provider = await gateway.key({ bank: "provider", kind: "PROVIDER" });
const stranger = await gateway.key({ bank: "stranger", kind: "PROVIDER" });
const live = await gateway.key({ bank: "provider", kind: "PROVIDER", mode: "LIVE" });
const merchant = await makeMerchant(gateway, "provider");

test("the operator makes banks and providers, and each stays what it was made as", async () => {
  for (const [bank, kind] of [
    ["new-provider", "PROVIDER"],
    ["new-bank", "BANK"],
    ["newer-bank", null],
  ] as const) {
    const { key } = await create(operator, { bank, kind, scopes: ["keys:manage", "merchants:write", "customers:read"] });
    expect(await viewer(key)).toMatchObject({ bankId: bank, tenantKind: kind ?? "BANK", trustLevel: null });
  }
  await db.tenant.create({ data: { id: "kept", kind: "PROVIDER", name: "kept" } });
  expect(await fieldsOf(operator, { bank: "kept", scopes: ["keys:manage"] })).toEqual(["kind"]);
  expect((await create(operator, { bank: "kept", kind: "PROVIDER", scopes: ["keys:manage"] })).__typename).toBe("ApiKeyIssued");
});

test.each([
  ["a merchant as such", { bank: "x", kind: "MERCHANT", scopes }, ["kind"]],
  ["another operator", { bank: "x", kind: "OPERATOR", scopes: ["keys:manage"] }, ["kind", "scopes"]],
  ["somebody's merchant", { bank: "x", merchant, scopes }, ["merchant"]],
  ["a bank of a merchant's id", { bank: merchant, kind: "PROVIDER", scopes }, ["bank"]],
])("the operator does not make %s", async (_what, input, fields) => {
  expect(await fieldsOf(operator, input)).toEqual(fields);
});

test("no tenant says what another is: its own keys keep its kind", async () => {
  expect(await fieldsOf(provider, { kind: "BANK", scopes: ["audit:read"] })).toEqual(["kind"]);
  const { key } = await create(provider, { kind: "PROVIDER", scopes });
  expect(await viewer(key)).toMatchObject({ tenantKind: "PROVIDER" });
});

test("a provider makes a key for a merchant of its, which is the merchant and no more", async () => {
  const { rows, body } = await audited(gateway, provider, CREATE, { input: { merchant, audience: "PARTNER", client: "shop", scopes } });
  const { key, apiKey } = dataOf(body);
  expect(apiKey).toEqual({ id: idOf(key), bankId: merchant, mode: "SANDBOX", scopes, client: "shop" });
  expect(rows).toMatchObject([{ bankId: "provider", operation: "createApiKey", subjects: [merchant, apiKey.id] }]);

  const second = await create(provider, { merchant: merchant.toUpperCase().replace("MER", "mer"), mode: "SANDBOX", scopes });
  expect(await viewer(second.key)).toEqual({
    bankId: merchant,
    tenantKind: "MERCHANT",
    mode: "SANDBOX",
    trustLevel: "BASIC",
    scopes: ["discovery:read"],
  });
  const tenants = await db.tenant.findMany({ where: { id: merchant }, omit: { createdAt: true } });
  expect(tenants).toEqual([{ id: merchant, kind: "MERCHANT", name: merchant, providerId: "provider" }]);
});

test("another's merchant, another mode's and none are refused alike", async () => {
  const none = [
    `mer_${crypto.randomUUID()}`,
    "mer_x",
    "",
    "\0",
    await makeMerchant(gateway, "stranger"),
    await makeMerchant(gateway, "provider", "LIVE"),
  ];
  for (const one of none) {
    expect(await create(provider, { merchant: one, scopes })).toEqual({
      __typename: "InvalidApiKey",
      issues: [{ field: "merchant", message: "is none of the key's own tenant and mode" }],
    });
  }
  // Not even a LIVE key makes keys of a SANDBOX merchant.
  expect(await fieldsOf(live, { merchant, mode: "SANDBOX", scopes })).toEqual(["mode"]);
  expect(await fieldsOf(live, { merchant, scopes })).toEqual(["merchant"]);
});

test("a merchant's key holds what trust levels have, and its maker's, and nothing else", async () => {
  for (const scope of ["keys:manage", "customers:read", "merchants:write", "webhooks:manage", "banks:manage"]) {
    const { issues } = await create(provider, { merchant, scopes: [scope] });
    expect(issues).toContainEqual({ field: "scopes", message: `names what no MERCHANT has: ${scope}` });
  }
  const weak = await gateway.key({ bank: "provider", kind: "PROVIDER", scopes: ["keys:manage", "discovery:read"] });
  expect(await fieldsOf(weak, { merchant, scopes: ["devices:lookup"] })).toEqual(["scopes"]);
  // Whatever a row says.
  const tenant = { id: merchant, kind: "MERCHANT", name: merchant, providerId: "provider" } as const;
  const { key } = await issueKey(db, {
    tenant,
    mode: "SANDBOX",
    audience: "INTERNAL",
    scopes: ["customers:read:sensitive", "keys:manage"],
  });
  expect(await viewer(key)).toMatchObject({ scopes: [] });
  expect((await gateway.query(key, "{ apiKeys { nodes { id } } }")).status).toBe(403);
});

test("a row that names more than its kind can have is listed and rotated without it", async () => {
  const tenant = { id: "provider", kind: "PROVIDER", name: "provider" } as const;
  const issue = (given: Scope[]) => issueKey(db, { tenant, mode: "SANDBOX", audience: "INTERNAL", scopes: given });
  const { id } = await issue(["audit:read", "customers:write"]);
  const { body } = await gateway.query(provider, "{ apiKeys(first: 100) { nodes { id scopes } } }");
  expect(dataOf(body).nodes).toContainEqual({ id, scopes: ["audit:read"] });
  const { key } = await change(provider, "rotateApiKey", id);
  expect((await viewer(key)).scopes).toEqual(["audit:read"]);
  expect((await change(provider, "rotateApiKey", (await issue(["customers:write"])).id)).__typename).toBe("InvalidApiKey");
});

test("its provider lists, rotates and revokes a merchant's keys; nobody else knows of them", async () => {
  const own = await makeMerchant(gateway, "provider");
  const { key } = await create(provider, { merchant: own, scopes });
  expect(await list(provider, own)).toEqual([idOf(key)]);
  expect(await list(provider, null)).not.toContain(idOf(key));
  for (const [as, one] of [
    [stranger, own],
    [live, own],
    [provider, "mer_x"],
    [provider, "provider"],
    [provider, "\0"],
  ] as const) {
    expect(await list(as, one)).toEqual([]);
  }
  for (const as of [stranger, live]) {
    for (const mutation of ["revokeApiKey", "rotateApiKey"]) {
      expect(await change(as, mutation, idOf(key))).toEqual({ __typename: "ApiKeyNotFound" });
    }
  }
  const rotated = await change(provider, "rotateApiKey", idOf(key));
  expect(await viewer(rotated.key)).toMatchObject({ bankId: own, tenantKind: "MERCHANT" });
  expect(await change(provider, "revokeApiKey", idOf(rotated.key))).toEqual({ __typename: "ApiKey" });
  await expect.poll(async () => (await gateway.query(rotated.key, "{ viewer { mode } }")).status, { timeout: 5000 }).toBe(401);
  expect(await list(provider, own)).toHaveLength(2);
});

test("a merchant's documents are its own, and so are its clients", async () => {
  const { key } = await create(provider, { merchant, scopes: ["documents:publish"], client: "own" });
  const clients = async (as: string) =>
    dataOf((await gateway.query(as, "{ clients { nodes { name } } }")).body).nodes.map(({ name }: { name: string }) => name);
  expect(await clients(key)).toContain("own");
  expect(await clients(provider)).not.toContain("own");
});

test("a key whose provider has not that merchant in its mode is no key", async () => {
  const tenant = { id: `mer_${crypto.randomUUID()}`, kind: "MERCHANT", name: "none", providerId: "provider" } as const;
  const { key } = await issueKey(db, { tenant, mode: "SANDBOX", audience: "INTERNAL", scopes: ["discovery:read"] });
  expect((await gateway.query(key, "{ viewer { mode } }")).status).toBe(401);
});
