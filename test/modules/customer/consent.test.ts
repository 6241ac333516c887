import { expect, test } from "vitest";
import { batchRow, caller, dataOf, person } from "../../support/customers.ts";
import { openGateway } from "../../support/gateway.ts";

const gateway = await openGateway();
const key = await gateway.key();
const { create, update, batch, find, history } = caller(gateway, key);
const { db } = gateway.app.services;

const BRANCH = { source: "branch", at: "2025-01-02T03:04:05.678Z", textVersion: "2025-01" };
const APP = { source: "mobile app", at: "2025-06-01T00:00:00.000Z", textVersion: "7" };

const atMost = "must be at most 100 characters";
const missing = "is required when consent is given";
const time = "must be a time with its offset, from 1900 on, such as 2026-01-31T09:30:00+01:00";
const control = "must not contain control characters";
const inSeconds = (seconds: number) => new Date(Date.now() + seconds * 1000).toISOString();

/** What is refused, by the changes to a good consent, and under which name. */
const WRONG: [changes: object, issues: Record<string, string>][] = [
  [{ source: null }, { "consent.source": missing }],
  [{ source: " \u200b" }, { "consent.source": missing }],
  [{ source: "x".repeat(101) }, { "consent.source": atMost }],
  [{ source: "a\u202eb" }, { "consent.source": control }],
  [{ textVersion: "" }, { "consent.textVersion": missing }],
  [{ textVersion: "😀".repeat(101) }, { "consent.textVersion": atMost }],
  [{ textVersion: "1\0" }, { "consent.textVersion": control }],
  [{ at: null }, { "consent.at": missing }],
  ...[
    "yesterday",
    "2025-01-02",
    "2025-01-02T03:04:05",
    "2025-01-02 03:04:05Z",
    "2025-01-02T03:04:05 Z",
    "2025-02-29T00:00:00Z",
    "2025-13-01T00:00:00Z",
    "2025-01-02T24:00:00Z",
    "2025-01-02T00:00:60Z",
    "2025-01-02T00:00:00+24:00",
    "2025-01-02T00:00:00|01:00",
    "+012025-01-02T00:00:00Z",
    "0000-01-01T00:00:00Z",
    "1899-12-31T23:59:59Z",
    "1735786800",
  ].map((at): [object, Record<string, string>] => [{ at }, { "consent.at": time }]),
  [{ at: `2025-01-02T03:04:05.${"0".repeat(40)}Z` }, { "consent.at": "must be at most 40 characters" }],
  [{ at: inSeconds(120) }, { "consent.at": "must not be in the future" }],
  [{ at: "9999-12-31T23:59:59Z" }, { "consent.at": "must not be in the future" }],
  [
    { source: null, at: "x", textVersion: "x".repeat(101) },
    { "consent.source": missing, "consent.at": time, "consent.textVersion": atMost },
  ],
];
const issuesOf = (issues: Record<string, string>) => Object.entries(issues).map(([field, message]) => ({ field, message }));

/** What is accepted, and what is then kept. */
const RIGHT: [changes: Record<string, string>, kept: Partial<typeof BRANCH>][] = [
  [{}, {}],
  [{ source: "  Cafe\u0301 " }, { source: "Café" }],
  [{ textVersion: "😀".repeat(100) }, {}],
  [{ at: "2025-01-02T03:04:05+05:30" }, { at: "2025-01-01T21:34:05.000Z" }],
  [{ at: " 2025-01-02t03:04:05z " }, { at: "2025-01-02T03:04:05.000Z" }],
  [{ at: "2025-01-02T03:04:05.123456789-00:00" }, { at: "2025-01-02T03:04:05.123Z" }],
  [{ at: "2024-02-29T23:59:59+23:59" }, { at: "2024-02-29T00:00:59.000Z" }],
  [{ at: "1900-01-01T00:00:00Z" }, { at: "1900-01-01T00:00:00.000Z" }],
];
const soon = inSeconds(20);

test("a registration keeps its consent, and names every violation", async () => {
  for (const [index, [changes, kept]] of RIGHT.entries()) {
    const { id, consent } = await create(person(`right${index}`, { consent: { ...BRANCH, ...changes } }));
    expect(consent).toEqual({ ...BRANCH, ...changes, ...kept });
    expect((await find({ id })).consent).toEqual(consent);
  }
  expect((await create(person("ahead", { consent: { ...BRANCH, at: soon } }))).consent.at).toBe(soon);
  expect((await create(person("none"))).consent).toBe(null);
  expect((await create(person("null", { consent: null }))).consent).toBe(null);
  for (const [index, [changes, issues]] of WRONG.entries()) {
    const result = await create(person(`wrong${index}`, { consent: { ...BRANCH, ...changes } }));
    expect(result, JSON.stringify(changes)).toMatchObject({ __typename: "InvalidCustomerData", issues: issuesOf(issues) });
  }
  expect(await create({ ...person("both"), email: "x", consent: {} })).toMatchObject({
    issues: [{ field: "email" }, { field: "consent.source" }, { field: "consent.at" }, { field: "consent.textVersion" }],
  });
});

test("a bad consent fails its row alone", async () => {
  const rows = [...WRONG, ...RIGHT].map(([changes], index) => batchRow(100 + index, { consent: { ...BRANCH, ...changes } }));
  const { failures, customerIds } = await batch(rows);
  expect(failures).toMatchObject(WRONG.map(([, issues], index) => ({ index, code: "VALIDATION_ERROR", issues: issuesOf(issues) })));
  const consents = await Promise.all(customerIds.map(async (id: string) => (await find({ id })).consent));
  expect(consents).toEqual(RIGHT.map(([changes, kept]) => ({ ...BRANCH, ...changes, ...kept })));
  // A missing required field goes before.
  const [first] = (await batch([batchRow(199, { email: null, consent: {} })])).failures;
  expect(first).toMatchObject({ code: "INVALID_DATA", issues: [{ field: "email" }] });
});

test.each(["COMPLETE", "BACKGROUND"])("a batch's consent goes for all rows but those with their own: %s", async (processing) => {
  const base = processing === "COMPLETE" ? 200 : 300;
  const own = [undefined, APP, null, { source: "phone" }];
  const rows = own.map((consent, index) => batchRow(base + index, { ...(consent !== undefined && { consent }) }));
  const { id } = await batch([...rows, null], { processing, consent: BRANCH });
  const document = `query ($id: ID!) { batch(id: $id) { status customers { nodes { consent { source at textVersion } } }
    failures { ... on BatchItemFailure { index code } ... on ValidationError { issues { field } } } } }`;
  const read = async () => dataOf((await gateway.query(key, document, { id })).body);
  await expect.poll(async () => (await read()).status, { timeout: 30_000 }).toBe("COMPLETED");
  expect(await read()).toEqual({
    status: "COMPLETED",
    customers: { nodes: [{ consent: BRANCH }, { consent: APP }, { consent: null }] },
    failures: [
      // Its own wins whole: what it lacks is not taken from the batch's.
      { index: 3, code: "VALIDATION_ERROR", issues: [{ field: "consent.at" }, { field: "consent.textVersion" }] },
      { index: 4, code: "INVALID_DATA" },
    ],
  });
});

test("a batch's bad consent fails each row that it goes for, in a dry run too", async () => {
  const rows = [batchRow(400), batchRow(401, { consent: APP }), batchRow(402, { consent: null }), batchRow(403, { email: "x" })];
  const consent = { ...BRANCH, at: "2025-01-02" };
  for (const dryRun of [true, false]) {
    const { summary, failures } = await batch(rows, { consent, dryRun });
    expect(summary).toMatchObject({ total: 4, successful: 2, failed: 2, invalidData: 2 });
    expect(failures).toMatchObject([
      { index: 0, code: "VALIDATION_ERROR", message: `consent.at ${time}`, issues: [{ field: "consent.at" }] },
      { index: 3, code: "VALIDATION_ERROR", issues: [{ field: "email" }, { field: "consent.at" }] },
    ]);
  }
});

test("a consent is part of what an idempotency key stands for", async () => {
  const rows = [batchRow(500)];
  const first = await batch(rows, { consent: BRANCH, idempotencyKey: "with-consent" });
  expect(await batch(rows, { consent: BRANCH, idempotencyKey: "with-consent" })).toMatchObject({ id: first.id, replayed: true });
  for (const consent of [APP, null, undefined, { ...BRANCH, textVersion: "2025-02" }])
    expect(await batch(rows, { ...(consent !== undefined && { consent }), idempotencyKey: "with-consent" })).toMatchObject({
      __typename: "IdempotencyConflict",
    });
  // A row that has none of its own, and one without any.
  expect(await batch([{ ...rows[0], consent: null }], { consent: BRANCH, idempotencyKey: "with-consent" })).toMatchObject({
    __typename: "IdempotencyConflict",
  });
  const input = person("keyed", { consent: BRANCH, idempotencyKey: "with-consent" });
  const { id } = await create(input);
  expect((await create(input)).id).toBe(id);
  expect(await create({ ...input, consent: APP })).toMatchObject({ __typename: "IdempotencyConflict" });
});

test("no update changes a consent", async () => {
  const { id } = await create(person("kept", { consent: BRANCH }));
  await expect(update({ id, update: { consent: APP } })).rejects.toThrow('Field \\"consent\\" is not defined');
  expect(await update({ id, update: { state: "Lagos" } })).toMatchObject({ version: 2, consent: BRANCH });
  expect((await history(id)).map(({ changedFields }) => changedFields)).toEqual([[], ["STATE"]]);
});

test("who may not see a consent is told so, and it is not read", async () => {
  const { id } = await create(person("withheld", { consent: BRANCH }));
  const document = "query ($id: ID!) { customer(by: { id: $id }) { consent { source } redactedFields } }";
  const standard = await gateway.key({ scopes: ["customers:read"] });
  gateway.statements.length = 0;
  const { body } = await gateway.query(standard, document, { id });
  expect(body.data.customer).toEqual({ consent: null, redactedFields: ["CONSENT"] });
  expect(body.extensions.visibility).toEqual([
    { path: ["customer", "consent"], field: "Customer.consent", requires: "customers:read:extended" },
  ]);
  expect(gateway.statements.join()).not.toContain("consent_");
  const { body: explained } = await gateway.query(
    standard,
    "query ($document: String!, $variables: JSONObject!) { explainAccess(document: $document, variables: $variables) { withheld { path field requires } } }",
    { document, variables: { id } },
  );
  expect(explained.data.explainAccess.withheld).toMatchObject([{ field: "Customer.consent", requires: "customers:read:extended" }]);
});

test("the database keeps a consent whole or not at all", async () => {
  const { id } = await create(person("whole", { consent: BRANCH }));
  await expect(db.customer.updateMany({ where: { id }, data: { consentAt: null } })).rejects.toThrow();
});
