import { expect, test } from "vitest";
import { parseApiKey } from "../../src/access/api-key.ts";
import { issueKey } from "../../src/access/issue-key.ts";
import { openGateway } from "../support/gateway.ts";
import { ON_POSTGRES } from "../support/process.ts";

const ASK = "{ viewer { keyId } }";
const TENANT = { id: "demo-bank", kind: "BANK", name: "Demo Bank" } as const;

test.each([
  ["production", true, 401],
  ["development", false, 200],
])("in %s a demo's key is answered with its status", async (_where, production, status) => {
  const gateway = await openGateway({ production });
  const make = { tenant: TENANT, mode: "SANDBOX", audience: "INTERNAL", scopes: ["customers:read"] } as const;
  const { key } = await issueKey(gateway.app.services.db, { ...make, demo: true });
  expect((await gateway.query(key, ASK)).status).toBe(status);
  const { key: plain } = await issueKey(gateway.app.services.db, make);
  expect((await gateway.query(plain, ASK)).status).toBe(200);
});

test.skipIf(ON_POSTGRES)("the keys that a first start makes are the demo's, the operator's too", async () => {
  const { app } = await openGateway();
  const ids = Object.values(app.demo!.keys).map((key) => parseApiKey(key)!.id);
  const rows = await app.services.db.apiKey.findMany({ where: { id: { in: ids } }, select: { demo: true } });
  expect(rows).toEqual(ids.map(() => ({ demo: true })));
});
