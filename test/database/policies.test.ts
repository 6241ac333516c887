import { expect, test } from "vitest";
import type { Mode } from "../../src/database/generated/enums.ts";
import { openGateway } from "../support/gateway.ts";
import { insertMany } from "../support/many-customers.ts";
import { makeMerchant, merchantKey } from "../support/merchants.ts";

const gateway = await openGateway();
const { db } = gateway.app.services;

/** What a statement answers as a request would run it: as the tenants' role, with its settings, then undone. */
async function asTenant<Row = object>(settings: { bank: string; mode: Mode; operator?: boolean }, sql: string): Promise<Row[] | "refused"> {
  const undone = new Error("undone");
  let rows: Row[] | "refused" = "refused";
  await db
    .$transaction(async (tx) => {
      await tx.$executeRaw`SELECT set_config('role', 'customer_gateway_tenant', true), set_config('gateway.bank', ${settings.bank}, true),
        set_config('gateway.mode', ${settings.mode}, true), set_config('gateway.operator', ${settings.operator ? "on" : "off"}, true)`;
      rows = await tx.$queryRawUnsafe<Row[]>(sql);
      throw undone;
    })
    .catch((error: unknown) => {
      // 42501: a right that is lacking, or a row that a policy refuses.
      if (error !== undone && !String(error).includes("42501")) throw error;
    });
  return rows;
}

test("a search within a bank and mode names nobody of another, whatever it asks", async () => {
  await gateway.key({ bank: "searched" });
  const names = await insertMany(gateway, { bank: "searched", mode: "SANDBOX" }, new Date(), [{ accountName: "Ada" }]);
  const search = (bank: string, mode: Mode) => `SELECT customer_search('${bank}', '${mode}', '{% ada%}', 10) AS id`;
  const own = { bank: "searched", mode: "SANDBOX" } as const;
  expect(await asTenant(own, search("searched", "SANDBOX"))).toEqual(names.map((id) => ({ id })));
  expect(await asTenant({ bank: "two", mode: "SANDBOX" }, search("searched", "SANDBOX"))).toEqual([]);
  expect(await asTenant({ bank: "searched", mode: "LIVE" }, search("searched", "SANDBOX"))).toEqual([]);
  // Nothing of a pattern is SQL.
  expect(await asTenant(own, "SELECT customer_search('searched', 'SANDBOX', ARRAY['% x'' OR true --', '$1'], 10)")).toEqual([]);
});

test("keys are kept apart by bank and by mode: SANDBOX shows none of LIVE", async () => {
  for (const bank of ["one", "two"]) for (const mode of ["SANDBOX", "LIVE"] as const) await gateway.key({ bank, mode });
  const seen = async (settings: Parameters<typeof asTenant>[0]) =>
    (
      (await asTenant<{ key: string }>(
        settings,
        "SELECT tenant_id || ' ' || mode AS key FROM api_key WHERE tenant_id IN ('one', 'two') ORDER BY 1",
      )) as { key: string }[]
    ).map(({ key }) => key);
  expect(await seen({ bank: "one", mode: "SANDBOX" })).toEqual(["one SANDBOX"]);
  expect(await seen({ bank: "one", mode: "LIVE" })).toEqual(["one LIVE", "one SANDBOX"]);
  expect(await seen({ bank: "operator", mode: "LIVE", operator: true })).toHaveLength(4);
});

const INSERT_KEY = (bank: string, mode: Mode) =>
  `INSERT INTO api_key (id, tenant_id, mode, audience, scopes, secret_hash) VALUES ('x', '${bank}', '${mode}', 'INTERNAL', '{}', '') RETURNING id`;

test.each<[string, Parameters<typeof asTenant>[0], string, "refused" | number]>([
  ["becomes an operator", { bank: "one", mode: "LIVE" }, "UPDATE tenant SET kind = 'OPERATOR' RETURNING id", "refused"],
  ["renames itself", { bank: "one", mode: "LIVE" }, "UPDATE tenant SET name = 'x' RETURNING id", "refused"],
  ["widens its own key", { bank: "one", mode: "LIVE" }, "UPDATE api_key SET scopes = '{banks:manage}' RETURNING id", "refused"],
  ["moves its own key to LIVE", { bank: "one", mode: "SANDBOX" }, "UPDATE api_key SET mode = 'LIVE' RETURNING id", "refused"],
  ["changes its key's secret", { bank: "one", mode: "LIVE" }, "UPDATE api_key SET secret_hash = '' RETURNING id", "refused"],
  ["takes over a client", { bank: "one", mode: "LIVE" }, "UPDATE client SET tenant_id = 'one' RETURNING id", "refused"],
  ["makes a LIVE key in SANDBOX", { bank: "one", mode: "SANDBOX" }, INSERT_KEY("one", "LIVE"), "refused"],
  ["makes another's key", { bank: "one", mode: "LIVE" }, INSERT_KEY("two", "LIVE"), "refused"],
  ["makes a SANDBOX key in LIVE", { bank: "one", mode: "LIVE" }, INSERT_KEY("one", "SANDBOX"), 1],
  ["ends its own keys", { bank: "one", mode: "SANDBOX" }, "UPDATE api_key SET revoked_at = now() RETURNING id", 1],
])("as the tenants' role, a bank that %s", async (_what, settings, sql, expected) => {
  const rows = await asTenant(settings, sql);
  expect(rows === "refused" ? rows : rows.length).toBe(expected);
});

test.each<[string, string, "refused" | number]>([
  ["makes a bank's key", INSERT_KEY("one", "SANDBOX"), 1],
  ["makes a bank", "INSERT INTO tenant (id, kind, name) VALUES ('three', 'BANK', 'three') RETURNING id", 1],
  ["makes a provider", "INSERT INTO tenant (id, kind, name) VALUES ('three', 'PROVIDER', 'three') RETURNING id", 1],
  [
    "makes a merchant",
    "INSERT INTO tenant (id, kind, name, provider_id) VALUES ('three', 'MERCHANT', 'three', 'one') RETURNING id",
    "refused",
  ],
  ["makes another operator", "INSERT INTO tenant (id, kind, name) VALUES ('three', 'OPERATOR', 'three') RETURNING id", "refused"],
  ["ends a bank's keys", "UPDATE api_key SET revoked_at = now() WHERE tenant_id = 'one' RETURNING id", 0],
])("as the tenants' role, an operator that %s", async (_what, sql, expected) => {
  const rows = await asTenant({ bank: "operator", mode: "LIVE", operator: true }, sql);
  expect(rows === "refused" ? rows : rows.length).toBe(expected);
});

test("a provider's merchants and their keys are seen and made by it alone, keys in its own mode; a merchant sees itself", async () => {
  const provider = await gateway.key({ bank: "pay", kind: "PROVIDER" });
  const merchant = await makeMerchant(gateway, "pay");
  await merchantKey(gateway, provider, merchant, { client: "shop" });
  const counts = async (bank: string, mode: Mode) =>
    asTenant(
      { bank, mode },
      `SELECT (SELECT count(*)::int FROM tenant WHERE id = '${merchant}') AS tenant, (SELECT count(*)::int FROM client WHERE tenant_id = '${merchant}') AS client,
        (SELECT count(*)::int FROM api_key WHERE tenant_id = '${merchant}') AS key, (SELECT count(*)::int FROM api_key WHERE tenant_id = 'pay') AS others`,
    );
  expect(await counts("pay", "SANDBOX")).toEqual([{ tenant: 1, client: 1, key: 1, others: 1 }]);
  expect(await counts("pay", "LIVE")).toEqual([{ tenant: 1, client: 1, key: 0, others: 1 }]);
  expect(await counts("one", "SANDBOX")).toEqual([{ tenant: 0, client: 0, key: 0, others: 0 }]);
  expect(await counts(merchant, "SANDBOX")).toEqual([{ tenant: 1, client: 1, key: 1, others: 0 }]);

  const makes = (kind: string, whose: string | null) =>
    `INSERT INTO tenant (id, kind, name, provider_id) VALUES ('mer_new', '${kind}', 'x', ${whose === null ? "NULL" : `'${whose}'`}) RETURNING id`;
  const pay = { bank: "pay", mode: "SANDBOX" } as const;
  expect(await asTenant(pay, makes("MERCHANT", "pay"))).toHaveLength(1);
  expect(await asTenant(pay, makes("MERCHANT", "one"))).toBe("refused");
  expect(await asTenant(pay, makes("BANK", null))).toBe("refused");
  expect(await asTenant(pay, INSERT_KEY(merchant, "SANDBOX"))).toHaveLength(1);
  expect(await asTenant(pay, INSERT_KEY(merchant, "LIVE"))).toBe("refused");
  expect(await asTenant({ bank: "one", mode: "SANDBOX" }, INSERT_KEY(merchant, "SANDBOX"))).toBe("refused");
  expect(await asTenant({ bank: merchant, mode: "SANDBOX" }, INSERT_KEY("pay", "SANDBOX"))).toBe("refused");
  // Whoever forgets whose it is: nobody but a merchant is somebody's.
  for (const [kind, whose] of [
    ["BANK", "pay"],
    ["MERCHANT", null],
  ] as const) {
    await expect(db.tenant.create({ data: { id: "odd", kind, name: "odd", providerId: whose } })).rejects.toThrow(
      /tenant_provider_of_merchant/,
    );
  }
});

test("every table that has a bank or a tenant in it is under row-level security, with a policy", async () => {
  const tables = await db.$queryRaw<{ name: string; secured: boolean; policies: number }[]>`
    SELECT c.relname AS name, c.relrowsecurity AS secured, (SELECT count(*)::int FROM pg_policy WHERE polrelid = c.oid) AS policies
    FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
    WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace AND a.attname IN ('bank_id', 'tenant_id')`;
  expect(tables.length).toBeGreaterThanOrEqual(9);
  const more: Record<string, number> = { api_key: 4, client: 2, discovery: 2 };
  for (const table of tables) expect(table).toEqual({ name: table.name, secured: true, policies: more[table.name] ?? 1 });
});

test("what the tenants' role may touch without a policy is nothing", async () => {
  const open = await db.$queryRaw<{ name: string }[]>`
    SELECT c.relname AS name FROM pg_class c
    WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace AND NOT c.relrowsecurity
      AND has_table_privilege('customer_gateway_tenant', c.oid, 'SELECT, INSERT, UPDATE, DELETE')`;
  expect(open).toEqual([]);
});

test("documents and what a client may are kept apart by bank and by mode, and a text never changes", async () => {
  for (const bank of ["doc-one", "doc-two"]) {
    for (const mode of ["SANDBOX", "LIVE"] as const) {
      await gateway.key({ bank, mode, audience: "PARTNER", scopes: ["customers:read"], client: "shop" });
      const { id: clientId } = await db.client.findFirstOrThrow({ where: { tenantId: bank, name: "shop" } });
      await db.persistedDocument.create({ data: { clientId, mode, hash: `${bank} ${mode}`.padEnd(64, "x"), name: bank, text: "{ x }" } });
      await db.clientSettings.create({ data: { clientId, mode } });
    }
  }
  const one = { bank: "doc-one", mode: "SANDBOX" } as const;
  const seen = (await asTenant<{ hash: string }>(one, "SELECT hash FROM persisted_document")) as { hash: string }[];
  expect(seen.map(({ hash }) => hash.replace(/x+$/, ""))).toEqual(["doc-one SANDBOX"]);
  expect(await asTenant(one, "SELECT mode FROM client_settings")).toEqual([{ mode: "SANDBOX" }]);
  expect(await asTenant(one, "UPDATE persisted_document SET state = 'RETIRED' RETURNING hash")).toHaveLength(1);
  expect(await asTenant(one, "UPDATE client_settings SET cost_limit = 1 RETURNING mode")).toHaveLength(1);
  for (const change of ["text = 'y'", "hash = 'y'", "mode = 'LIVE'", "uses = 0", "client_id = client_id"]) {
    expect(await asTenant(one, `UPDATE persisted_document SET ${change} RETURNING hash`), change).toBe("refused");
  }
  expect(await asTenant(one, "DELETE FROM persisted_document RETURNING hash")).toBe("refused");
  const other = (await db.client.findFirstOrThrow({ where: { tenantId: "doc-two" } })).id;
  const insert = (mode: string) =>
    `INSERT INTO persisted_document (client_id, mode, hash, name, text) VALUES ('${other}', '${mode}', 'z', 'z', 'z') RETURNING hash`;
  for (const mode of ["SANDBOX", "LIVE"]) expect(await asTenant(one, insert(mode))).toBe("refused");
});
