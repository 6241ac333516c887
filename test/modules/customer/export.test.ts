import { beforeAll, expect, test } from "vitest";
import { CUSTOMER_FIELD_NAMES, CUSTOMER_FIELDS } from "../../../src/access/visibility.ts";
import { openGateway } from "../../support/gateway.ts";
import { batchRow, caller, dataOf, person } from "../../support/customers.ts";
import { webhooksOf } from "../../support/webhooks.ts";
import { audited } from "../audit/support.ts";

const gateway = await openGateway();
const { db } = gateway.app.services;
const key = await gateway.key();
const keyId = key.split("_")[2]!;
const { create, update, batch, blacklist, erase, linkDevice } = caller(gateway, key);

const EXPORT = `query ($id: ID!) { exportCustomerData(id: $id) {
  formatVersion customerId madeAt categories { name purpose source kept records } } }`;
type Records = Record<string, unknown>[];

async function exported(id: string): Promise<Record<string, Records>> {
  const { categories } = dataOf((await gateway.query(key, EXPORT, { id })).body);
  return Object.fromEntries(categories.map(({ name, records }: { name: string; records: Records }) => [name, records]));
}

const TIME = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/) as string;
const row = batchRow(1, {
  middlename: "Middle",
  phone: "+2348031234567",
  address: "Road 1",
  state: "Kano",
  gender: "FEMALE",
  consent: { source: "branch", at: "2026-01-02T03:04:05.000Z", textVersion: "v7" },
}) as Record<string, unknown>;

/** A customer of whom there is something in every category but IDEMPOTENCY, which goes with a single registration. */
let id: string;
let batchId: string;
let data: Record<string, Records>;
let device: string;

beforeAll(async () => {
  await webhooksOf(gateway, key).create({ url: "https://bank.example/hooks", events: ["CUSTOMER_CREATED"], visibility: "STANDARD" });
  ({
    id: batchId,
    customerIds: [id],
  } = await batch([row, batchRow(2, { clientRef: "twin", email: row["email"] }), batchRow(3)]));
  await batch([batchRow(4, { clientRef: "met-it", email: row["email"] })]);
  [{ id: device }] = (await linkDevice({ id, deviceId: "device-of-one" })).devices;
  await blacklist({ id, blacklisted: true, reason: "FRAUD", note: "A note\nof two lines" });
  await blacklist({ id, blacklisted: false });
  await blacklist({ id, blacklisted: true, reason: "REQUEST", expiresAt: "2099-01-01T00:00:00Z" });
  await update({ id, update: { email: "changed@example.com", displayPicture: "https://example.com/picture" } });
  data = await exported(id);
});

test("everything is there, readable, of the customer and of nobody else", async () => {
  const customer = await db.customer.findFirstOrThrow({ where: { id } });
  const { consent: _consent, ...values } = row;
  expect(data).toEqual({
    PROFILE: [
      {
        ...values,
        bankId: "alpha",
        mode: "SANDBOX",
        id,
        phrase: customer.phrase,
        email: "changed@example.com",
        dialCode: "+234",
        displayPicture: "https://example.com/picture",
        blacklisted: true,
        blacklistExpiresAt: "2099-01-01T00:00:00.000Z",
        deviceCount: 1,
        lifecycle: "DEVICE_LINKED",
        paymentsEnabled: false,
        version: 6,
        createdAt: customer.createdAt.toISOString(),
        updatedAt: customer.updatedAt.toISOString(),
      },
    ],
    CONSENT: [{ source: "branch", at: "2026-01-02T03:04:05.000Z", textVersion: "v7" }],
    BLACKLIST: [
      { version: 3, reason: "FRAUD", note: "A note\nof two lines", actor: keyId, since: TIME, expiresAt: null, endedAt: TIME },
      { version: 5, reason: "REQUEST", note: null, actor: keyId, since: TIME, expiresAt: "2099-01-01T00:00:00.000Z", endedAt: null },
    ],
    BLACKLISTED_IDENTITY: expect.arrayContaining(
      ["email", "phone", null].map((of) => ({ of, expiresAt: "2099-01-01T00:00:00.000Z" })),
    ) as Records,
    HISTORY: [
      { version: 1, type: "CREATED" },
      { version: 2, type: "DEVICE_LINKED", lifecycle: "PAYMENTS_ENABLED" },
      { version: 3, type: "BLACKLISTED", reason: "FRAUD", changed: expect.arrayContaining(["blacklisted", "blacklist"]) as string[] },
      { version: 4, type: "UNBLACKLISTED" },
      { version: 5, type: "BLACKLISTED", reason: "REQUEST", expiresAt: "2099-01-01T00:00:00.000Z" },
      { version: 6, type: "UPDATED", changed: expect.arrayContaining(["email", "displayPicture"]) as string[] },
    ].map((event) => expect.objectContaining({ actor: keyId, at: TIME, ...event }) as object),
    DEVICES: [{ id: device, deviceId: "device-of-one", actor: keyId, linkedAt: TIME }],
    DISCOVERY: expect.arrayContaining(
      [
        { by: "email", device: null },
        { by: "device", device },
      ].map((by) => ({ ...by, phrase: customer.phrase, consentAt: "2026-01-02T03:04:05.000Z" })),
    ) as Records,
    BATCHES: [
      { batch: batchId, index: 0, outcome: "CREATED", clientRef: null, matchedOn: null, firstIndex: null },
      { batch: batchId, index: 1, outcome: "DUPLICATE_IN_BATCH", clientRef: "twin", matchedOn: "email", firstIndex: 0 },
      {
        batch: expect.stringMatching(/^bat_/) as string,
        index: 0,
        outcome: "EXISTING_CUSTOMER",
        clientRef: "met-it",
        matchedOn: "email",
        firstIndex: null,
      },
    ].map((one) => ({ ...one, sentAt: TIME, issues: null })),
    IDEMPOTENCY: [],
    WEBHOOKS: [
      expect.objectContaining({
        message: expect.stringMatching(/^msg_/) as string,
        url: "https://bank.example/hooks",
        visibility: "STANDARD",
        type: "CUSTOMER_CREATED",
        sequence: 1,
        version: 1,
      }),
    ],
  });
  expect([data["BLACKLISTED_IDENTITY"]!.length, data["DISCOVERY"]!.length]).toEqual([3, 2]);
});

test("the key of a single registration is told, and nobody else's of the same moment", async () => {
  const made = await create({ ...person("keyed"), idempotencyKey: "once-and-only" });
  const other = await create({ ...person("other"), idempotencyKey: "of-another" });
  await db.customer.updateMany({ where: { id: { in: [made.id, other.id] } }, data: { createdAt: new Date("2026-05-05T05:05:05Z") } });
  await db.idempotencyKey.updateMany({ data: { createdAt: new Date("2026-05-05T05:05:05Z") } });
  const { IDEMPOTENCY, BATCHES, WEBHOOKS } = await exported(made.id);
  expect(IDEMPOTENCY).toEqual([{ mutation: "createCustomer", key: "once-and-only", createdAt: "2026-05-05T05:05:05.000Z" }]);
  expect([BATCHES!.length, WEBHOOKS!.length]).toEqual([0, 1]);
});

/** Where each table's rows are told, and what of a row is not: a member has the column's name unless it stands here. */
const TOLD: Record<string, { in: string; as?: Record<string, string>; not?: Record<string, string> }> = {
  customer: {
    in: "PROFILE",
    as: { consent_source: "CONSENT.source", consent_at: "CONSENT.at", consent_text_version: "CONSENT.textVersion" },
    not: { account_name_key: "derived from the name, to sort by", search_key: "derived from the name, to search in" },
  },
  blacklist_entry: { in: "BLACKLIST" },
  blacklisted_identity: { in: "BLACKLISTED_IDENTITY", as: { hash: "BLACKLISTED_IDENTITY.of" } },
  customer_event: { in: "HISTORY" },
  device: { in: "DEVICES", not: { hash: "of the id, which is told" } },
  discovery: { in: "DISCOVERY", as: { hash: "DISCOVERY.by" } },
  batch_failure: {
    in: "BATCHES",
    as: { batch_id: "BATCHES.batch", code: "BATCHES.outcome" },
    not: { client_ref_key: "normalised from clientRef", existing_id: "the customer itself" },
  },
  idempotency_key: { in: "IDEMPOTENCY", not: { input_hash: "a keyed hash that nobody can read", result_id: "the customer itself" } },
  webhook_delivery: {
    in: "WEBHOOKS",
    as: { id: "WEBHOOKS.message", endpoint_id: "WEBHOOKS.url" },
    not: { subject_id: "the customer itself", due_at: "of the work of sending", leased_until: "of the work of sending" },
  },
};

/** Tables of which an export has nothing, and why. */
const NOT_TOLD: Record<string, string> = {
  tenant: "banks, providers and merchants",
  client: "applications",
  client_settings: "applications",
  api_key: "keys of applications and staff",
  persisted_document: "documents of applications",
  erased_customer: "of who was erased there is nothing to tell",
  merchant: "merchants of a provider",
  merchant_event: "merchants of a provider",
  batch: "counts; what it says of a customer is in BATCHES",
  batch_payload: "rows on their way, sealed as one text, that are about nobody yet; gone with the last of them",
  webhook_endpoint: "the bank's own receivers; of those who were told something, the address is in WEBHOOKS",
  audit_entry: "names of fields and counts; no customer is named",
  audit_link: "hashes of the audit's entries",
  _prisma_migrations: "which tables there are",
};

test("every column of every table is told, or there is a reason why not", async () => {
  const keyed = await exported((await create({ ...person("walked"), idempotencyKey: "walked" })).id);
  const columns = await db.$queryRaw<{ table: string; column: string }[]>`
    SELECT table_name::text AS table, column_name::text AS column FROM information_schema.columns WHERE table_schema = current_schema()`;
  const tables = Map.groupBy(columns, ({ table }) => table);
  expect([...Object.keys(TOLD), ...Object.keys(NOT_TOLD)].sort()).toEqual([...tables.keys()].sort());
  const camel = (column: string) => column.replace(/_(.)/g, (_, letter: string) => letter.toUpperCase());
  const missing: string[] = [];
  for (const [table, told] of Object.entries(TOLD)) {
    for (const { column } of tables.get(table)!) {
      // Told once, for all.
      if (["bank_id", "mode", "customer_id"].includes(column) || told.not?.[column] !== undefined) continue;
      const [category, member] = (told.as?.[column] ?? `${told.in}.${camel(column)}`).split(".") as [string, string];
      const records = [...data[category]!, ...keyed[category]!];
      if (!records.some((record) => Object.hasOwn(record, member))) missing.push(`${table}.${column}`);
    }
  }
  expect(missing).toEqual([]);
});

test("each category says what it is for, where it comes from and how long it is kept", async () => {
  const { categories, ...head } = dataOf((await gateway.query(key, EXPORT, { id })).body);
  expect(head).toEqual({ formatVersion: 1, customerId: id, madeAt: TIME });
  for (const { purpose, source, kept } of categories) for (const text of [purpose, source, kept]) expect(text).toMatch(/^[A-Z0-9].{5,}\.$/);
});

test("an export leaves a read of its own, whatever else is asked, and whoever is looked for", async () => {
  const own = (customers: number) => ({
    action: "READ",
    operation: "exportCustomerData",
    outcome: "OK",
    customers,
    count: 1,
    fields: CUSTOMER_FIELD_NAMES.filter((name) => CUSTOMER_FIELDS[name].tier !== "STANDARD")
      .sort()
      .map((name) => `Customer.${name}`),
  });
  const beside = `query ($id: ID!) { viewer { mode } one: customer(by: { id: $id }) { email } two: exportCustomerData(id: $id) { madeAt } }`;
  const { entries } = await audited(gateway, key, beside, { id });
  expect(entries).toHaveLength(2);
  expect(entries).toEqual(expect.arrayContaining([own(1), expect.objectContaining({ operation: "viewer", fields: ["Customer.email"] })]));
  for (const absent of [crypto.randomUUID(), "nonsense"]) {
    const none = await audited(gateway, key, EXPORT, { id: absent });
    expect([none.body.data, none.entries]).toEqual([{ exportCustomerData: null }, [own(0)]]);
  }
});

test("who may not see all of it gets none of it", async () => {
  const extended = await gateway.key({ scopes: ["customers:read:extended", "customers:write", "audit:read", "customers:erase"] });
  for (const [as, headers, requires] of [
    [extended, {}, "customers:read:sensitive"],
    [key, { "x-visibility": "extended" }, "X-Visibility"],
    [key, { "x-visibility": "standard" }, "X-Visibility"],
  ] as const) {
    const { status, body } = await gateway.query(as, EXPORT, { id }, headers);
    expect([status, body.errors![0]!.extensions]).toEqual([403, { code: "FORBIDDEN", requires }]);
    expect(JSON.stringify(body)).not.toContain("changed@");
  }
});

test("an export is of one moment, however fast the customer is written", async () => {
  const made = await create(person("restless"));
  const stop = new AbortController();
  const writing = (async () => {
    for (let number = 0; !stop.signal.aborted; number += 1) await update({ id: made.id, update: { state: `State ${number}` } });
  })();
  try {
    for (let number = 0; number < 15; number += 1) {
      const { PROFILE, HISTORY } = await exported(made.id);
      expect(HISTORY!.at(-1)!["version"]).toBe(PROFILE![0]!["version"]);
      expect(HISTORY!.length).toBe(PROFILE![0]!["version"]);
    }
  } finally {
    stop.abort();
    await writing;
  }
});

test("of who was erased there is no export; the tombstone is in the list, newest first, of its bank and mode alone", async () => {
  const people = [];
  for (const name of ["gone.one", "gone.two", "gone.three"]) people.push(await create(person(name)));
  for (const { id: one } of people) await erase({ id: one, reason: "REQUEST" });
  expect(dataOf((await gateway.query(key, EXPORT, { id: people[0].id })).body)).toBeNull();

  const LIST = `query ($first: Int, $after: String, $last: Int, $before: String) { erasedCustomers(first: $first, after: $after, last: $last, before: $before) {
    nodes { id phrase reason actor erasedAt } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }`;
  const list = async (variables: object = {}, as = key) => dataOf((await gateway.query(as, LIST, variables)).body);
  const { nodes } = await list();
  expect(nodes).toEqual(
    people.toReversed().map(({ id: one, phrase }) => ({ id: one, phrase, reason: "REQUEST", actor: keyId, erasedAt: TIME })),
  );
  const first = await list({ first: 2 });
  expect([first.nodes, first.pageInfo.hasNextPage]).toEqual([nodes.slice(0, 2), true]);
  expect((await list({ first: 2, after: first.pageInfo.endCursor })).nodes).toEqual(nodes.slice(2));
  expect((await list({ last: 1, before: first.pageInfo.endCursor })).nodes).toEqual(nodes.slice(0, 1));
  for (const as of [await gateway.key({ bank: "beta" }), await gateway.key({ mode: "LIVE" })]) {
    expect((await list({}, as)).nodes).toEqual([]);
    const { body } = await gateway.query(as, LIST, { after: first.pageInfo.endCursor });
    expect(body.errors![0]!.extensions.code).toBe("BAD_CURSOR");
  }
});
