import fc from "fast-check";
import { getIntrospectionQuery, getVariableValues, parse, validate } from "graphql";
import { describe, expect, test } from "vitest";
import { schema } from "../../src/graphql/schema.ts";
import { costOf, largestCostOf, measureCost } from "../../src/limits/cost.ts";
import { onlyOperation } from "../../src/graphql/operation.ts";
import { randomOperation } from "./random-operation.ts";

/** Reads a valid document and its variables. */
function read(text: string, given: Record<string, unknown> = {}) {
  const document = parse(text);
  expect(validate(schema, document)).toEqual([]);
  const operation = onlyOperation(document)!;
  const { coerced, errors } = getVariableValues(schema, operation.operation.variableDefinitions ?? [], given);
  expect(errors).toBeUndefined();
  return { operation, variables: coerced! };
}

const cost = (text: string, given?: Record<string, unknown>) => {
  const { operation, variables } = read(text, given);
  return costOf(schema, operation, variables);
};
const largest = (text: string) => largestCostOf(schema, onlyOperation(parse(text))!);

const BATCH = "mutation ($rows: [BatchCustomerInput]!) { createCustomersBatch(input: { customers: $rows }) { __typename } }";
const EXAMPLES: [string, number, number, Record<string, unknown>?][] = [
  ["{ viewer { mode } }", 1, 1],
  ['{ customer(by: { id: "x" }) { email } }', 1, 1],
  ['{ customer(by: { email: "a@example.com" }) { id } }', 20, 20],
  ['{ customerBanks(email: "a") { bankId phrase } b: deviceLookup(deviceId: "a") { bankId } }', 40, 40],
  ['{ a: customer(by: { email: "a" }) { id } b: customer(by: { email: "a" }) { id } }', 40, 40],
  ["query ($by: CustomerBy!) { customer(by: $by) { id } }", 1, 20, { by: { phrase: "a-b" } }],
  // A page's own object is a tenth of a point; what remains is rounded up.
  ["{ customers { nodes { id } } }", 21, 21],
  ["{ customers(last: 50) { nodes { id } } }", 51, 51],
  ["query ($n: Int) { customers(first: $n) { nodes { id } } }", 6, 101, { n: 5 }],
  ["query ($n: Int) { customers(first: $n) { nodes { id } } }", 21, 101, {}],
  ["{ customers(first: 100) { edges { node { id } } } }", 111, 111],
  ["{ customers(first: 100) { pageInfo { endCursor } } }", 11, 11],
  ["{ customers(first: 0) { totalCount } }", 11, 11],
  ["{ customers(first: 10) { nodes { history(first: 100) { nodes { version } } } } }", 1012, 1012],
  ["query ($no: Boolean!) { customers { nodes @skip(if: $no) { id } } }", 1, 21, { no: true }],
  [BATCH, 1, 51, { rows: [] }],
  [BATCH, 51, 51, { rows: Array.from({ length: 500 }, () => ({ clientRef: "c" })) }],
  ["mutation { createCustomersBatch(input: { customers: [null] }) { ... on BatchResult { failures { __typename } } } }", 7, 7],
  ['subscription { batchProgress(id: "x") { status } }', 1, 1],
];

test.each(EXAMPLES)("%s costs %d points, and at most %d", (text, points, most, given) => {
  expect([cost(text, given), largest(text)]).toEqual([points, most]);
});

describe("of random operations", () => {
  test("the largest cost is not exceeded by any variables, and stopping early tells right what is over", () => {
    let exceeds = 0;
    fc.assert(
      fc.property(fc.array(fc.nat(), { minLength: 50, maxLength: 400 }), fc.nat({ max: 300 }), (numbers, stopAt) => {
        let turn = 0;
        const { text, variables: given } = randomOperation((below) => numbers[(turn += 1) % numbers.length]! % below);
        const { operation, variables } = read(text, given);
        const points = costOf(schema, operation, variables);
        expect(Number.isInteger(points) && points >= 1).toBe(true);
        expect(largestCostOf(schema, operation)).toBeGreaterThanOrEqual(points);
        expect(costOf(schema, operation, variables, stopAt) > stopAt).toBe(points > stopAt);
        if (largestCostOf(schema, operation) > points) exceeds += 1;
      }),
      { numRuns: 3000 },
    );
    expect(exceeds).toBeGreaterThan(100);
  });
});

test("what variables may leave out counts in the largest cost, wherever it stands", () => {
  const text = `query ($a: Boolean!, $b: Boolean!) { ...F @skip(if: $a) ... @include(if: $b) { y: viewer { mode } } }
    fragment F on Query { x: customers { nodes @skip(if: $b) { id } } }`;
  expect([cost(text, { a: true, b: false }), cost(text, { a: false, b: true }), largest(text)]).toEqual([1, 1, 21]);
});

test("look-ups by what is above STANDARD are counted, each alias", () => {
  const { operation, variables } = read(
    'query ($by: CustomerBy!) { a: customer(by: $by) { id } b: customer(by: { clientRef: "x" }) { id } c: customer(by: { phrase: "x" }) { id } }',
    { by: { email: "a@example.com" } },
  );
  expect(measureCost(schema, operation, variables)).toEqual({ points: 22, lookups: 2 });
});

test("fragments that spread each other twice are walked once, and come to what they would return", () => {
  const levels = 40;
  const text = `{ __type(name: "Customer") { ...F0 } } ${Array.from(
    { length: levels },
    (_, level) => `fragment F${level} on __Type { a: ofType { ...F${level + 1} } b: ofType { ...F${level + 1} } }`,
  ).join(" ")} fragment F${levels} on __Type { name }`;
  expect(cost(text)).toBe(Math.ceil((2 ** (levels + 1) - 1) / 10));
  expect(largest(text)).toBe(Infinity);
});

test("to ask for the whole schema costs what it returns, about a tenth of a point an object", () => {
  const points = cost(getIntrospectionQuery());
  expect(points).toBeGreaterThan(300);
  expect(points).toBeLessThan(2000);
});
