import { beforeEach, expect, test } from "vitest";
import { pino } from "pino";
import { openGateway } from "../support/gateway.ts";

const log: string[] = [];
const gateway = await openGateway({}, { log: pino({ level: "warn" }, { write: (line: string) => void log.push(line) }) });
const key = await gateway.key();

beforeEach(() => void (log.length = 0));

const around = (open: string, middle: string, close: string, levels: number) => open.repeat(levels) + middle + close.repeat(levels);

/** Documents that nest in each way that there is. */
const DOCUMENTS: Record<string, (levels: number) => string> = {
  "fields that are not there": (levels) => around("{a", "{a}", "}", levels),
  "inline fragments": (levels) => `{${around("...{", "viewer{mode}", "}", levels)}}`,
  "fields of the schema's own schema": (levels) => `{__schema{types{fields{type{${around("ofType{", "name", "}", levels)}}}}}}`,
  "a list of lists": (levels) => `{customers(first:${around("[", "1", "]", levels)}){totalCount}}`,
  "an object of objects": (levels) => `{customers(filter:${around("{a:", "1", "}", levels)}){totalCount}}`,
  "a type of types": (levels) => `query($x:${around("[", "Int", "]", levels)}){viewer{mode}}`,
  "fragments one in the other": (levels) =>
    `{...F0} ${Array.from({ length: levels }, (_, level) => `fragment F${level} on Query{...F${level + 1}}`).join(" ")} fragment F${levels} on Query{viewer{mode}}`,
};

/** From what any stack takes to what none does, and what lies between, where one part gives up and the next does not. */
const LEVELS = [500, 1500, 2000, 2500, 3000, 4000, 6000, 12000];

test.each(Object.entries(DOCUMENTS))(
  "%s: however deep, the answer is a result or the contract's refusal, and no fault is logged",
  async (_name, make) => {
    const strict = { accept: "application/graphql-response+json" };
    const answers: [number, number, string | undefined][] = [];
    for (const levels of LEVELS) {
      const { status, body } = await gateway.query(key, make(levels), {}, strict);
      answers.push([levels, status, body.errors?.[0]?.extensions.code]);
    }
    for (const [levels, status, code] of answers) {
      expect([levels, status, code]).toEqual(
        status === 200
          ? [levels, 200, undefined]
          : [levels, 400, expect.stringMatching(/^(GRAPHQL_PARSE_FAILED|GRAPHQL_VALIDATION_FAILED|COST_LIMIT_EXCEEDED)$/)],
      );
    }
    expect(log).toEqual([]);
  },
);

test("20,000 levels of fields, in 60 kB, are GRAPHQL_PARSE_FAILED", async () => {
  const { status, body } = await gateway.query(key, around("{a", "", "}", 20_000), {}, { accept: "application/graphql-response+json" });
  expect(status).toBe(400);
  expect(body.errors).toEqual([{ message: "The document nests too deep.", extensions: { code: "GRAPHQL_PARSE_FAILED" } }]);
  expect(log).toEqual([]);
});

test("to explain a document that nests too deep is to say so", async () => {
  const explain = "query ($document: String!) { explainAccess(document: $document) { valid issues } }";
  const document = `{customers(first:${around("[", "1", "]", 2490)}){totalCount}}`;
  const { body } = await gateway.query(key, explain, { document });
  expect(body.errors).toBeUndefined();
  expect(body.data.explainAccess.valid).toBe(false);
  expect(log).toEqual([]);
});
