import { expect, test } from "vitest";
import { CUSTOMER_FIELD_NAMES, CUSTOMER_FIELDS } from "../../../src/access/visibility.ts";
import { documentHash } from "../../../src/documents/register.ts";
import { schema } from "../../../src/graphql/schema.ts";
import { batchRow, BLACKLIST, CREATE, dataOf, everyRow, person, UPDATE } from "../../support/customers.ts";
import { openGateway } from "../../support/gateway.ts";
import { merchantRow } from "../../support/merchants.ts";
import { audited, flush } from "./support.ts";

const gateway = await openGateway();
const { db } = gateway.app.services;
const key = await gateway.key();

/** A value for every personal field, each of which must be nowhere in the audit. */
const CANARY = {
  firstname: "Canaryfirst",
  lastname: "Canarylast",
  middlename: "Canarymiddle",
  accountName: "Canaryaccount",
  email: "canary.mail@example.com",
  phone: "+2348012345678",
  address: "Canarystreet 1",
  state: "Canarystate",
  displayPicture: "https://example.com/canarypicture",
};
const ROW = { ...batchRow(7), clientRef: "canary-ref", reference: "canary-reference", accountNumber: "9081726354" };

const customer = dataOf((await gateway.query(key, CREATE, { input: { ...CANARY, country: "NG" } })).body);
const BATCH =
  "mutation ($input: CreateCustomersBatchInput!) { createCustomersBatch(input: $input) { ... on BatchResult { id customerIds } ... on Error { code } } }";
const batch = dataOf((await gateway.query(key, BATCH, { input: { customers: [ROW], idempotencyKey: "one" } })).body);
const onlyId = (document: string) => document.replace(/\.\.\.Everything/, "... on Customer { id }").replace(/fragment[\s\S]*$/, "");
const TEXT = "query Audited { viewer { mode } }";
await gateway.key({ audience: "PARTNER", scopes: ["customers:read"], client: "audited" });
const spare = async () => (await gateway.key({ scopes: ["customers:read"] })).split("_")[2]!;

const CREATE_HOOK =
  "mutation ($input: CreateWebhookEndpointInput!) { createWebhookEndpoint(input: $input) { ... on WebhookEndpointIssued { endpoint { id } } } }";
const HOOK = { url: "https://canary.example/", events: ["CUSTOMER_ERASED"], visibility: "STANDARD" };
const [hook, otherHook] = [
  dataOf((await gateway.query(key, CREATE_HOOK, { input: HOOK })).body).endpoint.id,
  dataOf((await gateway.query(key, CREATE_HOOK, { input: HOOK })).body).endpoint.id,
];
const onHook = (name: string) =>
  `mutation ($input: ${name[0]!.toUpperCase()}${name.slice(1)}Input!) { ${name}(input: $input) { __typename } }`;

const MERCHANTS =
  "mutation ($input: CreateMerchantsBatchInput!) { createMerchantsBatch(input: $input) { ... on MerchantBatchResult { merchantIds } } }";
const TRUST = "mutation ($input: SetTrustLevelInput!) { setTrustLevel(input: $input) { __typename } }";
const [shop] = dataOf((await gateway.query(key, MERCHANTS, { input: { merchants: [merchantRow(0)] } })).body).merchantIds;

const wrote = (operation: string, customers: number, fields: string[] = [], outcome = "OK") => ({
  action: "WRITE",
  operation,
  outcome,
  customers,
  count: 1,
  fields,
});

/** Each mutation: what to send, and the one entry of its write. */
const MUTATIONS: Record<string, [document: string, input: () => Promise<object> | object, entry: object][]> = {
  createCustomer: [
    [onlyId(CREATE), () => ({ ...CANARY, email: "canary.two@example.com", phone: null, country: "NG" }), wrote("createCustomer", 1)],
    [onlyId(CREATE), () => ({ ...CANARY, country: "NG" }), wrote("createCustomer", 0, [], "CUSTOMER_ALREADY_EXISTS")],
    [onlyId(CREATE), () => ({ email: "canary no mail" }), wrote("createCustomer", 0, [], "INVALID_CUSTOMER_DATA")],
  ],
  updateCustomer: [
    [
      onlyId(UPDATE),
      () => ({ id: customer.id, update: { state: "Canarystate 2", address: "Canarystreet 2" } }),
      wrote("updateCustomer", 1, ["Customer.address", "Customer.state"]),
    ],
    [onlyId(UPDATE), () => ({ id: customer.id, update: { state: "Canarystate 2" } }), wrote("updateCustomer", 0)],
    [onlyId(UPDATE), () => ({ id: crypto.randomUUID(), update: { state: "x" } }), wrote("updateCustomer", 0, [], "CUSTOMER_NOT_FOUND")],
  ],
  setBlacklist: [
    [
      onlyId(BLACKLIST),
      () => ({ id: customer.id, blacklisted: true, note: "Canarynote" }),
      wrote("setBlacklist", 1, ["Customer.blacklist", "Customer.blacklisted"]),
    ],
    [onlyId(BLACKLIST), () => ({ id: customer.id, blacklisted: true }), wrote("setBlacklist", 0)],
  ],
  setConsent: [
    [
      "mutation ($input: SetConsentInput!) { setConsent(input: $input) { __typename } }",
      () => ({ id: customer.id, consent: { source: "Canarysource", at: "2026-01-31T09:30:00Z", textVersion: "Canarytext" } }),
      wrote("setConsent", 1, ["Customer.consent", "Customer.lifecycle"]),
    ],
    [
      "mutation ($input: SetConsentInput!) { setConsent(input: $input) { __typename } }",
      () => ({ id: customer.id }),
      wrote("setConsent", 0, [], "INVALID_CUSTOMER_DATA"),
    ],
  ],
  linkDevice: [
    [
      "mutation ($input: LinkDeviceInput!) { linkDevice(input: $input) { __typename } }",
      async () => ({
        id: dataOf((await gateway.query(key, CREATE, { input: person("canary.device") })).body).id,
        deviceId: "canary-device",
      }),
      wrote("linkDevice", 1, ["Customer.devices"]),
    ],
    [
      "mutation ($input: LinkDeviceInput!) { linkDevice(input: $input) { __typename } }",
      () => ({ id: customer.id, deviceId: "canary-device" }),
      wrote("linkDevice", 0, [], "DEVICE_REFUSED"),
    ],
  ],
  unlinkDevice: [
    [
      "mutation ($input: UnlinkDeviceInput!) { unlinkDevice(input: $input) { __typename } }",
      () => ({ id: customer.id, deviceId: "canary-device" }),
      wrote("unlinkDevice", 0),
    ],
  ],
  eraseCustomer: [
    [
      "mutation ($input: EraseCustomerInput!) { eraseCustomer(input: $input) { __typename } }",
      async () => ({ id: dataOf((await gateway.query(key, CREATE, { input: person("canary.erased") })).body).id, reason: "REQUEST" }),
      wrote("eraseCustomer", 1),
    ],
    [
      "mutation ($input: EraseCustomerInput!) { eraseCustomer(input: $input) { __typename } }",
      () => ({ id: crypto.randomUUID() }),
      wrote("eraseCustomer", 0, [], "CUSTOMER_NOT_FOUND"),
    ],
  ],
  createCustomersBatch: [
    [BATCH, () => ({ customers: Array.from({ length: 500 }, (_, index) => batchRow(1000 + index)) }), wrote("createCustomersBatch", 500)],
    [BATCH, () => ({ customers: [batchRow(2000)], dryRun: true }), wrote("createCustomersBatch", 0)],
    [BATCH, () => ({ customers: [batchRow(2000), ROW], atomicity: "ALL_OR_NOTHING" }), wrote("createCustomersBatch", 0)],
    [BATCH, () => ({ customers: [ROW], idempotencyKey: "one" }), wrote("createCustomersBatch", 0)],
    [BATCH, () => ({ customers: [] }), wrote("createCustomersBatch", 0, [], "INVALID_BATCH")],
  ],
  createMerchantsBatch: [
    [MERCHANTS, () => ({ merchants: [merchantRow(1)] }), wrote("createMerchantsBatch", 0)],
    [MERCHANTS, () => ({ merchants: [] }), wrote("createMerchantsBatch", 0, [], "INVALID_BATCH")],
  ],
  setTrustLevel: [
    [TRUST, () => ({ id: shop, trustLevel: "PREMIUM" }), wrote("setTrustLevel", 0)],
    [TRUST, () => ({ id: shop, trustLevel: "PREMIUM", expectedVersion: 9 }), wrote("setTrustLevel", 0, [], "MERCHANT_VERSION_CONFLICT")],
    [TRUST, () => ({ id: `mer_${crypto.randomUUID()}`, trustLevel: "BASIC" }), wrote("setTrustLevel", 0, [], "MERCHANT_NOT_FOUND")],
  ],
  publishDocuments: [
    [
      "mutation ($input: PublishDocumentsInput!) { publishDocuments(input: $input) { __typename } }",
      () => ({ client: "audited", documents: [{ hash: documentHash(TEXT), text: TEXT }] }),
      wrote("publishDocuments", 0),
    ],
    [
      "mutation ($input: PublishDocumentsInput!) { publishDocuments(input: $input) { __typename } }",
      () => ({ client: "nobody", documents: [] }),
      wrote("publishDocuments", 0, [], "CLIENT_NOT_FOUND"),
    ],
  ],
  deprecateDocument: [
    [
      "mutation ($input: DeprecateDocumentInput!) { deprecateDocument(input: $input) { __typename } }",
      () => ({ client: "audited", hash: documentHash(TEXT) }),
      wrote("deprecateDocument", 0),
    ],
  ],
  retireDocument: [
    [
      "mutation ($input: RetireDocumentInput!) { retireDocument(input: $input) { __typename } }",
      () => ({ client: "audited", hash: documentHash(TEXT) }),
      wrote("retireDocument", 0),
    ],
  ],
  updateClient: [
    [
      "mutation ($input: UpdateClientInput!) { updateClient(input: $input) { __typename } }",
      () => ({ client: "audited", costLimit: 500 }),
      wrote("updateClient", 0),
    ],
  ],
  createWebhookEndpoint: [[CREATE_HOOK, () => HOOK, wrote("createWebhookEndpoint", 0)]],
  updateWebhookEndpoint: [
    [onHook("updateWebhookEndpoint"), () => ({ id: hook, enabled: true }), wrote("updateWebhookEndpoint", 0)],
    [
      onHook("updateWebhookEndpoint"),
      () => ({ id: `whe_${crypto.randomUUID()}` }),
      wrote("updateWebhookEndpoint", 0, [], "WEBHOOK_ENDPOINT_NOT_FOUND"),
    ],
  ],
  rotateWebhookSecret: [[onHook("rotateWebhookSecret"), () => ({ id: hook }), wrote("rotateWebhookSecret", 0)]],
  replayWebhooks: [[onHook("replayWebhooks"), () => ({ endpointId: hook, ids: [] }), wrote("replayWebhooks", 0)]],
  sendWebhookTest: [[onHook("sendWebhookTest"), () => ({ id: hook }), wrote("sendWebhookTest", 0)]],
  deleteWebhookEndpoint: [[onHook("deleteWebhookEndpoint"), () => ({ id: otherHook }), wrote("deleteWebhookEndpoint", 0)]],
  createApiKey: [
    [
      "mutation ($input: CreateApiKeyInput!) { createApiKey(input: $input) { ... on ApiKeyIssued { apiKey { id } } } }",
      () => ({ audience: "APP", scopes: ["customers:read"] }),
      wrote("createApiKey", 0),
    ],
  ],
  revokeApiKey: [
    [
      "mutation ($input: RevokeApiKeyInput!) { revokeApiKey(input: $input) { __typename } }",
      async () => ({ id: await spare() }),
      wrote("revokeApiKey", 0),
    ],
  ],
  rotateApiKey: [
    [
      "mutation ($input: RotateApiKeyInput!) { rotateApiKey(input: $input) { __typename } }",
      async () => ({ id: await spare() }),
      wrote("rotateApiKey", 0),
    ],
  ],
};

test("every mutation has a case", () =>
  expect(Object.keys(MUTATIONS).sort()).toEqual(Object.keys(schema.getMutationType()!.getFields()).sort()));

test.each(Object.entries(MUTATIONS))("%s leaves one entry a call, with its count and fields", async (_name, cases) => {
  for (const [document, input, entry] of cases) {
    const { entries, rows, body } = await audited(gateway, key, document, { input: await input() });
    expect(body.errors).toBeUndefined();
    expect(entries).toEqual([entry]);
    expect(rows[0]).toMatchObject({
      bankId: "alpha",
      mode: "SANDBOX",
      actor: key.split("_")[2],
      audience: "INTERNAL",
      documentHash: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
  }
});

test("an entry names the keys, the bank and the batch that were written", async () => {
  const id = await spare();
  const subjects = async (document: string, as = key) => (await audited(gateway, as, document)).rows[0]!.subjects;
  expect(await subjects(`mutation { rotateApiKey(input: { id: "${id}" }) { __typename } }`)).toEqual([
    id,
    expect.stringMatching(/^[0-9a-f]{16}$/),
  ]);
  expect(await subjects(`mutation { revokeApiKey(input: { id: "${id}" }) { __typename } }`)).toEqual([id]);
  const { rows } = await audited(gateway, key, BATCH, { input: { customers: [ROW], idempotencyKey: "one" } });
  expect(rows[0]!.subjects).toEqual([batch.id.slice("bat_".length)]);
});

test("rows that a savepoint took back are not counted", async () => {
  // Both rows pass their own checks; the database refuses the second, after the first was inserted.
  const input = { customers: [batchRow(3000), { ...batchRow(3001), reference: ROW.reference }], atomicity: "ALL_OR_NOTHING" };
  const { entries } = await audited(gateway, key, BATCH, { input });
  expect(entries).toEqual([wrote("createCustomersBatch", 0)]);
});

test("a document's hash is that of its text, also when it is called by its hash", async () => {
  const document = "query Emails { customers(first: 1) { nodes { email } } }";
  const { rows } = await audited(gateway, key, document);
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(document));
  expect(rows[0]!.documentHash).toBe(Buffer.from(digest).toString("hex"));
});

const read = (operation: string, customers: number, ...fields: string[]) => ({
  action: "READ",
  operation,
  outcome: "OK",
  customers,
  count: 1,
  fields: fields.map((field) => `Customer.${field}`),
});

test.each(CUSTOMER_FIELD_NAMES)("reading %s leaves an entry if it is above STANDARD, and none else", async (field) => {
  const sub =
    { consent: " { source }", blacklist: " { reason }", history: " { nodes { version } }", devices: " { id }" }[field as string] ?? "";
  const { entries, body } = await audited(gateway, key, `{ customer(by: { id: "${customer.id}" }) { x: ${field}${sub} } }`);
  expect(body.errors).toBeUndefined();
  expect(entries).toEqual(CUSTOMER_FIELDS[field].tier === "STANDARD" ? [] : [read("customer", 1, field)]);
});

test.each<[string, string, object[]]>([
  ["node", `{ node(id: "${customer.id}") { ... on Customer { email phone } } }`, [read("node", 1, "email", "phone")]],
  ["a page", "{ all: customers(first: 3) { nodes { id } edges { node { canary: email } } } }", [read("customers", 3, "email")]],
  ["a page of nobody", '{ customers(first: 3, filter: { search: "nobodyatall" }) { nodes { email } } }', []],
  ["a batch's customers", `{ batch(id: "${batch.id}") { customers { nodes { accountNumber } } } }`, [read("batch", 1, "accountNumber")]],
  [
    "two fields of one customer",
    `{ a: customer(by: { id: "${customer.id}" }) { email } b: customer(by: { id: "${customer.id}" }) { state } }`,
    [read("customer", 1, "email", "state")],
  ],
  ["a look-up by e-mail", `{ customer(by: { email: "${CANARY.email}" }) { id } }`, [read("customer", 0, "email")]],
  [
    "a look-up by e-mail that finds nothing",
    '{ customer(by: { email: "canary.nobody@example.com" }) { id } }',
    [read("customer", 0, "email")],
  ],
  ["a look-up by reference", '{ customer(by: { reference: "canary-reference" }) { id } }', [read("customer", 0, "reference")]],
  ["a filter", '{ customers(filter: { emails: ["canary.nobody@example.com"] }) { totalCount } }', [read("customers", 0, "email")]],
  [
    "an order",
    "{ customers(orderBy: { field: UPDATED_AT, direction: ASC }, first: 1) { nodes { id } } }",
    [read("customers", 0, "updatedAt")],
  ],
  ["the default order", "{ customers(first: 1) { nodes { id } } }", []],
  ["a STANDARD look-up", `{ customer(by: { phrase: "${customer.phrase}" }) { id accountName } }`, []],
  [
    "what stands in a fragment",
    `{ __typename ...F } fragment F on Query { ... on Query { x: node(id: "${customer.id}") { ... on Customer { email } } } }`,
    [read("node", 1, "email")],
  ],
  [
    "what stands behind a field that is skipped",
    `query ($no: Boolean = false) { viewer @include(if: $no) { mode } customer(by: { id: "${customer.id}" }) { email } }`,
    [read("customer", 1, "email")],
  ],
])("%s", async (_name, document, entries) => {
  expect((await audited(gateway, key, document)).entries).toEqual(entries);
});

test.each([
  ["updateCustomer", UPDATE, { update: { state: "x" } }],
  ["setBlacklist", BLACKLIST, { blacklisted: true }],
])("%s: the current version that a VersionConflict tells leaves a read", async (operation, document, input) => {
  const run = (text: string) => audited(gateway, key, text, { input: { id: customer.id, expectedVersion: 2 ** 31 - 1, ...input } });
  const write = wrote(operation, 0, [], "VERSION_CONFLICT");
  const { body, entries } = await run(onlyId(document));
  expect(dataOf(body)).toMatchObject({ currentVersion: expect.any(Number) });
  expect(entries).toEqual([write, read(operation, 1, "version")]);
  expect((await run(onlyId(document).replace("currentVersion", "code"))).entries).toEqual([write]);
});

test("the clientRef of a refused row leaves a read, of no customer", async () => {
  const batches = (of: string) => `{ batches(first: 1) { nodes { failures { ${of} } } } }`;
  await gateway.query(key, BATCH, { input: { customers: [ROW] } });
  const { body, entries } = await audited(gateway, key, batches("... on BatchItemFailure { clientRef }"));
  expect(body.data.batches.nodes[0].failures).toEqual([{ clientRef: ROW.clientRef }]);
  expect(entries).toEqual([read("batches", 0, "clientRef")]);
  expect((await audited(gateway, key, batches("... on BatchItemFailure { code message }"))).entries).toEqual([]);
});

test("what is withheld was not read, nor refused", async () => {
  const document = `{ customer(by: { id: "${customer.id}" }) { email accountNumber redactedFields } }`;
  expect((await audited(gateway, key, document, {}, { "x-visibility": "standard" })).entries).toEqual([]);
  const standard = await gateway.key({ scopes: ["customers:read"] });
  expect((await audited(gateway, standard, document)).entries).toEqual([]);
});

test("a mutation that shows what it wrote leaves a read beside its write", async () => {
  const document = "mutation ($input: UpdateCustomerInput!) { updateCustomer(input: $input) { ... on Customer { state } } }";
  const { entries } = await audited(gateway, key, document, { input: { id: customer.id, update: { state: "Canarystate 3" } } });
  expect(entries).toEqual([wrote("updateCustomer", 1, ["Customer.state"]), read("updateCustomer", 1, "state")]);
});

const refused = (outcome: string, operation: string | null, ...fields: string[]) => ({
  action: "REFUSAL",
  operation,
  outcome,
  customers: 0,
  count: 1,
  fields,
});

test("each kind of refusal leaves an entry", async () => {
  const standard = await gateway.key({ scopes: ["customers:read"] });
  const partner = await gateway.key({ scopes: ["customers:read"], audience: "PARTNER", client: "shop" });
  const cases: [string, string, object][] = [
    [standard, "{ canary: apiKeys { nodes { id } } }", refused("FORBIDDEN", "apiKeys")],
    [
      standard,
      '{ customers(filter: { emails: ["canary.mail@example.com"] }) { totalCount } }',
      refused("FORBIDDEN_FIELD", "customers", "Customer.email"),
    ],
    [partner, "{ customers { totalCount } }", refused("DOCUMENT_REQUIRED", null)],
  ];
  for (const [as, document, entry] of cases) {
    const { entries, rows } = await audited(gateway, as, document);
    expect(entries).toEqual([entry]);
    expect(rows[0]).toMatchObject({ bankId: "alpha", actor: as.split("_")[2], documentHash: null });
  }
});

test("a caller without a valid key leaves a count, and nothing of what it sent", async () => {
  await flush(gateway.app);
  const wrong = `cgw_sandbox_${"ab".repeat(8)}_${"cd".repeat(20)}`;
  const count = async () =>
    (await db.auditEntry.aggregate({ where: { outcome: "UNAUTHENTICATED" }, _sum: { count: true } }))._sum.count ?? 0;
  const before = await count();
  for (const bearer of [null, "nonsense", wrong]) await gateway.query(bearer, "{ viewer { mode } }");
  await flush(gateway.app);
  expect(await count()).toBe(before + 3);
  const rows = await db.auditEntry.findMany({ where: { outcome: "UNAUTHENTICATED" } });
  for (const row of rows) expect(row).toMatchObject({ bankId: "operator", mode: "LIVE", actor: null, action: "REFUSAL", operation: null });
  expect(JSON.stringify(rows)).not.toContain("abababab");
});

test("the gateway's own work is audited when it changes something", async () => {
  const { id } = dataOf(
    (await gateway.query(key, CREATE, { input: { ...CANARY, phone: null, email: "canary.expiring@example.com", country: "NG" } })).body,
  );
  const expiresAt = new Date(Date.now() + 3000);
  expect(
    (await gateway.query(key, BLACKLIST, { input: { id, blacklisted: true, expiresAt: expiresAt.toISOString() } })).body.errors,
  ).toBeUndefined();
  await new Promise((done) => setTimeout(done, expiresAt.getTime() + 100 - Date.now()));
  const { expireBlacklists } = await import("../../../src/modules/customer/customer.jobs.ts");
  await expireBlacklists(gateway.app.services).run();
  const entries = await db.auditEntry.findMany({ where: { operation: "expire-blacklists" } });
  expect(entries).toMatchObject([{ bankId: "alpha", mode: "SANDBOX", actor: "gateway", customers: 1, requestId: null }]);
});

test("no value of a customer is anywhere in the audit", async () => {
  await flush(gateway.app);
  const rows = (await everyRow(gateway)).filter(({ table }) => table.startsWith("audit"));
  expect(rows.length).toBeGreaterThan(100);
  const values = ["canary", "2348012345678", ROW.accountNumber, customer.phrase, customer.id, "example.com"];
  for (const value of values)
    expect(
      rows.filter(({ text }) => text.toLowerCase().includes(value)),
      value,
    ).toEqual([]);
});
