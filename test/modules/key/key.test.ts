import { expect, test } from "vitest";
import { issueKey } from "../../../src/access/issue-key.ts";
import { SCOPES, type Scope } from "../../../src/access/scopes.ts";
import type { Audience } from "../../../src/database/generated/enums.ts";
import { documentHash, registerDocuments } from "../../../src/documents/register.ts";
import { type Answer, openGateway } from "../../support/gateway.ts";

const gateway = await openGateway();
const { db } = gateway.app.services;

const CREATE = `mutation ($input: CreateApiKeyInput!) {
  result: createApiKey(input: $input) {
    __typename
    ... on ApiKeyIssued { key apiKey { id bankId mode audience scopes client expiresAt } }
    ... on InvalidApiKey { issues { field message } }
  }
}`;
const VIEWER = "{ viewer { bankId mode audience scopes } }";
const operator = (
  await issueKey(db, {
    tenant: { id: "operator", kind: "OPERATOR", name: "Operator" },
    mode: "SANDBOX",
    audience: "INTERNAL",
    scopes: ["banks:manage"],
  })
).key;

const create = async (key: string, input: object) => (await gateway.query(key, CREATE, { input })).body.data.result;
const rotate = async (key: string, id: string, overlap = 5) =>
  (
    await gateway.query(
      key,
      `mutation { r: rotateApiKey(input: { id: "${id}", overlapSeconds: ${overlap} }) {
        __typename ... on ApiKeyIssued { key apiKey { id scopes audience client expiresAt } } ... on InvalidApiKey { issues { field } } } }`,
    )
  ).body.data.r;
const fieldsOf = (issues: { field: string }[]) => issues.map(({ field }) => field);
const status = async (key: string) => (await gateway.query(key, VIEWER)).status;
const eventually = async (check: () => Promise<void>) => {
  await expect
    .poll(() =>
      check().then(
        () => true,
        () => false,
      ),
    )
    .toBe(true);
};

test.each(["SANDBOX", "LIVE"])("the operator makes a bank and its first key, in %s, and no other in any mode", async (mode) => {
  const bank = `second-bank-${mode.toLowerCase()}`;
  const scopes: Scope[] = ["keys:manage", "customers:read:sensitive"];
  const issued = await create(operator, { bank, mode, audience: "INTERNAL", scopes });
  expect(issued.apiKey).toMatchObject({ bankId: bank, mode, scopes });
  expect((await gateway.query(issued.key, VIEWER)).body.data.viewer).toMatchObject({ bankId: bank, mode });
  const revoked = await gateway.query(issued.key, `mutation { revokeApiKey(input: { id: "${issued.apiKey.id}" }) { __typename } }`);
  expect(revoked.body.data.revokeApiKey.__typename).toBe("ApiKey");
  for (const other of ["SANDBOX", "LIVE"]) {
    const again = await create(operator, { bank, mode: other, audience: "INTERNAL", scopes });
    expect(again.issues).toEqual([{ field: "bank", message: expect.stringContaining("has had a key") }]);
  }
});

test("a LIVE key makes SANDBOX keys of its bank, and never the other way round", async () => {
  const live = await gateway.key({ bank: "both-modes", mode: "LIVE", scopes: ["keys:manage", "customers:read"] });
  const { key, apiKey } = await create(live, { mode: "SANDBOX", audience: "INTERNAL", scopes: ["keys:manage"] });
  expect(apiKey).toMatchObject({ bankId: "both-modes", mode: "SANDBOX" });
  expect((await gateway.query(key, VIEWER)).body.data.viewer).toMatchObject({ bankId: "both-modes", mode: "SANDBOX" });
  const { issues } = await create(key, { mode: "LIVE", audience: "INTERNAL", scopes: ["keys:manage"] });
  expect(fieldsOf(issues)).toEqual(["mode"]);
});

test("of several operators at once one makes the bank's first key, whichever bank", async () => {
  for (let number = 1; number <= 10; number++) {
    const input = { bank: `contested-${number}`, mode: "SANDBOX", audience: "INTERNAL", scopes: ["keys:manage"], client: "shop" };
    const results = await Promise.all([1, 2, 3].map(() => create(operator, input)));
    expect(results.map(({ __typename }) => __typename).sort()).toEqual(["ApiKeyIssued", "InvalidApiKey", "InvalidApiKey"]);
  }
});

test.each([
  ["no bank", { scopes: ["keys:manage"] }, "bank"],
  ["its own tenant", { bank: "operator", scopes: ["keys:manage"] }, "bank"],
  ["an odd bank", { bank: "A Bank", scopes: ["keys:manage"] }, "bank"],
  ["its own scope", { bank: "third-bank", scopes: ["banks:manage"] }, "scopes"],
  ["mixed scopes", { bank: "third-bank", scopes: ["banks:manage", "customers:read"] }, "scopes"],
])("the operator cannot ask for %s", async (_what, input, field) => {
  const { issues } = await create(operator, { mode: "SANDBOX", audience: "INTERNAL", ...input });
  expect(fieldsOf(issues)).toContain(field);
});

test("a key grants only what it holds, in its own bank and mode", async () => {
  const key = await gateway.key({ bank: "grants", scopes: ["keys:manage", "customers:read:extended"] });
  const issued = await create(key, { audience: "APP", scopes: ["customers:read"], client: "shop" });
  expect(issued.apiKey).toMatchObject({ bankId: "grants", mode: "SANDBOX", client: "shop" });
  const refusals: [object, string][] = [
    [{ scopes: ["customers:read:sensitive"] }, "scopes"],
    [{ scopes: ["banks:manage"] }, "scopes"],
    [{ scopes: ["no:such"] }, "scopes"],
    [{ scopes: [] }, "scopes"],
    [{ scopes: ["customers:read"], bank: "alpha" }, "bank"],
    [{ scopes: ["customers:read"], mode: "LIVE" }, "mode"],
    [{ scopes: ["customers:read"], audience: "PARTNER" }, "client"],
    [{ scopes: ["customers:read"], client: "a b" }, "client"],
    [{ scopes: ["customers:read"], expiresAt: "2020-01-01T00:00:00Z" }, "expiresAt"],
  ];
  for (const [input, field] of refusals) {
    const { issues } = await create(key, { audience: "APP", ...input });
    expect(fieldsOf(issues), JSON.stringify(input)).toContain(field);
  }
});

test("a key makes keys only for audiences that are held to at least as much", async () => {
  const scopes: Scope[] = ["keys:manage", "customers:read"];
  const made = async (key: string, audience: string) => {
    const { __typename, issues } = await create(key, { audience, scopes: ["customers:read"], client: "shop" });
    return __typename === "ApiKeyIssued" ? audience : fieldsOf(issues);
  };
  const all = ["INTERNAL", "APP", "PARTNER"];
  const by = async (audience: Audience) => {
    const key = await gateway.key({ bank: "audiences", audience, scopes });
    return Promise.all(all.map((other) => made(key, other)));
  };
  expect(await by("INTERNAL")).toEqual(all);
  expect(await by("APP")).toEqual([["audience"], "APP", "PARTNER"]);

  const internal = await create(await gateway.key({ bank: "audiences" }), { audience: "INTERNAL", scopes: ["customers:read"] });
  const app = await gateway.key({ bank: "audiences", audience: "APP", scopes });
  expect((await rotate(app, internal.apiKey.id)).issues).toEqual([{ field: "id" }]);
});

test("a PARTNER manages no keys: by the documents registered for it neither, whatever its key says", async () => {
  const manager = await gateway.key({ bank: "partners" });
  const asked = await create(manager, { audience: "PARTNER", scopes: ["keys:manage", "customers:read"], client: "shop" });
  expect(asked.issues).toEqual([{ field: "scopes", message: expect.stringContaining("keys:manage") }]);
  const partner = await gateway.key({ bank: "partners", audience: "PARTNER", scopes: ["keys:manage", "customers:read"], client: "shop" });
  const { id } = await db.client.findUniqueOrThrow({ where: { tenantId_name: { tenantId: "partners", name: "shop" } } });
  await registerDocuments(db, id, [CREATE]);
  const response = await gateway.send("/graphql", {
    method: "POST",
    headers: { authorization: `Bearer ${partner}`, "content-type": "application/json" },
    body: JSON.stringify({
      documentId: `sha256:${documentHash(CREATE)}`,
      variables: { input: { audience: "INTERNAL", scopes: ["customers:read"] } },
    }),
  });
  const { errors } = (await response.json()) as Answer["body"];
  expect(errors).toEqual([
    expect.objectContaining({ extensions: { code: "FORBIDDEN", requires: expect.stringContaining("keys:manage") } }),
  ]);
});

test("no key outlives its maker", async () => {
  const manager = await gateway.key({ bank: "outliving" });
  const soon = (hours: number) => new Date(Date.now() + hours * 3_600_000).toISOString();
  const end = soon(2);
  const ending = await create(manager, { audience: "INTERNAL", scopes: ["keys:manage", "customers:read"], expiresAt: end });
  const ask = async (expiresAt?: string) => create(ending.key, { audience: "APP", scopes: ["customers:read"], expiresAt });
  for (const later of [undefined, soon(3)]) expect(fieldsOf((await ask(later)).issues)).toEqual(["expiresAt"]);
  for (const inTime of [soon(1), end]) expect((await ask(inTime)).apiKey.expiresAt).toBe(inTime);

  const lasting = await create(manager, { audience: "APP", scopes: ["customers:read"] });
  expect((await rotate(ending.key, lasting.apiKey.id)).issues).toEqual([{ field: "id" }]);
  expect((await rotate(ending.key, ending.apiKey.id)).apiKey.expiresAt).toBe(end);
});

test("a request that lowers what it sees hands on no more than that", async () => {
  const manager = await gateway.key({ bank: "lowered" });
  const ask = async (scopes: Scope[], lowered: string) =>
    (await gateway.query(manager, CREATE, { input: { audience: "APP", scopes } }, { "x-visibility": lowered })).body.data.result;
  expect(fieldsOf((await ask(["customers:read:sensitive"], "standard")).issues)).toEqual(["scopes"]);
  expect(fieldsOf((await ask(["customers:read:sensitive"], "extended")).issues)).toEqual(["scopes"]);
  expect((await ask(["customers:read:extended", "customers:write"], "extended")).__typename).toBe("ApiKeyIssued");
  expect((await ask(["customers:read", "keys:manage"], "standard")).__typename).toBe("ApiKeyIssued");
});

test("a scope that is named twice is kept once", async () => {
  const manager = await gateway.key({ bank: "twice" });
  const { apiKey } = await create(manager, { audience: "APP", scopes: ["customers:write", "customers:read", "customers:write"] });
  expect(apiKey.scopes).toEqual(["customers:write", "customers:read"]);
});

test("a revoked key is refused within a second, by another process too, like any wrong one", async () => {
  const manager = await gateway.key({ bank: "revoking" });
  const { key, apiKey } = await create(manager, { audience: "APP", scopes: ["customers:read"] });
  expect(await status(key)).toBe(200);
  const revoke = (id: string) =>
    gateway.query(manager, `mutation { r: revokeApiKey(input: { id: "${id}" }) { __typename ... on ApiKey { revokedAt } } }`);
  const first = (await revoke(apiKey.id)).body.data.r.revokedAt;
  await eventually(async () => expect(await status(key)).toBe(401));
  expect((await revoke(apiKey.id)).body.data.r.revokedAt).toBe(first);

  const answers = [key, `${key.slice(0, -40)}${"0".repeat(40)}`, `cgw_sandbox_${"1".repeat(16)}_${"2".repeat(40)}`, "cgw_", "x"].map(
    async (wrong) => {
      const response = await gateway.send("/graphql", {
        method: "POST",
        headers: { authorization: `Bearer ${wrong}`, "content-type": "application/json", "x-request-id": "same" },
        body: JSON.stringify({ query: VIEWER }),
      });
      return [response.status, [...response.headers].sort(), await response.text()];
    },
  );
  const [one, ...others] = await Promise.all(answers);
  for (const other of others) expect(other).toEqual(one);
});

test("a key ends at its time", async () => {
  const manager = await gateway.key({ bank: "ending" });
  const { key } = await create(manager, {
    audience: "APP",
    scopes: ["customers:read"],
    expiresAt: new Date(Date.now() + 3000).toISOString(),
  });
  expect(await status(key)).toBe(200);
  await eventually(async () => expect(await status(key)).toBe(401));
});

test("rotation makes a key of the same grants and lets the old one go on for the overlap", async () => {
  const manager = await gateway.key({ bank: "rotating" });
  const old = await create(manager, { audience: "PARTNER", scopes: ["customers:read"], client: "shop" });
  const weak = await gateway.key({ bank: "rotating", scopes: ["keys:manage"] });
  expect((await rotate(weak, old.apiKey.id, 5)).issues).toEqual([{ field: "id" }]);
  expect((await rotate(manager, old.apiKey.id, -1)).issues).toEqual([{ field: "overlapSeconds" }]);
  const { key, apiKey } = await rotate(manager, old.apiKey.id, 4);
  expect(apiKey).toMatchObject({ scopes: ["customers:read"], audience: "PARTNER", client: "shop" });
  expect([await status(key), await status(old.key)]).toEqual([403, 403]);
  await expect.poll(() => status(old.key)).toBe(401);
  expect(await status(key)).toBe(403);
});

test("a key is rotated once: the second time, one after the other or at once, is refused", async () => {
  const manager = await gateway.key({ bank: "rotating-twice" });
  const make = async () => (await create(manager, { audience: "APP", scopes: ["customers:read"] })).apiKey.id as string;
  const id = await make();
  const { apiKey } = await rotate(manager, id, 3600);
  expect(apiKey.expiresAt).toBeNull();
  expect((await rotate(manager, id, 3600)).issues).toEqual([{ field: "id" }]);
  const next = await rotate(manager, apiKey.id);
  expect(next.apiKey.expiresAt).toBeNull();

  const contested = await make();
  const results = await Promise.all([1, 2, 3].map(() => rotate(manager, contested, 3600)));
  expect(results.map(({ __typename }) => __typename).sort()).toEqual(["ApiKeyIssued", "InvalidApiKey", "InvalidApiKey"]);
  const { body } = await gateway.query(manager, "{ apiKeys(first: 100) { nodes { id replacedBy } } }");
  const replacedBy = Object.fromEntries(
    body.data.apiKeys.nodes.map((node: { id: string; replacedBy: string | null }) => [node.id, node.replacedBy]),
  );
  expect(replacedBy).toMatchObject({ [id]: apiKey.id, [apiKey.id]: next.apiKey.id, [next.apiKey.id]: null });
  // The manager's own, the chain of three, the contested one and its one successor.
  expect(Object.keys(replacedBy)).toHaveLength(6);
});

test("the list shows when a key was last used, and never a secret or its hash", async () => {
  const manager = await gateway.key({ bank: "listing", scopes: SCOPES.filter((scope) => scope !== "banks:manage") });
  await expect
    .poll(async () => (await gateway.query(manager, "{ apiKeys { nodes { id lastUsedAt } } }")).body.data.apiKeys.nodes[0].lastUsedAt, {
      timeout: 12_000,
    })
    .not.toBeNull();
  const { body } = await gateway.query(
    manager,
    "{ apiKeys(first: 100) { nodes { id bankId mode audience scopes client createdAt expiresAt revokedAt lastUsedAt } } }",
  );
  expect(body.data.apiKeys.nodes.map(({ bankId }: { bankId: string }) => bankId)).toEqual(["listing"]);
  expect(JSON.stringify(body)).not.toContain(manager.split("_")[3]);
});

test("at rest a key is a hash", async () => {
  const key = await gateway.key({ bank: "resting" });
  const [row] = await db.$queryRaw<{ text: string }[]>`SELECT api_key::text AS text FROM api_key WHERE tenant_id = 'resting'`;
  const secret = key.split("_")[3]!;
  expect(row!.text).not.toContain(secret);
  expect(row!.text).not.toContain(Buffer.from(secret).toString("hex"));
});
