import { describe, expect, test } from "vitest";
import type { TrustLevel } from "../../../src/database/generated/enums.ts";
import { dataOf } from "../../support/customers.ts";
import { openGateway } from "../../support/gateway.ts";
import { flush } from "../audit/support.ts";
import { makeMerchant, merchantKey, trust } from "../../support/merchants.ts";

/** The clock of the limits: 10 seconds past a full hour. */
const clock = { now: 1_800_000_000_000 + 10_000 };
const gateway = await openGateway({ discoveryLimit: 3, rateLimitPoints: 200, costLimit: 200 }, { limitsNow: () => clock.now });
const provider = await gateway.key({ bank: "provider", kind: "PROVIDER" });

const merchantOf = async (level: TrustLevel) => {
  const id = await makeMerchant(gateway, "provider", "SANDBOX", level);
  return { id, key: await merchantKey(gateway, provider, id) };
};
const DEVICE = '{ deviceLookup(deviceId: "x") { bankId } }';
const deviceFor = (id: string) => `{ deviceLookup(deviceId: "x", entityId: "${id}") { bankId } }`;
const banks = (times: number, entityId?: string) =>
  `{ ${Array.from({ length: times }, (_, at) => `q${at}: customerBanks(email: "a${at}@example.com"${entityId ? `, entityId: "${entityId}"` : ""}) { bankId }`).join(" ")} }`;
const error = async (key: string, document: string) => (await gateway.query(key, document)).body.errors?.[0];

describe("a merchant's level", () => {
  test("decides what its keys may: a second after it changed, up and down", async () => {
    const { id, key } = await merchantOf("BASIC");
    const scopes = async () => dataOf((await gateway.query(key, "{ viewer { scopes trustLevel } }")).body);
    expect(await scopes()).toEqual({ scopes: ["audit:read", "discovery:read", "documents:publish"], trustLevel: "BASIC" });
    expect(await error(key, DEVICE)).toMatchObject({
      message: "This needs the trust level ENHANCED.",
      extensions: { code: "FORBIDDEN", requires: "the trust level ENHANCED" },
    });
    for (const level of ["ENHANCED", "PREMIUM"] as const) {
      await trust(gateway, id, level);
      await expect.poll(scopes, { timeout: 5000 }).toMatchObject({ trustLevel: level });
      expect((await scopes()).scopes).toContain("devices:lookup");
      expect(await error(key, DEVICE)).toBeUndefined();
    }
    await trust(gateway, id, "BASIC");
    await expect.poll(async () => (await error(key, DEVICE))?.extensions.code, { timeout: 5000, interval: 400 }).toBe("FORBIDDEN");
  });

  test("decides for whoever asks for it", async () => {
    const [basic, enhanced] = [await merchantOf("BASIC"), await merchantOf("ENHANCED")];
    expect(await error(provider, deviceFor(basic.id))).toMatchObject({ message: "This needs the trust level ENHANCED." });
    expect(await error(provider, banks(1, basic.id))).toBeUndefined();
    expect(await error(provider, deviceFor(enhanced.id))).toBeUndefined();
  });

  test("grants no scope that the key was not given", async () => {
    const id = await makeMerchant(gateway, "provider", "SANDBOX", "PREMIUM");
    const key = await merchantKey(gateway, provider, id, { scopes: ["discovery:read"] });
    expect(await error(key, DEVICE)).toMatchObject({ extensions: { code: "FORBIDDEN", requires: "devices:lookup" } });
  });

  test("is explained before anything runs, whoever asks and for whichever key", async () => {
    // It costs ten points each.
    clock.now += 60_000;
    const [basic, enhanced] = [await merchantOf("BASIC"), await merchantOf("ENHANCED")];
    const explained = async (key: string, document: string, keyId?: string) => {
      const { body } = await gateway.query(
        key,
        "query ($document: String!, $keyId: ID) { explainAccess(document: $document, keyId: $keyId) { valid forbidden { path requires } } }",
        { document, keyId },
      );
      return body.data?.explainAccess ?? body.errors![0]!.message;
    };
    const forbidden = { valid: true, forbidden: [{ path: ["deviceLookup"], requires: "the trust level ENHANCED" }] };
    const open = { valid: true, forbidden: [] };
    const own = `{ deviceLookup(deviceId: "x") { bankId } customerBanks(email: "x") { phrase } }`;
    expect(await explained(basic.key, own)).toEqual(forbidden);
    expect(await explained(provider, deviceFor(basic.id))).toEqual(forbidden);
    expect(await explained(provider, deviceFor(enhanced.id))).toEqual(open);
    // Of a merchant that is not there, access is not what is wrong.
    expect(await explained(provider, deviceFor(`mer_${crypto.randomUUID()}`))).toEqual(open);

    const idOf = (key: string) => key.split("_")[2]!;
    expect(await explained(provider, own, idOf(basic.key))).toEqual(forbidden);
    expect(await explained(provider, own, idOf(enhanced.key))).toEqual(open);
    expect(await explained(provider, "{ customers { nodes { id } } }", idOf(enhanced.key))).toEqual({
      valid: true,
      forbidden: [{ path: ["customers"], requires: "customers:read" }],
    });
    const stranger = await gateway.key({ bank: "stranger", kind: "PROVIDER" });
    const live = await gateway.key({ bank: "provider", kind: "PROVIDER", mode: "LIVE" });
    for (const key of [stranger, live]) expect(await explained(key, own, idOf(basic.key))).toBe("keyId: there is no such key here.");
    clock.now += 3600_000 - 60_000;
  });
});

describe("discoveries", () => {
  const left = async (key: string) =>
    dataOf((await gateway.query(key, "{ viewer { limits { discoveries { limit remaining } } } }")).body).limits.discoveries;

  test("are a merchant's, whoever asks: each alias counts, and what does not fit is refused whole", async () => {
    const { id, key } = await merchantOf("BASIC");
    expect(await left(key)).toEqual({ limit: 3, remaining: 3 });
    const two = await gateway.query(key, banks(2));
    expect(two.headers.get("ratelimit")).toMatch(/, "discoveries";r=1;t=3590$/);
    expect(two.headers.get("ratelimit-policy")).toMatch(/, "discoveries";q=3;w=3600$/);
    expect(two.body.extensions.cost.requested).toBe(40);

    gateway.statements.length = 0;
    const refused = await gateway.query(provider, banks(2, id));
    expect([refused.status, refused.body.data, refused.body.errors![0]!.extensions.code]).toEqual([429, null, "RATE_LIMITED"]);
    expect(refused.body.errors![0]!.message).toBe(
      `The merchant ${id} may take no more for now: 1 of 3 discoveries are left of these 3600 seconds.`,
    );
    expect(refused.headers.get("retry-after")).toBe("3590");
    expect(gateway.statements.filter((sql) => sql.includes("discovery"))).toEqual([]);
    expect(await left(key)).toEqual({ limit: 3, remaining: 1 });

    expect((await gateway.query(provider, banks(1, id))).status).toBe(200);
    expect((await gateway.query(key, banks(1))).status).toBe(429);
    const other = await merchantOf("BASIC");
    expect((await gateway.query(provider, banks(3, other.id))).status).toBe(200);
    clock.now += 3600_000;
    expect((await gateway.query(key, banks(3))).status).toBe(200);
  });

  test("count devices and e-mails alike, found or not, and not what was refused", async () => {
    const { id, key } = await merchantOf("ENHANCED");
    await gateway.query(key, `{ customerBanks(email: "nonsense") { bankId } deviceLookup(deviceId: "") { bankId } }`);
    expect(await left(key)).toEqual({ limit: 3, remaining: 1 });
    await gateway.query(key, '{ customerBanks(email: "a@example.com", entityId: "mer_x") { bankId } }');
    await gateway.query(await gateway.key({ bank: "provider", kind: "PROVIDER", scopes: ["discovery:read"] }), deviceFor(id));
    expect(await left(key)).toEqual({ limit: 3, remaining: 1 });
  });

  test("are not overshot by requests at once", async () => {
    const { id, key } = await merchantOf("BASIC");
    const answers = await Promise.all(Array.from({ length: 10 }, (_, at) => gateway.query(at % 2 ? key : provider, banks(1, id))));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(3);
    clock.now += 60_000;
  });

  test("are more for a PREMIUM merchant, and so are the points of its keys", async () => {
    const { id, key } = await merchantOf("PREMIUM");
    const answer = await gateway.query(key, banks(7));
    expect([answer.status, answer.headers.get("x-ratelimit-limit"), answer.headers.get("ratelimit-policy")]).toEqual([
      200,
      "2000",
      '"points";q=2000;w=60, "lookups";q=2000000000;w=3600, "discoveries";q=30;w=3600',
    ]);
    expect(await left(key)).toEqual({ limit: 30, remaining: 23 });
    expect((await gateway.query(provider, banks(5, id))).headers.get("x-ratelimit-limit")).toBe("200");
    expect(await left(key)).toEqual({ limit: 30, remaining: 18 });
    // Of a level that was taken back, what was asked already stays asked.
    await trust(gateway, id, "BASIC");
    await expect.poll(() => left(key), { timeout: 5000 }).toEqual({ limit: 3, remaining: 0 });
    expect((await gateway.query(key, banks(1))).status).toBe(429);
  });

  test("of all merchants of a provider and mode count together, however many and however trusted", async () => {
    const other = await openGateway({ discoveryLimit: 3, providerDiscoveryLimit: 8 }, { limitsNow: () => clock.now });
    const ask = async (key: string, times: number, entityId?: string) => (await other.query(key, banks(times, entityId))).status;
    const remaining = async (key: string) =>
      dataOf((await other.query(key, "{ viewer { limits { discoveries { limit remaining } } } }")).body).limits.discoveries;
    const [one, live, two] = [
      await other.key({ bank: "one", kind: "PROVIDER" }),
      await other.key({ bank: "one", kind: "PROVIDER", mode: "LIVE" }),
      await other.key({ bank: "two", kind: "PROVIDER" }),
    ];
    const [basic, premium, third] = [
      await makeMerchant(other, "one"),
      await makeMerchant(other, "one", "SANDBOX", "PREMIUM"),
      await makeMerchant(other, "one"),
    ];
    const premiumKey = await merchantKey(other, one, premium);
    expect([await ask(one, 3, basic), await ask(premiumKey, 4)]).toEqual([200, 200]);
    expect(await remaining(one)).toEqual({ limit: 8, remaining: 1 });
    const { body, headers } = await other.query(one, banks(2, third));
    // What the others have taken is not told.
    expect(body.errors!.map(({ message }) => message)).toContain("All merchants of the provider together may take no more for now.");
    expect(headers.get("retry-after")).not.toBeNull();
    await flush(other.app);
    const rows = await other.app.services.db.auditEntry.findMany({ where: { outcome: "RATE_LIMITED" } });
    const refused = { action: "REFUSAL", operation: "customerBanks", customers: 0 };
    expect(rows).toMatchObject([{ ...refused, bankId: "one", subjects: [third], fields: ["Customer.email"], count: 2 }]);
    // What is refused counts towards nothing.
    expect([await ask(premiumKey, 2), await remaining(premiumKey)]).toEqual([429, { limit: 30, remaining: 26 }]);
    expect([await ask(one, 1, third), await ask(one, 1, basic), await ask(premiumKey, 1)]).toEqual([200, 429, 429]);
    expect(await ask(live, 3, await makeMerchant(other, "one", "LIVE"))).toBe(200);
    expect(await ask(two, 3, await makeMerchant(other, "two"))).toBe(200);
    clock.now += 3600_000;
    expect(await ask(premiumKey, 8)).toBe(200);
  });

  test("are all refused where one of several merchants has no more, and none of them counts", async () => {
    const [spent, fresh] = [await merchantOf("BASIC"), await merchantOf("BASIC")];
    const asking = await gateway.key({ bank: "provider", kind: "PROVIDER" });
    expect((await gateway.query(spent.key, banks(3))).status).toBe(200);
    const of = (id: string, name: string) => `${name}: customerBanks(email: "a", entityId: "${id}") { bankId }`;
    for (const order of [`${of(fresh.id, "a")} ${of(spent.id, "b")}`, `${of(spent.id, "b")} ${of(fresh.id, "a")}`]) {
      const { status, body } = await gateway.query(asking, `{ ${order} }`);
      expect([status, body.data, body.errors![0]!.message]).toEqual([429, null, expect.stringContaining(`The merchant ${spent.id} may`)]);
    }
    expect(await left(fresh.key)).toEqual({ limit: 3, remaining: 3 });
  });

  test("that one's own merchant has no more of take nothing of its provider's", async () => {
    const other = await openGateway({ discoveryLimit: 1, providerDiscoveryLimit: 2 }, { limitsNow: () => clock.now });
    const key = await other.key({ bank: "one", kind: "PROVIDER" });
    const [greedy, calm] = [await makeMerchant(other, "one"), await makeMerchant(other, "one")];
    const ask = async (entityId: string) => (await other.query(key, banks(1, entityId))).status;
    expect([await ask(greedy), await ask(greedy), await ask(greedy), await ask(calm)]).toEqual([200, 429, 429, 200]);
  });

  test("are told to no bank", async () => {
    expect(await left(await gateway.key())).toBeNull();
    const plain = await gateway.query(provider, "{ viewer { mode } }");
    expect(plain.headers.get("ratelimit-policy")).not.toContain("discoveries");
  });
});
