import { type GraphQLArgument, type GraphQLInputType, isInputObjectType, isListType, isNonNullType } from "graphql";
import { expect, test } from "vitest";
import { schema } from "../../../src/graphql/schema.ts";
import { caller } from "../../support/customers.ts";
import { openGateway } from "../../support/gateway.ts";

const gateway = await openGateway();
const key = await gateway.key();

/** Texts that have broken something somewhere. */
const ODD: [name: string, text: string][] = [
  ["NUL", "a\0b"],
  ["a lone high surrogate", "a\ud83d"],
  ["a lone low surrogate", "\ude00b"],
  ["control signs", "\u0001\u0008\u001b[31m\u007f\u009f"],
  ["right-to-left text", "محمد بن عبد الله"],
  ["bidi controls", "\u202e\u2066gpj.exe\u2069\u202c"],
  ["homoglyphs", "Јоhn Ѕmith"],
  ["emoji", "👩‍👩‍👧‍👦🇳🇬"],
  ["four-byte signs", "𠮷𝒳\u{10ffff}"],
  ["a noncharacter", "\ufffe\uffff"],
  ["many combining marks", `Z${"\u0301\u0323".repeat(5000)}`],
  ["what grows when it is folded", "\ufdfa".repeat(200)],
  ["what grows when it is lowered", "İ".repeat(200)],
  ["an SQL text", "'; DROP TABLE customer; --"],
  ["a format text", "%s%n${7*7}{{7*7}}\\u0000\\x00"],
  ["__proto__", "__proto__"],
  ["constructor", "constructor"],
  ["an array that PostgreSQL might read", '{a,NULL,"b"}'],
  ["JSON", '{"a":[1,"\\u0000"]}'],
  ["nothing", ""],
  ["90 kB", "x".repeat(90_000)],
  ["90 kB of four-byte signs", "😀".repeat(22_000)],
];

/** Reads back every text that was written. */
const CUSTOMER = `{
  id accountName firstname lastname middlename email phone address state clientRef reference accountNumber displayPicture
  blacklist { note }
}`;
const ANSWER = `... on Customer ${CUSTOMER}`;
const BATCH_ANSWER = `... on BatchResult { failures { ... on BatchItemFailure { clientRef message } } customers { nodes ${CUSTOMER} } }`;

/** Each place of a mutation's input that takes text: a path of names and list places. */
function textPlaces(type: GraphQLInputType, path: (string | number)[] = []): (string | number)[][] {
  if (isNonNullType(type)) return textPlaces(type.ofType, path);
  if (isListType(type)) return textPlaces(type.ofType, [...path, 0]);
  if (isInputObjectType(type)) return Object.values(type.getFields()).flatMap((field) => textPlaces(field.type, [...path, field.name]));
  return ["String", "ID", "DateTime"].includes(type.name) ? [path] : [];
}

/** A valid input of each customer mutation, into which one odd text is put at a time. */
async function inputs(number: number) {
  const { create } = caller(gateway, key);
  const person = { firstname: "Odd", lastname: "Text", email: `odd.${number}@example.com`, country: "NG" };
  const { id } = await create({ ...person, email: `base.${number}@example.com` });
  const row = {
    ...person,
    email: `row.${number}@example.com`,
    clientRef: `odd-${number}`,
    accountName: "Odd",
    accountNumber: "1",
    reference: `odd-${number}`,
  };
  const consent = { source: "odd", at: "2025-01-01T00:00:00Z", textVersion: "1" };
  return {
    createCustomer: { ...person, consent },
    updateCustomer: { id, update: {} },
    setBlacklist: { id, blacklisted: true },
    createCustomersBatch: { customers: [row], consent },
  } as Record<string, object>;
}

function put(input: object, path: (string | number)[], value: unknown): object {
  const copy = structuredClone(input) as Record<string | number, any>;
  let at = copy;
  for (const step of path.slice(0, -1)) at = at[step] ??= {};
  at[path.at(-1)!] = value;
  return copy;
}

const mutations = ["createCustomer", "updateCustomer", "setBlacklist", "createCustomersBatch"].map(
  (name) => schema.getMutationType()!.getFields()[name]!,
);

test.each(ODD)("%s in any text input of any mutation is no fault", async (_name, odd) => {
  const valid = await inputs(ODD.findIndex(([, text]) => text === odd));
  let places = 0;
  for (const { name, args } of mutations) {
    const [input] = args as [GraphQLArgument];
    for (const path of textPlaces(input.type)) {
      places++;
      const { body, status } = await gateway.query(
        key,
        `mutation ($input: ${String(input.type)}) { ${name}(input: $input) { __typename ${name === "createCustomersBatch" ? BATCH_ANSWER : ANSWER} } }`,
        { input: put(valid[name]!, path, odd) },
      );
      const where = `${name} ${path.join(".")}`;
      expect(status, where).toBeLessThan(500);
      for (const error of body.errors ?? []) expect(error.extensions.code, where).toBe("BAD_USER_INPUT");
    }
  }
  expect(places).toBe(50);
});

test("10 MB are refused before they are read", async () => {
  for (const [scopes, limit] of [
    [["customers:write"], 100_000],
    [["customers:write", "batches:write"], 1_000_000],
  ] as const) {
    const bearer = await gateway.key({ scopes: [...scopes] });
    const { body, status } = await gateway.query(
      bearer,
      "mutation ($input: CreateCustomerInput!) { createCustomer(input: $input) { __typename } }",
      { input: { firstname: "x".repeat(10_000_000) } },
    );
    expect(status).toBe(413);
    expect(body.errors).toMatchObject([{ message: `The body is over ${limit} bytes.`, extensions: { code: "PAYLOAD_TOO_LARGE" } }]);
  }
});

test("a batch that fills the body is no fault", async () => {
  const bearer = await gateway.key({ bank: "wide" });
  const rows = Array.from({ length: 400 }, (_, index) => ({ clientRef: "😀".repeat(300) + index, email: "\0".repeat(200) }));
  const { batch } = caller(gateway, bearer);
  expect((await batch(rows)).summary).toMatchObject({ failed: 400, invalidData: 400 });
});

test("names that are written from right to left, or with emoji, are accepted as they are", async () => {
  const { create } = caller(gateway, key);
  for (const [number, firstname] of ["محمد", "שָׁלוֹם", "\u200fعلي\u200f", "😀", "𠮷野"].entries()) {
    expect(await create({ firstname, lastname: "بن علي", email: `rtl.${number}@example.com`, country: "AE" })).toMatchObject({
      firstname: firstname.normalize("NFC"),
      lastname: "بن علي",
      accountName: `${firstname.normalize("NFC")} بن علي`,
    });
  }
});

test("a look-alike of a taken address is no way to it", async () => {
  const { create, find } = caller(gateway, key);
  await create({ firstname: "J", lastname: "S", email: "john.smith@example.com", country: "NG" });
  expect(await create({ firstname: "J", lastname: "S", email: "jоhn.smith@example.com", country: "NG" })).toMatchObject({
    __typename: "InvalidCustomerData",
  });
  for (const email of [
    "jоhn.smith@example.com",
    "john.smith\u200b@example.com",
    "john.smith@example.com\0",
    "john.smith",
    "john.smith@ex\u00adample.com/x",
  ]) {
    expect(await find({ email })).toBeNull();
  }
});
