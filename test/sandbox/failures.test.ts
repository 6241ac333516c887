import {
  getNamedType,
  type GraphQLField,
  type GraphQLInputType,
  type GraphQLObjectType,
  type GraphQLUnionType,
  isEnumType,
  isInputObjectType,
  isListType,
  isNonNullType,
} from "graphql";
import { describe, expect, test } from "vitest";
import { schema } from "../../src/graphql/schema.ts";
import { FAILURE_CODES, type FailureCode, type GatewayFailure } from "../../src/graphql/failure.ts";
import { MAGIC_CODES, magicEmail, magicId } from "../../src/sandbox/magic.ts";
import { batchRow, caller, person } from "../support/customers.ts";
import { openGateway } from "../support/gateway.ts";
import { audited } from "../modules/audit/support.ts";

const gateway = await openGateway();
const { db } = gateway.app.services;
const key = await gateway.key();
const live = await gateway.key({ mode: "LIVE" });
const sandbox = caller(gateway, key);
const inLive = caller(gateway, live);

/** An input of the type whose every text is the value, and that says nothing else but what is required. */
function inputOf(type: GraphQLInputType, value: string): unknown {
  if (isNonNullType(type)) return inputOf(type.ofType, value);
  if (isListType(type)) return [inputOf(type.ofType, value)];
  if (isEnumType(type)) return type.getValues()[0]!.name;
  if (!isInputObjectType(type)) return { Boolean: true, Int: 1 }[type.name] ?? value;
  const told = Object.values(type.getFields()).filter(({ type: of }) => isNonNullType(of) || /^(String|ID)$/.test(String(of)));
  return Object.fromEntries(told.map((field) => [field.name, inputOf(field.type, value)]));
}

const codeOf = ({ name }: GraphQLObjectType) => name.replace(/(?<!^)[A-Z]/g, (capital) => `_${capital}`).toUpperCase() as FailureCode;

/** Every mutation with each failure that it can answer. */
const PAIRS = Object.values(schema.getMutationType()!.getFields()).flatMap((field) =>
  (getNamedType(field.type) as GraphQLUnionType)
    .getTypes()
    .filter((type) => type.getInterfaces().some(({ name }) => name === "Error"))
    .map((type): [string, FailureCode, GraphQLField<unknown, unknown>] => [field.name, codeOf(type), field]),
);

/** What a mutation answers to an input that is made of one value. */
function call(by: string, { name, args: [input] }: GraphQLField<unknown, unknown>, value: string) {
  const document = `mutation ($input: ${String(input!.type)}) { ${name}(input: $input) { __typename ... on Error { code message } } }`;
  return audited(gateway, by, document, { input: inputOf(input!.type, value) });
}

describe("every mutation answers each of its failures when it is asked to", () => {
  test.each(PAIRS)("%s, %s", async (name, code, field) => {
    for (const value of [magicEmail(code), magicId(code)!]) {
      const { body, entries } = await call(key, field, value);
      const typename = FAILURE_CODES[code].split(":")[0];
      expect(body.data).toEqual({ [name]: { __typename: typename, code, message: expect.stringMatching(/^[A-Z]/) } });
      const writes = entries.filter(({ action }) => action === "WRITE");
      expect(writes).toEqual([{ action: "WRITE", operation: name, outcome: code, customers: 0, count: 1, fields: [] }]);
    }
  });

  test("and nothing was written", async () => {
    const tables = [db.customer, db.batch, db.idempotencyKey, db.webhookEndpoint] as unknown as (typeof db.customer)[];
    const counts = await Promise.all(tables.map((table) => table.count({ where: { bankId: "alpha" } })));
    expect(counts).toEqual(tables.map(() => 0));
  });

  test("no code is left out, and each error type says what it looks like", () => {
    expect(new Set(PAIRS.map(([, code]) => code))).toEqual(new Set(Object.keys(FAILURE_CODES)));
    for (const type of schema.getPossibleTypes(schema.getType("Error") as never)) {
      expect((type.extensions["example"] as () => GatewayFailure)().code).toBe(codeOf(type));
    }
  });
});

describe("it looks like the real thing", () => {
  const nobody = crypto.randomUUID();
  test.each<[FailureCode, keyof typeof sandbox, () => Promise<unknown>, (email: string, id: string) => object | unknown[]]>([
    ["CUSTOMER_NOT_FOUND", "erase", () => sandbox.erase({ id: nobody }), (_, id) => ({ id })],
    ["CUSTOMER_NOT_FOUND", "update", () => sandbox.update({ id: nobody, update: {} }), (email) => ({ id: nobody, update: { email } })],
    ["INVALID_BATCH", "batch", () => sandbox.batch([]), (email) => [batchRow(1, { email })]],
    [
      "CUSTOMER_ALREADY_EXISTS",
      "create",
      () => Promise.all([sandbox.create(person("twin")), sandbox.create(person("twin"))]).then((both) => both.find(({ code }) => code)),
      (email) => person("magic", { email }),
    ],
    [
      "IDEMPOTENCY_CONFLICT",
      "create",
      async () => {
        await sandbox.create(person("keyed", { idempotencyKey: "once" }));
        return sandbox.create(person("other", { idempotencyKey: "once" }));
      },
      (email) => person("magic", { email }),
    ],
  ])("%s of %s, in every field", async (code, mutation, real, input) => {
    const magic = await sandbox[mutation](input(magicEmail(code), magicId(code)!) as never);
    expect(magic).toEqual(await real());
    expect(magic).toMatchObject({ code });
  });

  test("a conflict of versions shows one, and invalid data an issue", async () => {
    const conflict = await sandbox.blacklist({ id: magicId("VERSION_CONFLICT"), blacklisted: true, expectedVersion: 1 });
    expect(conflict).toMatchObject({ code: "VERSION_CONFLICT", currentVersion: 2 });
    const { issues } = await sandbox.create(person("magic", { email: magicEmail("INVALID_CUSTOMER_DATA") }));
    expect(issues).toEqual([{ field: null, message: expect.any(String) }]);
  });

  test("an idempotency key that met one is free", async () => {
    const input = person("free", { idempotencyKey: "free" });
    expect(await sandbox.create({ ...input, email: magicEmail("CUSTOMER_ALREADY_EXISTS") })).toMatchObject({ matchedOn: "EMAIL" });
    expect(await sandbox.create(input)).toMatchObject({ __typename: "Customer", version: 1 });
  });
});

describe("a value is known", () => {
  test.each([" Customer-Not-Found@SANDBOX.test ", "customer-not-found+7@sandbox.test", magicId("CUSTOMER_NOT_FOUND")!.toUpperCase()])(
    "as %j",
    async (value) => expect(await sandbox.update({ id: value, update: { state: "Lagos" } })).toMatchObject({ code: "CUSTOMER_NOT_FOUND" }),
  );

  test.each(["customer-not-found@sandbox.example", "x.customer-not-found@sandbox.test", "a@b@sandbox.test", "constructor@sandbox.test"])(
    "not as %j",
    async (email) => expect(await sandbox.create(person("plain", { email }))).not.toMatchObject({ code: "CUSTOMER_NOT_FOUND" }),
  );

  test("also where it stands in the document itself; and a mutation that cannot answer it passes it by", async () => {
    const literal = `mutation { eraseCustomer(input: { id: "${magicId("VERSION_CONFLICT")}" }) { __typename } }`;
    expect((await gateway.query(key, literal)).body.data).toEqual({ eraseCustomer: { __typename: "CustomerNotFound" } });
    const other = `mutation { setBlacklist(input: { id: "${magicId("VERSION_CONFLICT")}", blacklisted: true }) { __typename } }`;
    expect((await gateway.query(key, other)).body.data).toEqual({ setBlacklist: { __typename: "VersionConflict" } });
  });
});

describe("in live it means nothing", () => {
  test.each(PAIRS)("%s, %s: the same answer as to any other value", async (_name, code, field) => {
    const ask = async (value: string) => {
      const { status, body, entries } = await call(live, field, value);
      return { status, data: body.data, errors: body.errors, entries };
    };
    expect(await ask(magicEmail(code))).toEqual(await ask("anybody@example.com"));
    expect(await ask(magicId(code)!)).toEqual(await ask(crypto.randomUUID()));
  });

  test("every address can be a customer's, one by one and in a batch", async () => {
    for (const code of MAGIC_CODES) {
      const email = magicEmail(code);
      expect(await inLive.create(person(code.toLowerCase(), { email }))).toMatchObject({ __typename: "Customer", email });
    }
    const rows = MAGIC_CODES.map((code, index) => batchRow(index, { email: magicEmail(code).replace("@", "+row@") }));
    expect(await inLive.batch(rows)).toMatchObject({
      status: "COMPLETED",
      summary: { total: rows.length, successful: rows.length, failed: 0 },
    });
    for (const code of MAGIC_CODES) expect(await inLive.find({ email: magicEmail(code) })).toMatchObject({ email: magicEmail(code) });
  });
});
