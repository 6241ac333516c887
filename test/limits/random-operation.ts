import {
  getNamedType,
  type GraphQLArgument,
  type GraphQLField,
  type GraphQLNamedType,
  type GraphQLObjectType,
  isAbstractType,
  isCompositeType,
  isObjectType,
  isRequiredArgument,
} from "graphql";
import { schema } from "../../src/graphql/schema.ts";

/** A document with one operation, and variables for it. */
export interface RandomOperation {
  readonly text: string;
  readonly variables: Record<string, unknown>;
}

/** A whole number from 0 up to, not including, the given one. */
export type Choose = (below: number) => number;

const DAY = (number: number) => `2026-01-${String(number + 1).padStart(2, "0")}T00:00:00Z`;

/** For arguments by their name: the type of a variable in its place, and values. What is not here is left out. */
const ARGUMENTS: Record<string, { type: string; values: readonly unknown[] }> = {
  first: { type: "Int", values: [null, 0, 1, 7, 100, 300] },
  last: { type: "Int", values: [null, 0, 2, 50, 100] },
  id: { type: "ID!", values: [crypto.randomUUID(), `bat_${crypto.randomUUID()}`, "nothing"] },
  by: { type: "CustomerBy!", values: [{ id: "x" }, { email: "a@example.com" }, { phrase: "a-b" }, { reference: "r" }, { clientRef: "c" }] },
  document: { type: "String!", values: ["{ viewer { mode } }"] },
  from: { type: "DateTime!", values: [DAY(0), DAY(1)] },
  to: { type: "DateTime!", values: [DAY(2), DAY(30)] },
  interval: { type: "MigrationInterval", values: [null] },
};

const rows = (count: number) => Array.from({ length: count }, (_, index) => (index % 3 === 0 ? null : { clientRef: `c${index}` }));
const BATCHES = [1, 3, 500, 600].map((count) => ({ dryRun: true, customers: rows(count) }));

/** Makes a valid operation that reads all sorts of things, with aliases, fragments, directives, literals and variables. */
export function randomOperation(choose: Choose): RandomOperation {
  const declared: string[] = [];
  const fragments: string[] = [];
  const variables: Record<string, unknown> = {};
  let names = 0;
  const name = (prefix: string) => `${prefix}${(names += 1)}`;

  function variable(type: string, value: unknown): string {
    const own = name("v");
    declared.push(`$${own}: ${type}`);
    if (value !== undefined) variables[own] = value;
    return `$${own}`;
  }

  function argument(of: GraphQLField<unknown, unknown>, arg: GraphQLArgument): string[] {
    if (of.name === "createCustomersBatch") {
      const batch = BATCHES[choose(BATCHES.length)]!;
      if (choose(3) === 0) return [`input: ${variable("CreateCustomersBatchInput!", batch)}`];
      if (choose(2) === 0) return [`input: { dryRun: true, customers: ${variable("[BatchCustomerInput]!", batch.customers)} }`];
      return ['input: { dryRun: true, customers: [null, { clientRef: "c" }] }'];
    }
    const known = ARGUMENTS[arg.name];
    if (!known || (!isRequiredArgument(arg) && choose(2) === 0)) return [];
    const value = known.values[choose(known.values.length)];
    if (choose(2) === 0) return [`${arg.name}: ${variable(known.type, known.type.endsWith("!") ? value : (value ?? undefined))}`];
    return [`${arg.name}: ${literal(value)}`];
  }

  function directive(): string {
    const how = ["", "", "", "", "@include(if: true)", "@skip(if: true)", "@skip(if: $)", "@include(if: $)"][choose(8)]!;
    return how.replace("$", () => variable("Boolean!", choose(2) === 0));
  }

  function selections(type: GraphQLNamedType, depth: number): string {
    const parts = ["__typename"];
    if (isAbstractType(type))
      for (const possible of schema.getPossibleTypes(type))
        if (choose(2) === 0) parts.push(`... on ${possible.name} ${directive()} ${selections(possible, depth)}`);
    if (isObjectType(type)) for (let count = 1 + choose(3); count > 0; count -= 1) parts.push(...field(type, depth));
    const text = `{ ${parts.join(" ")} }`;
    if (choose(4) > 0) return text;
    const own = name("F");
    fragments.push(`fragment ${own} on ${type.name} ${text}`);
    return `{ ...${own} ${directive()} ${choose(2) === 0 ? `...${own}` : ""} }`;
  }

  function field(parent: GraphQLObjectType, depth: number): string[] {
    const fields = Object.values(parent.getFields()).filter(
      (one) =>
        (depth > 0 || !isCompositeType(getNamedType(one.type))) &&
        one.args.every((arg) => !isRequiredArgument(arg) || ARGUMENTS[arg.name] || one.name === "createCustomersBatch"),
    );
    const chosen = fields[choose(fields.length)];
    if (!chosen) return [];
    const type = getNamedType(chosen.type);
    const args = chosen.args.flatMap((arg) => argument(chosen, arg)).join(", ");
    const below = isCompositeType(type) ? selections(type, depth - 1) : "";
    return [`${name("a")}: ${chosen.name}${args && `(${args})`} ${directive()} ${below}`];
  }

  const [kind, root] = choose(4) === 0 ? (["mutation", schema.getMutationType()!] as const) : (["query", schema.getQueryType()!] as const);
  const body = selections(root, 5);
  return { text: `${kind} ${declared.length > 0 ? `(${declared.join(", ")})` : ""} ${body} ${fragments.join(" ")}`, variables };
}

function literal(value: unknown): string {
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  return `{ ${Object.entries(value)
    .map(([key, inner]) => `${key}: ${literal(inner)}`)
    .join(", ")} }`;
}
