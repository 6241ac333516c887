import fc from "fast-check";
import { expect, test } from "vitest";
import { overgrown } from "../../src/http/json-size.ts";
import { openGateway } from "../support/gateway.ts";

const gateway = await openGateway();
const key = await gateway.key();

/** What a reader of the whole text would count. */
function measure(value: unknown): { levels: number; values: number } {
  if (value === null || typeof value !== "object") return { levels: 0, values: 1 };
  const below = Object.values(value).map(measure);
  return {
    levels: 1 + Math.max(0, ...below.map(({ levels }) => levels)),
    values:
      1 +
      Math.max(
        1,
        below.reduce((sum, { values }) => sum + values, 0),
      ),
  };
}

const nested = (levels: number): unknown => (levels === 0 ? 1 : [nested(levels - 1)]);

/** Texts of the signs that mean something outside of strings. */
const ODD = fc.string({ unit: fc.constantFrom('"', "\\", ",", "[", "}", "é") });

test("JSON is measured as a parser would, whatever its strings hold", () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 8 }), ODD, fc.constantFrom(0, 2), (value, odd, indent) => {
      const wrapped = [odd, value, { [odd]: odd }];
      const { levels, values } = measure(wrapped);
      const spaced = JSON.stringify(wrapped, null, indent);
      // As many as are missing to the limit are let through, and one more is not.
      const deeper = (more: number) => "[".repeat(more) + spaced + "]".repeat(more);
      expect(overgrown(deeper(64 - levels))).toBe(null);
      expect(overgrown(deeper(65 - levels))).toBe("nests deeper than 64 levels");
      const longer = (more: number) => `[${spaced}${",1".repeat(more)}]`;
      expect(overgrown(longer(12_500 - values - 1))).toBe(null);
      expect(overgrown(longer(12_500 - values))).toBe("holds more than 12500 values");
    }),
    { numRuns: 300 },
  );
});

test("a body, and the variables of a GET, that nest too deep are refused before they are parsed", async () => {
  const [fits, tooDeep] = [nested(62), nested(64)];
  const ask = async (variables: unknown) => {
    const post = await gateway.query(key, "{viewer{mode}}", { a: variables });
    const search = new URLSearchParams({ query: "{viewer{mode}}", variables: JSON.stringify({ a: variables, b: [[]] }) });
    const get = await gateway.send(`/graphql?${search}`, { headers: { authorization: `Bearer ${key}` } });
    return [post.status, get.status, ((await get.json()) as { errors?: { message: string }[] }).errors?.[0]?.message];
  };
  expect(await ask(fits)).toEqual([200, 200, undefined]);
  expect(await ask(tooDeep)).toEqual([400, 400, "variables nests deeper than 64 levels."]);
});
