import { readFileSync } from "node:fs";
import { Validator } from "@seriousme/openapi-schema-validator";
import { Ajv2020 } from "ajv/dist/2020.js";
import formats from "ajv-formats";
import { describe, expect, test } from "vitest";
import { printDocuments } from "../../../src/http/rest/print-documents.ts";
import { ROUTES } from "../../../src/http/rest/routes.ts";
import { openGateway } from "../../support/gateway.ts";
import { rest, type RestAnswer } from "../../support/rest.ts";
import { merchantRow } from "../../support/merchants.ts";
import { batchRow } from "../../support/customers.ts";
import { letFind, makeMerchant } from "../../support/merchants.ts";

const gateway = await openGateway();
const key = await gateway.key();
const call = rest(gateway, key);
/** Who asks for merchants is no bank. */
const ask = rest(gateway, await gateway.key({ bank: "provider", kind: "PROVIDER" }));
const callerOf = (route: string) => (["getCustomerBanks", "lookUpDevice"].includes(route) ? ask : call);
const openapi = (await rest(gateway, null)("GET", "/openapi.json")).body;

/** Of each route: a request that does as asked, and one that is refused by its rules. */
const samples: Record<string, { good: Request; bad: Request }> = {};
type Request = [method: string, path: string, body?: unknown];

const { body: batch } = await call("POST", "/v1/bank/customers", {
  customers: [batchRow(1, { phone: "+2348031234567", gender: "other" }), batchRow(5), batchRow(6)],
});
const [id, second, third] = batch.data.data.customerIds as [string, string, string];
const shops = await call("POST", "/v1/provider/merchants", { merchants: [merchantRow(9)] });
const [merchantId] = shops.body.data.data.merchantIds as [string];
const rows = [
  batchRow(2),
  batchRow(1),
  batchRow(3, { email: "none" }),
  batchRow(4, { firstname: "" }),
  batchRow(2, { email: "second@example.com" }),
];
const entityId = await makeMerchant(gateway, "provider", "SANDBOX", "ENHANCED");
await letFind(gateway, "beta", "SANDBOX", [{ email: "found@example.com", deviceIds: ["device"] }]);
const person = { firstName: "Ama", lastName: "Example", email: "ama@example.com", phone: "0200000001", dialCode: "+233" };
Object.assign(samples, {
  getBankCustomer: { good: ["GET", `/v1/bank/customer?id=${id}`], bad: ["GET", "/v1/bank/customer"] },
  getBankCustomerById: { good: ["GET", `/v1/bank/customers/${id}`], bad: ["GET", `/v1/bank/customers/${id}?id=1`] },
  listBankCustomers: { good: ["GET", "/v1/bank/customers?sortBy=accountName"], bad: ["GET", "/v1/bank/customers?limit=0"] },
  createBankCustomers: {
    good: ["POST", "/v1/bank/customers", { customers: rows }],
    bad: ["POST", "/v1/bank/customers", { customers: [] }],
  },
  updateBankCustomer: {
    good: ["PATCH", "/v1/bank/customer", { id, update: { gender: "female" } }],
    bad: ["PATCH", "/v1/bank/customer", { id, update: { gender: "x" } }],
  },
  getCustomerBanks: {
    good: ["GET", `/v1/customer/banks?email=found%40example.com&entityId=${entityId}`],
    bad: ["GET", `/v1/customer/banks?entityId=${entityId}`],
  },
  lookUpDevice: {
    good: ["POST", "/v1/customer/device/lookup", { deviceId: "device", entityId }],
    bad: ["POST", "/v1/customer/device/lookup", { entityId }],
  },
  listCustomers: { good: ["GET", "/v1/customers?take=2"], bad: ["GET", "/v1/customers?take=x"] },
  getCustomer: { good: ["GET", `/v1/customers/${id}`], bad: ["GET", "/v1/customers/%ff"] },
  exportCustomer: { good: ["GET", `/v1/customers/${id}/export`], bad: ["GET", `/v1/customers/${id}/export?id=1`] },
  createCustomer: { good: ["POST", "/v1/customers", person], bad: ["POST", "/v1/customers", { firstName: 5 }] },
  updateCustomer: {
    good: ["PATCH", `/v1/customers/${id}`, { phone: null }],
    bad: ["PATCH", `/v1/customers/${id}`, { email: "none", lastName: " " }],
  },
  linkDevice: {
    good: ["POST", "/v1/bank/customer/device/link", { id, deviceId: "device" }],
    bad: ["POST", "/v1/bank/customer/device/link", { id, deviceId: " " }],
  },
  unlinkDevice: {
    good: ["POST", "/v1/bank/customer/device/unlink", { id, deviceId: "device" }],
    bad: ["POST", "/v1/bank/customer/device/unlink", { id }],
  },
  eraseCustomer: {
    good: ["DELETE", `/v1/customers/${second}?reason=request`],
    bad: ["DELETE", `/v1/customers/${second}?reason=whim`],
  },
  createMerchants: {
    good: ["POST", "/v1/provider/merchants", { merchants: [merchantRow(1), merchantRow(1), merchantRow(2, { email: "none" }), {}] }],
    bad: ["POST", "/v1/provider/merchants", { merchants: [] }],
  },
  setTrustLevel: {
    good: ["PATCH", `/v1/provider/merchants/${merchantId}/trust-level`, { trustLevel: "ENHANCED" }],
    bad: ["PATCH", `/v1/provider/merchants/${merchantId}/trust-level`, { trustLevel: "highest" }],
  },
  setBlacklist: {
    good: ["PATCH", `/v1/customers/${id}/blacklist`, { blacklist: true }],
    bad: ["PATCH", `/v1/customers/${id}/blacklist`, {}],
  },
} satisfies typeof samples);

/** The description, but that no member may be there that it does not name. */
const strict = JSON.parse(JSON.stringify(openapi), (_name, value) =>
  value?.type === "object" && value.properties ? { ...value, additionalProperties: false } : value,
);
const ajv = new Ajv2020({ strict: true, strictTypes: false, strictRequired: false, allErrors: true });
(formats as unknown as (to: Ajv2020) => void)(ajv);
for (const word of Object.keys(strict)) ajv.addVocabulary([word]);
ajv.addSchema({ $id: "https://gateway.test/openapi.json", ...strict });

/** What a schema of the description finds wrong with a value, by the pointer to the schema. */
function faults(pointer: string, value: unknown): unknown {
  const validate = ajv.getSchema(`https://gateway.test/openapi.json#${pointer}`);
  if (!validate) throw new Error(`no schema at ${pointer}`);
  return validate(value) ? [] : validate.errors;
}

const escaped = (path: string) => encodeURIComponent(path.replaceAll("~", "~0").replaceAll("/", "~1"));
const pointerOf = ({ path, method }: { path: string; method: string }) => `/paths/${escaped(path)}/${method.toLowerCase()}`;
const schemaOf = "/content/application~1json/schema";

test("an independent validator takes the description for OpenAPI 3.1", async () => {
  const { valid, errors } = await new Validator().validate(openapi);
  expect(errors).toBeUndefined();
  expect(valid).toBe(true);
  expect(openapi.openapi).toMatch(/^3\.1\./);
  const broken = structuredClone(openapi);
  delete broken.paths["/v1/customers"].get.responses;
  broken.paths["/v1/customers"].get.parameters[0].in = "nowhere";
  expect((await new Validator().validate(broken)).valid).toBe(false);
});

test("it describes every route, and nothing that is not served", () => {
  const described = Object.entries<object>(openapi.paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
  );
  expect(described.sort()).toEqual(ROUTES.map(({ method, path }) => `${method} ${path}`).sort());
  expect(Object.keys(samples).sort()).toEqual(ROUTES.map(({ name }) => name).sort());
});

describe.each(ROUTES)("$name", (route) => {
  const { good, bad } = samples[route.name]!;
  const answerOf = (answer: RestAnswer) => ({ status: answer.status, type: answer.headers.get("content-type") });

  test("its answer is as described, and so is its request", async () => {
    const answer = await callerOf(route.name)(...good);
    expect(answerOf(answer)).toEqual({ status: route.status, type: "application/json" });
    expect(faults(`${pointerOf(route)}/responses/${route.status}${schemaOf}`, answer.body)).toEqual([]);
    if (good[2] !== undefined) expect(faults(`${pointerOf(route)}/requestBody${schemaOf}`, good[2])).toEqual([]);
  });

  test("what a key sees less of is as described", async () => {
    // The first test has registered the other one, and erased the one.
    const path = route.name === "eraseCustomer" ? good[1].replace(second, third) : good[1];
    const body = route.name === "createCustomer" ? { ...person, email: "esi@example.com" } : good[2];
    const answer = await callerOf(route.name)(good[0], path, body, { "x-visibility": "standard" });
    // Whole or none.
    if (route.name === "exportCustomer") return expect(answer.status).toBe(403);
    expect(answer.status).toBe(route.status);
    expect(faults(`${pointerOf(route)}/responses/${route.status}${schemaOf}`, answer.body)).toEqual([]);
  });

  test("its refusals are as described", async () => {
    const refused = [
      await callerOf(route.name)(...bad),
      await rest(gateway, null)(...good),
      await rest(gateway, await gateway.key({ scopes: ["audit:read"] }))(...good),
    ];
    expect(refused.map(({ status }) => status)).toEqual([400, 401, 403]);
    for (const { status, body } of refused) {
      const { $ref } = openapi.paths[route.path][route.method.toLowerCase()].responses[status];
      expect(faults(`${$ref.slice(1)}${schemaOf}`, body)).toEqual([]);
      expect(body).toMatchObject({ statusCode: status, success: false });
    }
  });
});

test("requests that are refused for their form are none by the description", () => {
  const body = (name: string) => `${pointerOf(ROUTES.find((route) => route.name === name)!)}/requestBody${schemaOf}`;
  for (const [name, value] of [
    ["createBankCustomers", {}],
    ["createBankCustomers", { customers: [], extra: 1 }],
    ["createBankCustomers", { customers: [{ nickname: "x" }] }],
    ["createCustomer", { firstName: 5 }],
    ["updateBankCustomer", { id: "1" }],
    ["updateBankCustomer", { id: "1", update: { gender: "MALE" } }],
    ["setBlacklist", { blacklist: null }],
  ] as const) {
    expect(faults(body(name), value), `${name} ${JSON.stringify(value)}`).not.toEqual([]);
  }
});

test("it is served to anybody, by its ETag, and takes GET and HEAD alone", async () => {
  const send = rest(gateway, null);
  const first = await send("GET", "/openapi.json");
  expect([first.status, first.headers.get("cache-control")]).toEqual([200, "public, max-age=300"]);
  const etag = first.headers.get("etag")!;
  const again = await send("GET", "/openapi.json", undefined, { "if-none-match": etag });
  expect([again.status, again.text]).toEqual([304, ""]);
  const head = await send("HEAD", "/openapi.json");
  expect([head.status, head.text, head.headers.get("etag")]).toEqual([200, "", etag]);
  const post = await send("POST", "/openapi.json", {});
  expect([post.status, post.headers.get("allow"), post.body.success]).toEqual([405, "GET, HEAD", false]);
});

test("docs/rest-documents.json is the routes' documents: npm run generate", () => {
  expect(readFileSync("docs/rest-documents.json", "utf8")).toBe(printDocuments());
});
