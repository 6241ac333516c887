import { describe, expect, test } from "vitest";
import { issueKey } from "../../../src/access/issue-key.ts";
import type { Mode } from "../../../src/database/generated/enums.ts";
import { dataOf } from "../../support/customers.ts";
import { openGateway, type TestGateway, withoutCost } from "../../support/gateway.ts";
import { letFind, makeMerchant, merchantKey } from "../../support/merchants.ts";
import { audited, flush } from "../audit/support.ts";

const BANKS = "query ($email: String!, $entityId: ID) { customerBanks(email: $email, entityId: $entityId) { bankId phrase } }";
const DEVICE = "query ($deviceId: String!, $entityId: ID) { deviceLookup(deviceId: $deviceId, entityId: $entityId) { bankId phrase } }";

const EMAIL = "ada@bücher.example";
const NORMAL = "ada@xn--bcher-kva.example";

/** Two providers, each with a merchant a mode, and three banks where Ada is known; in LIVE she is known elsewhere. */
async function network(gateway: TestGateway) {
  const keys: Record<string, string> = {};
  const merchants: Record<string, string> = {};
  for (const provider of ["one", "two"]) {
    for (const mode of ["SANDBOX", "LIVE"] as const) {
      const name = `${provider} ${mode}`;
      keys[name] = await gateway.key({ bank: `provider-${provider}`, kind: "PROVIDER", mode });
      merchants[name] = await makeMerchant(gateway, `provider-${provider}`, mode, "ENHANCED");
      keys[`merchant ${name}`] = await merchantKey(gateway, keys[name], merchants[name]);
    }
  }
  const deviceIds = ["déjà-vu"];
  await letFind(gateway, "bank-b", "SANDBOX", [{ email: NORMAL, phrase: "two-words", deviceIds }]);
  await letFind(gateway, "bank-a", "SANDBOX", [{ email: NORMAL, phrase: "one-word" }]);
  await letFind(gateway, "bank-c", "SANDBOX", [{ email: NORMAL, phrase: "no-consent", consentAt: null, deviceIds }]);
  await letFind(gateway, "bank-live", "LIVE", [{ email: NORMAL, phrase: "live-words", deviceIds }]);
  return { keys, merchants };
}

const SANDBOX_BANKS = [
  { bankId: "bank-a", phrase: "one-word" },
  { bankId: "bank-b", phrase: "two-words" },
];

describe.each([true, false])("with row-level security: %s", async (rowLevelSecurity) => {
  const gateway = await openGateway({ rowLevelSecurity });
  const { keys, merchants } = await network(gateway);
  const ask = (as: string, document: string, variables: object) => gateway.query(keys[as]!, document, variables);
  const found = async (...args: Parameters<typeof ask>) => dataOf((await ask(...args)).body);
  const refusal = async (...args: Parameters<typeof ask>) => {
    const { status, body } = await ask(...args);
    return { status, ...body.errors![0]! };
  };

  test("a merchant finds where somebody is a customer who consented, in its own mode, sorted", async () => {
    for (const email of [EMAIL, "  ADA@BÜCHER.example ", NORMAL]) {
      expect(await found("merchant one SANDBOX", BANKS, { email })).toEqual(SANDBOX_BANKS);
    }
    expect(await found("merchant two LIVE", BANKS, { email: EMAIL })).toEqual([{ bankId: "bank-live", phrase: "live-words" }]);
  });

  test("a device is found by any form of its id, and by nothing else", async () => {
    for (const deviceId of ["déjà-vu", " de\u0301ja\u0300-vu "]) {
      expect(await found("merchant one SANDBOX", DEVICE, { deviceId })).toEqual([SANDBOX_BANKS[1]]);
    }
    for (const deviceId of [EMAIL, NORMAL, "DÉJÀ-VU"]) expect(await found("merchant one SANDBOX", DEVICE, { deviceId })).toEqual([]);
    expect(await found("merchant one SANDBOX", BANKS, { email: "déjà-vu" })).toEqual([]);
  });

  test("nobody, nonsense and who did not consent answer alike, by the same statements as who is found", async () => {
    const answers: string[] = [];
    const statements: string[] = [];
    for (const email of [EMAIL, "nobody@example.com", "nonsense", "", "\0", "x".repeat(10_000), `${"x".repeat(70)}@example.com`]) {
      gateway.statements.length = 0;
      const { body } = await ask("one SANDBOX", BANKS, { email, entityId: merchants["one SANDBOX"] });
      // Keys are read once a second, and jobs run, whatever is asked.
      statements.push(gateway.statements.filter((sql) => /FROM "public"\."(merchant|discovery)"/.test(sql)).join(";\n"));
      answers.push(withoutCost(JSON.stringify(body)));
    }
    expect(new Set(answers.slice(1)).size).toBe(1);
    expect(JSON.parse(answers[1]!).data).toEqual({ customerBanks: [] });
    expect(new Set(statements).size).toBe(1);
    expect(statements[0]).toMatch(/"merchant"[^;]*;[^;]*"discovery"[^;]*$/);
    for (const deviceId of ["", " ", "\0", "x".repeat(256), "\ud800"]) {
      expect(await found("merchant one SANDBOX", DEVICE, { deviceId })).toEqual([]);
    }
  });

  test("a provider asks for one of its merchants, and no other: another's and another mode's are as none", async () => {
    const email = EMAIL;
    expect(await found("one SANDBOX", BANKS, { email, entityId: merchants["one SANDBOX"] })).toEqual(SANDBOX_BANKS);
    expect(await found("one SANDBOX", BANKS, { email, entityId: merchants["one SANDBOX"]!.toUpperCase().replace("MER", "mer") })).toEqual(
      SANDBOX_BANKS,
    );
    const none = ["mer_x", "", "\0", `mer_${crypto.randomUUID()}`, merchants["two SANDBOX"], merchants["one LIVE"]];
    const answers = [];
    for (const entityId of none) answers.push(await refusal("one SANDBOX", BANKS, { email, entityId }));
    expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
    expect(answers[0]).toMatchObject({ message: "entityId: there is no such merchant here.", extensions: { code: "BAD_USER_INPUT" } });
    expect(await refusal("one SANDBOX", BANKS, { email })).toMatchObject({
      message: "entityId: is required: the merchant that you ask for.",
      extensions: { code: "BAD_USER_INPUT" },
    });
  });

  test("a merchant asks for itself alone", async () => {
    const email = EMAIL;
    expect(await found("merchant one SANDBOX", BANKS, { email, entityId: merchants["one SANDBOX"] })).toEqual(SANDBOX_BANKS);
    for (const entityId of [merchants["two SANDBOX"], merchants["one LIVE"], "", "x"]) {
      const { message } = await refusal("merchant one SANDBOX", BANKS, { email, entityId });
      expect(message).toBe("entityId: there is no such merchant here.");
    }
  });

  test("a bank does not ask, not even for a merchant of its own, whatever its keys' rows say", async () => {
    const merchant = await makeMerchant(gateway, "alpha", "SANDBOX", "PREMIUM");
    const bank = await gateway.key({ scopes: ["discovery:read", "devices:lookup", "audit:read", "keys:manage"] });
    const { status, body } = await gateway.query(bank, BANKS, { email: EMAIL, entityId: merchant });
    expect([status, body.errors![0]!.extensions]).toEqual([403, { code: "FORBIDDEN", requires: "discovery:read" }]);
    const tenant = { id: merchant, kind: "MERCHANT", name: merchant, providerId: "alpha" } as const;
    const { key } = await issueKey(gateway.app.services.db, { tenant, mode: "SANDBOX", audience: "INTERNAL", scopes: ["discovery:read"] });
    expect((await gateway.query(key, BANKS, { email: EMAIL })).status).toBe(401);
    await expect(merchantKey(gateway, bank, merchant, { scopes: ["audit:read"] })).rejects.toThrow("a bank's merchants have none");
  });

  test("each question leaves an entry with the merchant's id, found or not, and no value anywhere", async () => {
    const subjects = [merchants["one SANDBOX"]];
    const place = (bankId: string, mode: Mode) => ({ bankId, mode, action: "READ", outcome: "OK", subjects, count: 1 });
    const { rows } = await audited(gateway, keys["merchant one SANDBOX"]!, BANKS, { email: EMAIL });
    const asked = { operation: "customerBanks", fields: ["Customer.email"] };
    expect(rows).toMatchObject([{ ...place(merchants["one SANDBOX"]!, "SANDBOX"), ...asked, customers: 2 }]);

    const both = `query ($id: ID) { viewer { mode } a: customerBanks(email: "nobody@example.com", entityId: $id) { phrase }
      b: customerBanks(email: "${EMAIL}", entityId: $id) { phrase } deviceLookup(deviceId: "zq-device", entityId: $id) { phrase } }`;
    const { rows: three } = await audited(gateway, keys["one SANDBOX"]!, both, { id: merchants["one SANDBOX"] });
    expect(three.sort((a, b) => a.operation!.localeCompare(b.operation!) || a.customers - b.customers)).toMatchObject([
      { ...place("provider-one", "SANDBOX"), ...asked, customers: 0 },
      { ...place("provider-one", "SANDBOX"), ...asked, customers: 2 },
      { ...place("provider-one", "SANDBOX"), operation: "deviceLookup", fields: ["Customer.devices"], customers: 0 },
    ]);

    await flush(gateway.app);
    const audit = JSON.stringify(await gateway.app.services.db.auditEntry.findMany({ omit: { mac: true } }));
    for (const value of ["ada@", "nobody@", "zq-device", "one-word"]) expect(audit).not.toContain(value);
  });

  test("the merchant reads its own entries, and nobody else's", async () => {
    const { body } = await gateway.query(keys["merchant one SANDBOX"]!, "{ audit(first: 100) { nodes { actor operation } } }");
    const actors = new Set(body.data.audit.nodes.map(({ actor }: { actor: string }) => actor));
    expect([...actors]).toEqual([keys["merchant one SANDBOX"]!.split("_")[2]]);
  });
});
