/** A body that costs its sender little and shall cost the gateway little; most are of nearly 1 MB, the most that any key may send. */
export interface Attack {
  readonly body: string;
  /** The codes that may refuse it: whichever limit it meets first. */
  readonly codes: readonly string[];
}

const DIGITS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

/** A short name of three letters, another for each number under 140,608. */
const name = (number: number) => [2704, 52, 1].map((place) => DIGITS[Math.floor(number / place) % 52]).join("");

const repeat = (count: number, part: (index: number) => string) => Array.from({ length: count }, (_, index) => part(index)).join(" ");
const nested = (levels: number, open: string, inner: string) =>
  open.repeat(levels) + inner + "}".repeat(levels * open.split("{").slice(1).length);
const asks = (query: string, variables?: object) => JSON.stringify({ query, variables });

/** What stops a document before it is executed. */
const DOCUMENT = ["GRAPHQL_PARSE_FAILED", "GRAPHQL_VALIDATION_FAILED", "COST_LIMIT_EXCEEDED"];
const attack = (query: string, variables?: object): Attack => ({ body: asks(query, variables), codes: DOCUMENT });
const input = (body: string): Attack => ({ body, codes: ["BAD_USER_INPUT", "PAYLOAD_TOO_LARGE"] });
const tooLarge = (body: string): Attack => ({ body, codes: ["PAYLOAD_TOO_LARGE"] });

/** How much a key that sends batches may send, in bytes. */
const MEGABYTE = 1_000_000;

/** What each is, and what is sent. */
export const ATTACKS: Record<string, Attack> = {
  "100,000 aliases": attack(`{viewer{${repeat(100_000, (index) => `${name(index)}:mode`)}}}`),
  "20,000 aliases of a mutation": attack(`mutation{${repeat(20_000, (index) => `${name(index)}:revokeApiKey(input:{id:1}){__typename}`)}}`),
  "one field 190,000 times": attack(`{viewer{${repeat(190_000, () => "mode")}}}`),
  "50,000 fields to be merged": attack(`{${repeat(50_000, () => "viewer{mode}")}}`),
  "30,000 fields that conflict": attack(`{${repeat(30_000, (index) => `a:node(id:${index}){id}`)}}`),
  "100,000 unknown fields": attack(`{${repeat(100_000, (index) => `x${name(index)}`)}}`),
  "100,000 unknown directives": attack(`{viewer{mode ${repeat(100_000, () => "@aa")}}}`),
  "50,000 directives": attack(`{viewer{mode ${repeat(50_000, () => "@skip(if:true)")}}}`),
  "70,000 variables": attack(`query(${repeat(70_000, (index) => `$${name(index)}:Int`)}){viewer{mode}}`),
  "30,000 fragments": attack(`{viewer{mode}}${repeat(30_000, (index) => `fragment ${name(index)} on Viewer{mode}`)}`),
  "40,000 operations": attack(repeat(40_000, (index) => `query ${name(index)}{viewer{mode}}`)),
  "depth 1,000": attack(nested(1000, "{customers{nodes", "{id}")),
  "depth 1,000 of inline fragments": attack(nested(1000, "{...on Query", "{viewer{mode}}")),
  "depth 100,000": attack(nested(100_000, "{a", "{a}")),
  "a list of depth 400,000": attack(`{node(id:${"[".repeat(400_000)}`),
  "circular fragments": attack("{viewer{...A}}fragment A on Viewer{...B}fragment B on Viewer{...A}"),
  "a fragment of itself": attack("{viewer{...A}}fragment A on Viewer{...A}"),
  "a circle of 10,000 fragments": attack(
    `{viewer{...${name(0)}}}${repeat(10_000, (index) => `fragment ${name(index)} on Viewer{...${name((index + 1) % 10_000)}}`)}`,
  ),
  "2 to the 10,000th spreads": attack(
    `{viewer{...${name(0)}}}${repeat(10_000, (index) => `fragment ${name(index)} on Viewer{...${name(index + 1)} ...${name(index + 1)}}`)}fragment ${name(10_000)} on Viewer{mode}`,
  ),
  "2 to the 40th fields": attack(
    `{customers{nodes{...${name(0)}}}}${repeat(40, (index) => `fragment ${name(index)} on Customer{${repeat(2, (half) => `${name(1000 + 2 * index + half)}:history{nodes{type}} ...${name(index + 1)}`)}}`)}fragment ${name(40)} on Customer{id}`,
  ),
  "a string of 900 kB": attack(`{node(id:"${"a".repeat(900_000)}"){nothing}}`),
  "300,000 comments": attack(`${"#\n".repeat(300_000)}{`),
  "900 kB of blanks": attack(`${" ".repeat(900_000)}{`),
  "introspection in circles": attack(`{__schema{types${nested(7, "{fields{type", "{name}")}}}`),
  "1,000 operations in a list": input(`[${Array.from({ length: 1000 }, () => asks("{viewer{mode}}")).join()}]`),
  "JSON of depth 450,000": input(`{"query":"{viewer{mode}}","variables":${"[".repeat(450_000)}${"]".repeat(450_000)}}`),
  "half a megabyte of JSON strings": input(`[${'"\\\\",'.repeat(100_000)}1]`),
  "12,000 unknown members of an input": input(
    asks('mutation($i:CustomerUpdateInput!){updateCustomer(input:{id:"x",update:$i}){__typename}}', {
      i: Object.fromEntries(Array.from({ length: 12_000 }, (_, index) => [`${name(index)}${"x".repeat(20)}`, 1])),
    }),
  ),
  "500 rows of one wrong value": input(
    asks("mutation($i:CreateCustomersBatchInput!){createCustomersBatch(input:$i){__typename}}", {
      i: { customers: Array.from({ length: 500 }, () => ({ email: Array.from({ length: 40 }, () => 1) })) },
    }),
  ),
  "100,000 parameters": input(`{${Array.from({ length: 100_000 }, (_, index) => `"${name(index)}":1`).join()}}`),
  "a byte over a megabyte": tooLarge(asks("{viewer{mode}}").padEnd(MEGABYTE + 1)),
  "10 MB": tooLarge(asks("{viewer{mode}}").padEnd(10 * MEGABYTE)),
};

/** A document that cannot run, another for each number: too small to be refused for its size, and as large as may be. */
export function invalidDocument(number: number): string {
  const kinds = [
    () => `{ unknown${number} }`,
    () => `{ viewer { ${repeat(200, (index) => `x${number}x${index}`)} } }`,
    () => `query Q${number} { viewer { mode `.padEnd(90_000),
    () => `{ node(id: "${"a".repeat(60_000)}${number}") { nothing } }`,
  ];
  return kinds[number % kinds.length]!();
}
