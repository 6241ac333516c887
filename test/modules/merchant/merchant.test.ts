import { expect, test } from "vitest";
import { openGateway } from "../../support/gateway.ts";
import { merchantRow, provider } from "../../support/merchants.ts";

// As in production.
const gateway = await openGateway({ rowLevelSecurity: true });
const { db } = gateway.app.services;

const of = async (bank: string) => {
  const key = await gateway.key({ bank, scopes: ["merchants:write"] });
  return { ...provider(gateway, key), keyId: key.split("_")[2]! };
};

test("a trust level is set with its history; repeating it changes nothing", async () => {
  const { batch, trust, history, find, keyId } = await of("trust");
  const [id] = (await batch([merchantRow(1)])).merchantIds;
  const { createdAt } = await find(id);
  const enhanced = await trust(id, "ENHANCED");
  expect(enhanced).toMatchObject({ __typename: "Merchant", id, trustLevel: "ENHANCED", version: 2 });
  expect(enhanced.updatedAt > createdAt).toBe(true);
  expect(await trust(id, "ENHANCED")).toEqual(enhanced);
  expect(await trust(id, "ENHANCED", 2)).toEqual(enhanced);
  expect(await trust(id, "BASIC", 2)).toMatchObject({ trustLevel: "BASIC", version: 3 });
  const told = await history(id);
  expect(told).toMatchObject([
    { version: 1, type: "CREATED", trustLevel: "BASIC", actor: keyId, at: createdAt },
    { version: 2, type: "TRUST_LEVEL_CHANGED", trustLevel: "ENHANCED", actor: keyId, at: enhanced.updatedAt },
    { version: 3, type: "TRUST_LEVEL_CHANGED", trustLevel: "BASIC", actor: keyId },
  ]);
  expect(await find(id)).toMatchObject({ trustLevel: "BASIC", version: 3, updatedAt: told[2].at });
});

test("a version that is not the current one is a conflict that tells it, and no merchant is MerchantNotFound", async () => {
  const { batch, trust, history } = await of("versions");
  const [id] = (await batch([merchantRow(1)])).merchantIds;
  for (const level of ["PREMIUM", "BASIC"]) {
    expect(await trust(id, level, 7)).toEqual({
      __typename: "MerchantVersionConflict",
      code: "MERCHANT_VERSION_CONFLICT",
      message: "The merchant was changed meanwhile: read it again.",
      currentVersion: 1,
    });
  }
  expect(await history(id)).toHaveLength(1);
  const none = { __typename: "MerchantNotFound", code: "MERCHANT_NOT_FOUND", message: "Merchant not found" };
  for (const other of [`mer_${crypto.randomUUID()}`, id.slice("mer_".length), "mer_x", ""])
    expect(await trust(other, "PREMIUM")).toEqual(none);
  expect(await (await of("others")).trust(id, "PREMIUM")).toEqual(none);
});

test("writers at once come one after the other: with a version one wins, without one each change is in the history", async () => {
  const { batch, trust, history, find } = await of("races");
  const [one, two] = (await batch([merchantRow(1), merchantRow(2)])).merchantIds;
  const versioned = await Promise.all(["ENHANCED", "PREMIUM", "ENHANCED", "PREMIUM"].map((level) => trust(one, level, 1)));
  expect(versioned.map(({ __typename }) => __typename).sort()).toEqual(["Merchant", ...Array(3).fill("MerchantVersionConflict")]);
  expect(await history(one)).toHaveLength(2);
  await Promise.all(Array.from({ length: 12 }, (_, turn) => trust(two, ["BASIC", "ENHANCED", "PREMIUM"][turn % 3]!)));
  const told = await history(two);
  expect(told.map(({ version }) => version)).toEqual(told.map((_, place) => place + 1));
  for (const [place, { trustLevel, at }] of told.entries()) {
    if (place === 0) continue;
    expect(trustLevel).not.toBe(told[place - 1].trustLevel);
    expect(at >= told[place - 1].at).toBe(true);
  }
  expect(await find(two)).toMatchObject({ version: told.length, trustLevel: told.at(-1).trustLevel, updatedAt: told.at(-1).at });
});

test("one document that writes a merchant twice tells each as it was left", async () => {
  const { batch, ask } = await of("twice");
  const [id] = (await batch([merchantRow(1)])).merchantIds;
  const set = (alias: string, level: string) =>
    `${alias}: setTrustLevel(input: { id: "${id}", trustLevel: ${level} }) { ... on Merchant { version trustLevel history(first: 1) { nodes { version } } } }`;
  const { body } = await gateway.query(await gateway.key({ bank: "twice" }), `mutation { ${set("a", "ENHANCED")} ${set("b", "PREMIUM")} }`);
  expect(body.data).toEqual({
    a: { version: 2, trustLevel: "ENHANCED", history: { nodes: [{ version: 2 }] } },
    b: { version: 3, trustLevel: "PREMIUM", history: { nodes: [{ version: 3 }] } },
  });
  expect(await ask(`{ merchant(id: "${id}") { version } }`)).toEqual({ version: 3 });
});

test("merchants are listed newest first, by pages from both ends, and by trust level; their histories are one statement", async () => {
  const { batch, trust, ask } = await of("lists");
  const ids: string[] = [];
  for (const number of [1, 2, 3, 4, 5]) ids.unshift(...(await batch([merchantRow(number)])).merchantIds);
  for (const id of [ids[1]!, ids[3]!]) await trust(id, "PREMIUM");
  const list = (args: string) =>
    ask(`{ merchants(${args}) { totalCount nodes { id } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }`);
  const idsOf = ({ nodes }: { nodes: { id: string }[] }) => nodes.map(({ id }) => id);
  const first = await list("first: 2");
  expect([idsOf(first), first.totalCount, first.pageInfo.hasNextPage]).toEqual([ids.slice(0, 2), 5, true]);
  const second = await list(`first: 9, after: "${first.pageInfo.endCursor}"`);
  expect([idsOf(second), second.pageInfo.hasNextPage]).toEqual([ids.slice(2), false]);
  expect(idsOf(await list(`last: 1, before: "${second.pageInfo.startCursor}"`))).toEqual([ids[1]]);
  const premium = await list("first: 5, filter: { trustLevels: [PREMIUM, PREMIUM] }");
  expect([idsOf(premium), premium.totalCount]).toEqual([[ids[1], ids[3]], 2]);
  expect(idsOf(await list("first: 5, filter: { trustLevels: [] }"))).toEqual([]);
  const other = await gateway.query(
    await gateway.key({ bank: "lists", scopes: ["merchants:write"] }),
    `{ merchants(filter: { trustLevels: [BASIC] }, after: "${first.pageInfo.endCursor}") { nodes { id } } }`,
  );
  expect(other.body.errors![0]!.extensions.code).toBe("BAD_CURSOR");

  gateway.statements.length = 0;
  const { nodes } = await ask("{ merchants { nodes { history(first: 1) { nodes { version } pageInfo { hasNextPage } } } } }");
  expect(nodes.map(({ history }: any) => [history.nodes[0].version, history.pageInfo.hasNextPage])).toEqual([
    [1, false],
    [2, true],
    [1, false],
    [2, true],
    [1, false],
  ]);
  expect(gateway.statements.filter((sql) => sql.includes("merchant_event"))).toHaveLength(1);
});

test("each write leaves one entry that names its merchants; what ALL_OR_NOTHING took back is not named", async () => {
  const { batch, trust } = await of("audited");
  const { id, merchantIds } = await batch([merchantRow(1), merchantRow(2)]);
  await trust(merchantIds[0], "PREMIUM");
  await trust(merchantIds[0], "PREMIUM");
  // The database itself refuses the second row, after the first was inserted.
  const undone = await batch([merchantRow(3), merchantRow(4, { clientRef: "shop-1" })], { atomicity: "ALL_OR_NOTHING" });
  const uuid = (globalId: string) => globalId.slice("mer_".length);
  const entries = await db.auditEntry.findMany({ where: { bankId: "audited", action: "WRITE" }, orderBy: { at: "asc" } });
  expect(entries.map(({ operation, outcome, customers, subjects }) => [operation, outcome, customers, subjects])).toEqual([
    ["createMerchantsBatch", "OK", 0, [uuid(id), ...merchantIds]],
    ["setTrustLevel", "OK", 0, [merchantIds[0]]],
    ["setTrustLevel", "OK", 0, []],
    ["createMerchantsBatch", "OK", 0, [uuid(undone.id)]],
  ]);
  expect(JSON.stringify(entries)).not.toContain("example.com");
});
