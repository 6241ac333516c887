import { getIntrospectionQuery } from "graphql";
import { describe, expect, test } from "vitest";
import { openGateway } from "../support/gateway.ts";

const gateway = await openGateway();
const key = await gateway.key();
const ask = (text: string) => gateway.query(key, text);

const times = (count: number, part: (number: number) => string) => Array.from({ length: count }, (_, number) => part(number)).join(" ");
const nested = (levels: number) => `{ __type(name: "Query") { ${"ofType { ".repeat(levels - 2)} name ${"} ".repeat(levels - 2)} } }`;
/** Fragments that spread the next one twice: 2 to the power of `levels` fields. */
const doubling = (levels: number) =>
  `{ ...F0 } ${times(levels, (level) => `fragment F${level} on Query { viewer { mode } ...F${level + 1} ...F${level + 1} }`)}
   fragment F${levels} on Query { viewer { mode } }`;

/** 100 aliases of 20 fields each. */
const TYPES = times(100, (number) => `t${number}: __type(name: "Query") { ${"kind ".repeat(19)} }`);

/** 499 inline fragments, no more than 249 of them side by side. */
const FRAGMENTS = `${times(2, () => `... { ${"... { __typename } ".repeat(248)} }`)} ... { __typename }`;

/** What is just small enough, and what is one too much of; with what is said of it. */
const SIZES: [string, string, string, string][] = [
  ["depth", nested(20), nested(21), "The document nests 21 levels deep; at most 20 are allowed."],
  ["length", "{ __typename }".padEnd(250_000), "{ __typename }".padEnd(250_001), "The document has 250001 characters; at most 250000"],
  ["width", `{ ${"__typename ".repeat(250)} }`, `{ ${"__typename ".repeat(251)} }`, "251 fields and fragments side by side; at most 250"],
  ["fields", `{ ${TYPES} }`, `{ ${TYPES} __typename }`, "2001 fields"],
  ["aliases", `{ ${times(100, (n) => `a${n}: __typename`)} }`, `{ ${times(101, (n) => `a${n}: __typename`)} }`, "101 aliases"],
  [
    "directives",
    `{ __typename ${"__typename @skip(if: true) ".repeat(200)} }`,
    `{ __typename ${"__typename @skip(if: true) ".repeat(201)} }`,
    "201 directives",
  ],
  [
    "directives in a row",
    "{ __typename viewer @skip(if: true) @include(if: true) { mode } }",
    `{ __typename ${"@skip(if: true) ".repeat(5)} }`,
    "5 directives in a row; at most 4",
  ],
  ["fragments", `{ ${FRAGMENTS} ... { __typename } }`, `{ ${FRAGMENTS} ... { __typename } ... { __typename } }`, "501 fragments"],
  [
    "fragments that are spread again and again",
    doubling(7),
    doubling(10),
    "4094 fields, those of its fragments counted wherever they are spread; at most 2000 are allowed.",
  ],
  ["what would not fit any number", doubling(3), doubling(200), "more than can be counted"],
];

describe("a document's size", () => {
  test.each(SIZES)("%s", async (_name, fits, tooMuch, said) => {
    expect(await ask(fits)).toMatchObject({ status: 200, body: { data: expect.anything() } });
    const { status, body } = await ask(tooMuch);
    expect([status, body.data, body.errors!.map(({ extensions }) => extensions)]).toEqual([
      400,
      undefined,
      [{ code: "COST_LIMIT_EXCEEDED" }],
    ]);
    expect(body.errors![0]!.message).toContain(said);
  });

  test("in words and signs is the parser's limit", async () => {
    const { status, body } = await ask(`{ viewer { mode } } # ${"a ".repeat(30_000)}\n`);
    expect([status, body.data]).toEqual([200, { viewer: { mode: "SANDBOX" } }]);
    const long = await ask(`{ customers(filter: { ids: [${"1 ".repeat(20_000)}] }) { totalCount } }`);
    expect(long.body.errors![0]!.extensions.code).toBe("GRAPHQL_PARSE_FAILED");
  });

  test("that has no end, because fragments spread themselves, is for validation to refuse", async () => {
    const { body } = await ask("{ ...A } fragment A on Query { viewer { mode } ...B } fragment B on Query { ...A }");
    expect(body.errors![0]!.extensions.code).toBe("GRAPHQL_VALIDATION_FAILED");
  });

  test("of what nobody spreads counts too, since it is validated", async () => {
    const { body } = await ask(`{ viewer { mode } } fragment Unused on Viewer { ${"mode ".repeat(2001)} }`);
    expect(body.errors![0]!.extensions.code).toBe("COST_LIMIT_EXCEEDED");
  });

  test("of GraphiQL's question for the schema is within all limits", async () => {
    const everything = {
      descriptions: true,
      specifiedByUrl: true,
      directiveIsRepeatable: true,
      schemaDescription: true,
      inputValueDeprecation: true,
      oneOf: true,
    };
    const { status, body } = await ask(getIntrospectionQuery(everything));
    expect([status, body.data.__schema.types.length > 50]).toEqual([200, true]);
  });

  test("to explain a document that is too large is refused as well", async () => {
    const { body } = await gateway.query(key, "query ($document: String!) { explainAccess(document: $document) { valid issues } }", {
      document: doubling(60),
    });
    expect(body.data.explainAccess).toEqual({ valid: false, issues: [expect.stringContaining("more than can be counted fields")] });
  });
});
