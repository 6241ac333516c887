import { setTimeout } from "node:timers/promises";
import { getNamedType } from "graphql";
import fc from "fast-check";
import { expect, test, vi } from "vitest";
import { schema } from "../../src/graphql/schema.ts";
import { isCounter, openGateway, withoutCost } from "../support/gateway.ts";
import { absent, everything, fill, namingArguments, type Place } from "./random-operations.places.ts";

const ON_POSTGRES = process.env["TEST_ON"] === "postgres";
const OPERATIONS = ON_POSTGRES ? 10_000 : 1_000;
const AT_ONCE = 64;

const gateway = await openGateway(({ databaseUrl }) => (databaseUrl === null ? {} : { databaseUrl: `${databaseUrl}?connection_limit=2` }));
const places: Place[] = [];
for (const bank of ["alpha", "beta"]) for (const mode of ["SANDBOX", "LIVE"] as const) places.push(await fill(gateway, bank, mode));
const nothing = absent();

type Thing = typeof nothing;
/** Keys that nobody has. A refused row of a batch shows its own clientRef, so that the rows of others must be good here. */
const FREE = absent();
const row = (own: Thing, thing: Partial<Record<"email" | "clientRef" | "reference", string>>) => ({
  firstname: "A",
  lastname: "B",
  accountName: "C",
  country: "NG",
  accountNumber: "1234",
  email: own.email,
  clientRef: own.clientRef,
  reference: own.reference,
  ...thing,
});

const shop = (thing: Partial<Record<"email" | "clientRef" | "reference", string>>) => {
  const { email, clientRef, reference } = FREE;
  return { name: "A", country: "NG", email, clientRef, reference, ...thing };
};

/**
 * For every argument that names a thing, the variable that names one: `thing` is anyone's, `own` the caller's. A
 * mutation that would keep what it is given is asked so that it keeps nothing: a foreign value is then nowhere but where it was.
 */
const ARGUMENTS: Record<string, (thing: Thing, own: Thing) => object> = {
  "Query.node.id": (thing) => ({ id: thing.customerId }),
  "Query.node.id (merchant)": (thing) => ({ id: thing.merchantId }),
  "Query.node.id (batch)": (thing) => ({ id: thing.batchId }),
  "Query.node.id (device)": (thing) => ({ id: thing.device }),
  "Query.customer.by.id": (thing) => ({ by: { id: thing.customerId } }),
  "Query.customer.by.email": (thing) => ({ by: { email: thing.email } }),
  "Query.customer.by.phrase": (thing) => ({ by: { phrase: thing.phrase } }),
  "Query.customer.by.reference": (thing) => ({ by: { reference: thing.reference } }),
  "Query.customer.by.clientRef": (thing) => ({ by: { clientRef: thing.clientRef } }),
  "Query.customers.after": (thing) => ({ first: 5, after: thing.cursors.customers }),
  "Query.customers.before": (thing) => ({ last: 5, before: thing.cursors.customers }),
  "Query.customers.filter.ids": (thing) => ({ filter: { ids: [thing.customerId] } }),
  "Query.customers.filter.phrases": (thing) => ({ filter: { phrases: [thing.phrase] } }),
  "Query.customers.filter.references": (thing) => ({ filter: { references: [thing.reference] } }),
  "Query.customers.filter.clientRefs": (thing) => ({ filter: { clientRefs: [thing.clientRef] } }),
  "Query.customers.filter.emails": (thing) => ({ filter: { emails: [thing.email] } }),
  "Query.customers.filter.search": (thing) => ({ filter: { search: thing.word } }),
  "Query.exportCustomerData.id": (thing) => ({ id: thing.customerId }),
  "Query.erasedCustomers.after": (thing) => ({ first: 3, after: thing.cursors.erasedCustomers }),
  "Query.erasedCustomers.before": (thing) => ({ last: 3, before: thing.cursors.erasedCustomers }),
  "Query.batch.id": (thing) => ({ id: thing.batchId }),
  "Query.batches.after": (thing) => ({ after: thing.cursors.batches }),
  "Query.batches.before": (thing) => ({ last: 3, before: thing.cursors.batches }),
  "Query.apiKeys.after": (thing) => ({ first: 3, after: thing.cursors.apiKeys }),
  "Query.apiKeys.before": (thing) => ({ last: 3, before: thing.cursors.apiKeys }),
  "Query.apiKeys.merchant": (thing) => ({ first: 3, merchant: thing.merchantId }),
  "Query.customerBanks.email": (thing, own) => ({ email: thing.email, entityId: own.entityId }),
  "Query.customerBanks.entityId": (thing, own) => ({ email: own.email, entityId: thing.entityId }),
  "Query.deviceLookup.deviceId": (thing, own) => ({ deviceId: thing.deviceId, entityId: own.entityId }),
  "Query.deviceLookup.entityId": (thing, own) => ({ deviceId: own.deviceId, entityId: thing.entityId }),
  "Query.clients.after": (thing) => ({ first: 3, after: thing.cursors.clients }),
  "Query.clients.before": (thing) => ({ last: 3, before: thing.cursors.clients }),
  "Query.documents.client": (thing) => ({ client: thing.client }),
  "Query.documents.after": (thing, own) => ({ client: own.client, first: 3, after: thing.cursors.documents }),
  "Query.documents.before": (thing, own) => ({ client: own.client, last: 3, before: thing.cursors.documents }),
  "Mutation.publishDocuments.input.client": (thing) => ({ input: { client: thing.client, documents: [] } }),
  "Mutation.deprecateDocument.input.client": (thing) => ({ input: { client: thing.client, hash: thing.documentHash } }),
  "Mutation.retireDocument.input.client": (thing) => ({ input: { client: thing.client, hash: nothing.documentHash } }),
  "Mutation.updateClient.input.client": (thing) => ({ input: { client: thing.client, costLimit: null } }),
  "Query.webhookEndpoints.after": (thing) => ({ first: 3, after: thing.cursors.webhookEndpoints }),
  "Query.webhookEndpoints.before": (thing) => ({ last: 3, before: thing.cursors.webhookEndpoints }),
  "Query.webhookDeliveries.endpointId": (thing) => ({ endpointId: thing.endpointId }),
  "Query.webhookDeliveries.after": (thing, own) => ({ endpointId: own.endpointId, first: 3, after: thing.cursors.webhookDeliveries }),
  "Query.webhookDeliveries.before": (thing, own) => ({ endpointId: own.endpointId, last: 3, before: thing.cursors.webhookDeliveries }),
  "Mutation.updateWebhookEndpoint.input.id": (thing) => ({ input: { id: thing.endpointId, visibility: "EXTENDED" } }),
  "Mutation.deleteWebhookEndpoint.input.id": (thing, own) => ({ input: { id: thing === own ? nothing.endpointId : thing.endpointId } }),
  "Mutation.rotateWebhookSecret.input.id": (thing) => ({ input: { id: thing.endpointId, overlapSeconds: -1 } }),
  "Mutation.replayWebhooks.input.endpointId": (thing) => ({ input: { endpointId: thing.endpointId, ids: [] } }),
  "Mutation.replayWebhooks.input.ids": (thing, own) => ({ input: { endpointId: own.endpointId, ids: [thing.deliveryId] } }),
  "Mutation.sendWebhookTest.input.id": (thing, own) => ({ input: { id: thing === own ? nothing.endpointId : thing.endpointId } }),
  "Query.audit.after": (thing) => ({ first: 3, after: thing.cursors.customers }),
  "Query.explainAccess.keyId": (thing) => ({ document: "{ viewer { mode } }", keyId: thing.keyId }),
  "Mutation.createCustomer.input.email": (thing, own) => ({ input: { ...row(own, { email: thing.email }) } }),
  "Mutation.createCustomer.input.clientRef": (thing, own) => ({ input: { ...row(own, { clientRef: thing.clientRef }) } }),
  "Mutation.createCustomer.input.reference": (thing, own) => ({ input: { ...row(own, { reference: thing.reference }) } }),
  "Mutation.createCustomer.input.idempotencyKey": (thing, own) => ({ input: { ...row(own, {}), idempotencyKey: thing.idempotencyKey } }),
  "Mutation.updateCustomer.input.id": (thing) => ({ input: { id: thing.customerId, update: {} } }),
  "Mutation.updateCustomer.input.update.email": (thing, own) => ({
    input: { id: own.customerId, expectedVersion: 0, update: { email: thing.email } },
  }),
  "Mutation.setBlacklist.input.id": (thing) => ({ input: { id: thing.customerId, blacklisted: true } }),
  "Mutation.setConsent.input.id": (thing) => ({ input: { id: thing.customerId, consent: null } }),
  "Mutation.linkDevice.input.id": (thing) => ({ input: { id: thing.customerId, deviceId: `${nothing.word} device` } }),
  "Mutation.linkDevice.input.deviceId": (thing, own) => ({
    input: { id: own.customerId, expectedVersion: 0, deviceId: thing.deviceId },
  }),
  "Mutation.unlinkDevice.input.id": (thing) => ({ input: { id: thing.customerId, deviceId: `${nothing.word} device` } }),
  "Mutation.unlinkDevice.input.deviceId": (thing, own) => ({ input: { id: own.customerId, expectedVersion: 0, deviceId: thing.deviceId } }),
  "Mutation.eraseCustomer.input.id": (thing) => ({ input: { id: thing.customerId } }),
  "Mutation.createCustomersBatch.input.customers.clientRef": (thing) => ({
    input: { dryRun: true, customers: [row(FREE, { clientRef: thing.clientRef })] },
  }),
  "Mutation.createCustomersBatch.input.customers.email": (thing) => ({
    input: { dryRun: true, customers: [row(FREE, { email: thing.email })] },
  }),
  "Mutation.createCustomersBatch.input.customers.reference": (thing) => ({
    input: { dryRun: true, customers: [row(FREE, { reference: thing.reference })] },
  }),
  "Mutation.createCustomersBatch.input.idempotencyKey": (thing) => ({
    input: { idempotencyKey: thing.idempotencyKey, dryRun: true, customers: [{ clientRef: "none" }] },
  }),
  "Mutation.createApiKey.input.bank": (thing) => ({ input: { bank: thing.bank, audience: "APP", scopes: [] } }),
  "Mutation.createApiKey.input.merchant": (thing) => ({ input: { merchant: thing.merchantId, audience: "APP", scopes: [] } }),
  "Mutation.createApiKey.input.client": (thing) => ({ input: { client: thing.client, audience: "APP", scopes: [] } }),
  "Mutation.revokeApiKey.input.id": (thing) => ({ input: { id: thing.keyId } }),
  "Query.merchant.id": (thing) => ({ id: thing.merchantId }),
  "Query.merchantsBatch.id": (thing) => ({ id: thing.merchantsBatchId }),
  "Query.merchants.after": (thing) => ({ first: 3, after: thing.cursors.merchants }),
  "Query.merchants.before": (thing) => ({ last: 3, before: thing.cursors.merchants }),
  "Mutation.setTrustLevel.input.id": (thing) => ({ input: { id: thing.merchantId, trustLevel: "ENHANCED" } }),
  "Mutation.createMerchantsBatch.input.merchants.clientRef": (thing) => ({
    input: { dryRun: true, merchants: [shop({ clientRef: thing.clientRef })] },
  }),
  "Mutation.createMerchantsBatch.input.merchants.email": (thing) => ({
    input: { dryRun: true, merchants: [shop({ email: thing.email })] },
  }),
  "Mutation.createMerchantsBatch.input.merchants.reference": (thing) => ({
    input: { dryRun: true, merchants: [shop({ reference: thing.reference })] },
  }),
  "Mutation.createMerchantsBatch.input.idempotencyKey": (thing) => ({
    input: { idempotencyKey: thing.idempotencyKey, dryRun: true, merchants: [{ clientRef: "none" }] },
  }),
  "Subscription.batchProgress.id": (thing) => ({ id: thing.batchId }),
  "Mutation.rotateApiKey.input.id": (thing) => ({ input: { id: thing.keyId, overlapSeconds: -1 } }),
};
const rootOf = (path: string) => path.split(".").slice(0, 2).join(".");

/** Root fields without such an argument. */
const PLAIN = ["Query.viewer", "Query.migrationReport", "Mutation.createWebhookEndpoint"];

test("every root field and every argument that names a thing has a case", () => {
  const roots = [schema.getQueryType()!, schema.getMutationType()!, schema.getSubscriptionType()!].flatMap((type) =>
    Object.keys(type.getFields()).map((name) => `${type.name}.${name}`),
  );
  expect([...new Set([...Object.keys(ARGUMENTS).map(rootOf), ...PLAIN])].sort()).toEqual(roots.sort());
  expect([...new Set(Object.keys(ARGUMENTS).map((path) => path.replace(/ \(.*/, "")))].sort()).toEqual(namingArguments().sort());
});

/** The document that asks a root field with variables, and for everything that it can give. */
function documentOf(path: string, given: object): string {
  const [root, name] = path.split(".") as [string, string];
  const field = schema.getType(root)! as NonNullable<ReturnType<typeof schema.getQueryType>>;
  const { args, type } = field.getFields()[name]!;
  const used = args.filter((arg) => arg.name in given);
  const declared = used.length > 0 ? `(${used.map((arg) => `$${arg.name}: ${String(arg.type)}`).join(", ")})` : "";
  const passed = used.length > 0 ? `(${used.map((arg) => `${arg.name}: $${arg.name}`).join(", ")})` : "";
  return `${root.toLowerCase()} ${declared} { ${name}${passed} ${everything(getNamedType(type).name)} }`;
}

/** By its provider's key where it is asked for a merchant. */
const keyFor = ({ key, providerKey }: Place, path: string) => (/^Query\.(customerBanks|deviceLookup)\./.test(path) ? providerKey : key);

async function run(caller: Place, path: string, variables: object, signal?: AbortSignal) {
  const response = await gateway.send("/graphql", {
    method: "POST",
    headers: { authorization: `Bearer ${keyFor(caller, path)}`, "content-type": "application/json", accept: "*/*", "x-request-id": "same" },
    body: JSON.stringify({ query: documentOf(path, variables), variables }),
    signal,
  });
  return {
    status: response.status,
    headers: [...response.headers].filter(([name]) => name !== "date" && !isCounter(name)).sort(),
    body: withoutCost(await response.text()),
  };
}

const count = { done: 0, foreign: 0, own: 0, cancelled: 0, refused: 0 };

/**
 * On a slow machine, 64 at a time on two connections may wait longer than the pool lets them. Who is refused comes again
 * after a second, as it is told: else a database that stands still for a moment refuses all that are left.
 */
async function isRefused({ body }: { body: string }): Promise<boolean> {
  const refused = /"(UNAVAILABLE|TIMEOUT)"/.test(body);
  count.refused += Number(refused);
  if (refused) await setTimeout(1000);
  return refused;
}

/** One draw: a caller, an argument, whose thing it names, and when the caller hangs up, if it does. */
async function draw([callerAt, thingAt, argumentAt, hangUp]: readonly [number, number, number, number | null]): Promise<void> {
  const caller = places[callerAt]!;
  const path = Object.keys(ARGUMENTS)[argumentAt]!;
  const owner = places[thingAt]!;
  const isOwn = owner === caller;
  // What is one's own may be ended or turned, after which nothing is left to ask with.
  if (isOwn && /Mutation\.(revoke|rotate|erase)/.test(path)) return;
  const variables = ARGUMENTS[path]!(owner, caller);
  count.done += 1;
  const foreignTexts = (text: string) =>
    places.filter((place) => place !== caller).flatMap(({ canaries }) => canaries.filter((canary) => text.includes(canary)));
  if (hangUp !== null) {
    const controller = new AbortController();
    const timer = globalThis.setTimeout(() => controller.abort(), hangUp);
    const answer = await run(caller, path, variables, controller.signal).catch(() => null);
    clearTimeout(timer);
    count.cancelled += Number(controller.signal.aborted);
    expect(foreignTexts(answer?.body ?? "")).toEqual([]);
    return;
  }
  const answer = await run(caller, path, variables);
  expect(foreignTexts(answer.body), `${path} of ${owner.name} for ${caller.name}: ${answer.body.slice(0, 300)}`).toEqual([]);
  if (await isRefused(answer)) return;
  if (isOwn) return void (count.own += 1);
  count.foreign += 1;
  // A bank's other mode shares the bank's name; and what one may name of one's own bank is not foreign.
  if (path.endsWith("input.bank") && owner.bank === caller.bank) return;
  count.done += 1;
  const none = await run(caller, path, ARGUMENTS[path]!(nothing, caller));
  if (await isRefused(none)) return;
  expect(plain(answer), `${path} of ${owner.name} for ${caller.name}`).toEqual(plain(none));
}

/** A batch's record has an id, times and cursors of its own, in every call; a stream says that it lives as time passes. */
const plain = ({ body, ...answer }: Awaited<ReturnType<typeof run>>) => ({
  ...answer,
  body: body.startsWith(":")
    ? body.replace(/^:\n+/gm, "")
    : body.includes("BatchResult_id")
      ? body.replace(/(bat|mbt)_[0-9a-f-]{36}|\d{4}-\d\d-\d\dT[\d:.]+Z|(?<=[cC]ursor":")[\w-]+/g, "…")
      : body,
});

const operation = fc.tuple(
  fc.nat(places.length - 1),
  fc.nat(places.length - 1),
  fc.nat(Object.keys(ARGUMENTS).length - 1),
  fc.oneof({ weight: 9, arbitrary: fc.constant(null) }, { weight: 1, arbitrary: fc.nat(30) }),
);

test(
  `${OPERATIONS} random operations, ${AT_ONCE} at a time: no foreign byte, and foreign is like absent`,
  { timeout: 900_000 },
  async () => {
    const draws = fc.sample(operation, OPERATIONS)[Symbol.iterator]();
    const worker = async () => {
      while (count.done < OPERATIONS) {
        const { value, done } = draws.next();
        if (done) return;
        await draw(value);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, worker));
    expect(count.done).toBeGreaterThanOrEqual(OPERATIONS);
    expect(count.refused).toBeLessThan(OPERATIONS / 50);
    expect(Math.min(count.foreign, count.own, count.cancelled)).toBeGreaterThan(OPERATIONS / 100);
  },
);

test("who hangs up leaves no transaction open, and every connection serves on", async () => {
  const { db } = gateway.app.services;
  if (ON_POSTGRES) {
    await vi.waitFor(async () => {
      const [left] = await db.$queryRaw<{ open: bigint; connections: bigint }[]>`
        SELECT count(*) FILTER (WHERE state LIKE 'idle in transaction%') AS open, count(*) AS connections
        FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'customer-gateway'`;
      expect(left).toEqual({ open: 0n, connections: 2n });
    }, 10_000);
  }
  const answers = await Promise.all(
    places.flatMap((place) =>
      [place, place, place].map((caller) => run(caller, "Query.customer.by.id", { by: { id: caller.customerId } })),
    ),
  );
  answers.forEach(({ body }, index) => expect(body).toContain(places[Math.floor(index / 3)]!.word));
});
