import { pino } from "pino";
import { describe, expect, test } from "vitest";
import type { Scope } from "../../../src/access/scopes.ts";
import { documentHash } from "../../../src/documents/register.ts";
import { CREATE_BANK_CUSTOMERS, STANDARD_REST_DOCUMENTS } from "../../../src/http/rest/rest-documents.ts";
import { ROUTES } from "../../../src/http/rest/routes.ts";
import { CANARIES, OTHER_FORMS, PERSONAL, plantCanaries } from "../../access/canary.customer.ts";
import { batchRow } from "../../support/customers.ts";
import { makeMerchant, merchantRow } from "../../support/merchants.ts";
import { isCounter, openGateway } from "../../support/gateway.ts";
import { rest, type RestAnswer } from "../../support/rest.ts";

const log: string[] = [];
const gateway = await openGateway({}, { log: pino({ level: "trace" }, { write: (line: string) => void log.push(line) }) });
const { id, key } = await plantCanaries(gateway);
const { db } = gateway.app.services;
const { phrase } = await db.customer.findFirstOrThrow({ where: { id } });

interface Thing {
  id: string;
  phrase: string;
  email: string;
  reference: string;
  merchantId: string;
  /** A provider's: who asks for merchants is no bank. */
  entityId: string;
}
type Request = [method: string, path: string, body?: unknown];
type Call = ReturnType<typeof rest>;

/** Of each route: requests that name a customer, by each way there is. */
const NAMING: Record<string, (thing: Thing) => Request[]> = {
  getBankCustomer: (thing) => [
    ["GET", `/v1/bank/customer?id=${thing.id}`],
    ["GET", `/v1/bank/customer?phrase=${thing.phrase}`],
    ["GET", `/v1/bank/customer?email=${thing.email}`],
  ],
  getBankCustomerById: (thing) => [["GET", `/v1/bank/customers/${thing.id}`]],
  listBankCustomers: (thing) => [
    ["GET", `/v1/bank/customers?ids=${thing.id}`],
    ["GET", `/v1/bank/customers?phrases[]=${thing.phrase}`],
  ],
  createBankCustomers: (thing) => [["POST", "/v1/bank/customers", { customers: [batchRow(7, { reference: thing.reference })] }]],
  updateBankCustomer: (thing) => [["PATCH", "/v1/bank/customer", { id: thing.id, update: { address: "Elsewhere" } }]],
  listCustomers: () => [["GET", "/v1/customers"]],
  getCustomer: (thing) => [thing.id, thing.email, thing.reference].map((by) => ["GET", `/v1/customers/${by}`]),
  exportCustomer: (thing) => [["GET", `/v1/customers/${thing.id}/export`]],
  createCustomer: (thing) => [["POST", "/v1/customers", { firstName: "A", lastName: "B", country: "NG", email: thing.email }]],
  updateCustomer: (thing) => [["PATCH", `/v1/customers/${thing.id}`, { firstName: "Other" }]],
  getCustomerBanks: (thing) => [["GET", `/v1/customer/banks?email=a%40example.com&entityId=${thing.entityId}`]],
  lookUpDevice: (thing) => [["POST", "/v1/customer/device/lookup", { deviceId: "a", entityId: thing.entityId }]],
  setBlacklist: (thing) => [["PATCH", `/v1/customers/${thing.id}/blacklist`, { blacklist: true }]],
  linkDevice: (thing) => [["POST", "/v1/bank/customer/device/link", { id: thing.id, deviceId: "device" }]],
  unlinkDevice: (thing) => [["POST", "/v1/bank/customer/device/unlink", { id: thing.id, deviceId: "device" }]],
  createMerchants: (thing) => [["POST", "/v1/provider/merchants", { merchants: [merchantRow(7, { reference: thing.reference })] }]],
  setTrustLevel: (thing) => [["PATCH", `/v1/provider/merchants/${thing.merchantId}/trust-level`, { trustLevel: "ENHANCED" }]],
  eraseCustomer: (thing) => [["DELETE", `/v1/customers/${thing.id}`]],
};
const merchantId = await makeMerchant(gateway, "alpha", "SANDBOX", "ENHANCED");
const kind = "PROVIDER";
const entityId = await makeMerchant(gateway, "provider", "SANDBOX", "ENHANCED");
const ASKED_BY_PROVIDERS = ["getCustomerBanks", "lookUpDevice"];
const present: Thing = { id, phrase, email: CANARIES.email, reference: CANARIES.reference, merchantId, entityId };
const absent: Thing = {
  id: crypto.randomUUID(),
  phrase: "no-such-phrase",
  email: "nobody@example.com",
  reference: "no-such-reference",
  merchantId: `mer_${crypto.randomUUID()}`,
  entityId: `mer_${crypto.randomUUID()}`,
};

const seen = ({ status, headers, text }: RestAnswer) => ({
  status,
  text,
  headers: [...headers].filter(([name]) => !isCounter(name)).sort(),
});
/** What these make is another thing each time. They come last: what they make is then there. */
const MAKES = ["createBankCustomers", "createCustomer", "createMerchants"];

test("every route has a case", () => expect(Object.keys(NAMING).sort()).toEqual(ROUTES.map(({ name }) => name).sort()));

describe.each(["bank", "mode"] as const)("from another %s", async (line) => {
  const elsewhere = await gateway.key(line === "bank" ? { bank: "beta" } : { mode: "LIVE" });
  const provider = await gateway.key(line === "bank" ? { bank: "another", kind } : { bank: "provider", kind, mode: "LIVE" });
  const [call, ask] = [elsewhere, provider].map((one) => rest(gateway, one, { "x-request-id": "same" })) as [Call, Call];

  test.each(Object.keys(NAMING).filter((name) => !MAKES.includes(name)))(
    "%s: a customer answers, byte for byte, like none",
    async (name) => {
      const send = ASKED_BY_PROVIDERS.includes(name) ? ask : call;
      for (const [index, request] of NAMING[name]!(present).entries()) {
        const foreign = seen(await send(...request));
        expect(foreign).toEqual(seen(await send(...NAMING[name]!(absent)[index]!)));
        expect(foreign.text).not.toContain(id);
      }
    },
  );

  // A refusal would tell that the keys are taken.
  test.each(MAKES)("%s: keys that are taken there are free here", async (name) => {
    const { status, body } = await call(...NAMING[name]!(present)[0]!);
    expect([status, body.data.summary?.failed ?? 0]).toEqual([201, 0]);
  });
});

describe("a key of STANDARD visibility", async () => {
  const everything: Scope[] = [
    "customers:read",
    "customers:write",
    "customers:blacklist",
    "batches:write",
    "devices:write",
    "merchants:write",
  ];
  const call = rest(gateway, await gateway.key({ scopes: everything }));
  const ask = rest(gateway, await gateway.key({ bank: "provider", kind, scopes: ["discovery:read", "devices:lookup"] }));
  const hidden = [...Object.values(CANARIES), ...OTHER_FORMS];

  // Erasing shows nothing, and leaves nothing for the others.
  test.each(Object.keys(NAMING).filter((name) => name !== "eraseCustomer"))("%s shows and reads no value above it", async (name) => {
    for (const request of NAMING[name]!(present)) {
      gateway.statements.length = 0;
      const answer = await (ASKED_BY_PROVIDERS.includes(name) ? ask : call)(...request);
      const told = answer.text + JSON.stringify([...answer.headers]);
      for (const canary of hidden) expect(told, `${name}: ${canary}`).not.toContain(canary);
      // An export is whole or none.
      expect(name === "exportCustomer" ? [403] : [200, 201, 409]).toContain(answer.status);
      if (request[0] === "GET") for (const column of ["firstname", "email", "phone"]) expect(selected()).not.toContain(`"${column}"`);
    }
  });

  /** The columns that the last request's statements select; a condition may name the caller's own value. */
  const selected = () => gateway.statements.map((sql) => sql.split(" FROM ")[0]).join("\n");

  test("is given null, and told why beside the data", async () => {
    const { body } = await call("GET", `/v1/customers/${id}`);
    expect(body.data).toEqual({
      id,
      firstName: null,
      lastName: null,
      email: null,
      phone: null,
      dialCode: null,
      blacklist: null,
      createdAt: null,
      updatedAt: null,
    });
    const withheld = ["firstName", "lastName", "email", "phone", "dialCode", "blacklist", "createdAt", "updatedAt"];
    expect(body.visibility).toEqual(withheld.map((field) => ({ field, requires: "customers:read:extended" })));
    const list = await call("GET", "/v1/customers");
    expect(list.body.visibility).toEqual(body.visibility);
    const updated = await call("PATCH", "/v1/bank/customer", { id, update: { state: null } });
    expect(updated.body).toMatchObject({ data: { id, email: null, phone: null }, visibility: [{ field: "email" }, { field: "phone" }] });
  });

  test("cannot sort by a field above it", async () => {
    const { status, body } = await call("GET", "/v1/bank/customers?sortBy=-createdAt");
    expect([status, body]).toEqual([
      403,
      { statusCode: 403, success: false, message: "Customer.createdAt cannot be used here: it needs customers:read:extended." },
    ]);
  });
});

test("X-Visibility lowers, and what is odd is refused", async () => {
  const call = rest(gateway, key);
  const lowered = await call("GET", `/v1/customers/${id}`, undefined, { "x-visibility": "standard" });
  expect(lowered.body.data.email).toBeNull();
  expect(lowered.body.visibility[0]).toEqual({ field: "firstName", requires: "X-Visibility" });
  const whole = await call("GET", `/v1/customers/${id}`);
  expect(whole.body.data.email).toBe(CANARIES.email);
  expect(whole.body).not.toHaveProperty("visibility");
  const odd = await call("GET", `/v1/customers/${id}`, undefined, { "x-visibility": "all" });
  expect([odd.status, odd.body]).toEqual([
    400,
    {
      statusCode: 400,
      success: false,
      message: "Invalid customer data",
      errors: [{ field: null, message: "X-Visibility is standard or extended." }],
    },
  ]);
});

test("without the scope that a route needs it is 403, and nothing is read", async () => {
  const call = rest(gateway, await gateway.key({ scopes: ["audit:read"] }));
  for (const [name, requests] of Object.entries(NAMING)) {
    gateway.statements.length = 0;
    const { status, body } = await call(...requests(present)[0]!);
    expect([status, body], name).toEqual([403, { statusCode: 403, success: false, message: expect.stringMatching(/^This needs /) }]);
    expect(gateway.statements.join("\n")).not.toContain('"customer"');
  }
});

describe("a client that runs registered documents only", async () => {
  const scopes: Scope[] = ["customers:read", "batches:write"];
  const partner = await gateway.key({ audience: "PARTNER", scopes, client: "partner" });
  const rival = await gateway.key({ audience: "PARTNER", scopes, client: "rival" });
  const app = await gateway.key({ audience: "APP", scopes: ["customers:read"], client: "app" });
  const registered = [...STANDARD_REST_DOCUMENTS, CREATE_BANK_CUSTOMERS].map((text) => ({ hash: documentHash(text), text }));
  const published = await gateway.query(
    key,
    `mutation ($documents: [PublishedDocumentInput!]!) {
      publishDocuments(input: { client: "partner", documents: $documents }) { __typename ... on DocumentsPublished { added } }
    }`,
    { documents: registered },
  );

  test("publishes them as any other", () => {
    expect(published.body.data.publishDocuments).toEqual({ __typename: "DocumentsPublished", added: 3 });
  });

  await gateway.query(key, `mutation { updateClient(input: { client: "app", access: TRUSTED }) { __typename } }`);

  const refused = { statusCode: 403, success: false, message: "This route's document is not registered for this client." };

  test("calls the routes whose documents are registered for it, and no other", async () => {
    const call = rest(gateway, partner);
    for (const [name, requests] of Object.entries(NAMING)) {
      const route = ROUTES.find((one) => one.name === name)!;
      const { status, body } = await call(...requests(present)[0]!);
      if (registered.some(({ hash }) => hash === route.hash)) expect([name, status]).toEqual([name, route.status]);
      else expect([name, status, body]).toEqual([name, 403, refused]);
    }
  });

  test.each([
    ["another client's documents", rival],
    ["an APP of a trusted client", app],
  ])("%s: none", async (_who, bearer) => {
    const { status, body } = await rest(gateway, bearer)("GET", `/v1/bank/customers/${id}`);
    expect([status, body]).toEqual([403, refused]);
  });

  test("is told that its document is deprecated, and refused when it is retired", async () => {
    const call = rest(gateway, partner);
    const change = (mutation: string) =>
      gateway.query(key, `mutation { ${mutation}(input: { client: "partner", hash: "${registered[1]!.hash}" }) { __typename } }`);
    await change("deprecateDocument");
    await expect
      .poll(async () => (await call("GET", "/v1/bank/customers")).headers.get("deprecation"), { timeout: 20_000 })
      .toMatch(/^@\d+$/);
    await change("retireDocument");
    await expect.poll(async () => (await call("GET", "/v1/bank/customers")).status, { timeout: 20_000 }).toBe(403);
  });
});

test("nothing of a customer, of a path or of a query string is in the log", () => {
  expect(log.length).toBeGreaterThan(50);
  for (const canary of [...PERSONAL, ...OTHER_FORMS, phrase]) expect(log.filter((line) => line.includes(canary))).toEqual([]);
  // A route is told as it is described.
  const told = new Set(log.flatMap((line) => line.match(/\/v1\/[^"]*/g) ?? []));
  const described = ROUTES.map(({ path }) => path);
  expect([...told].filter((path) => !described.includes(path))).toEqual([]);
});
