import fc from "fast-check";
import { getNamedType, type GraphQLField, type GraphQLObjectType, isAbstractType, isCompositeType, isObjectType } from "graphql";
import { schema } from "../../../src/graphql/schema.ts";

/** Draws a value from an arbitrary, as `fc.gen()` gives it to a property. */
type Draw = fc.GeneratorValue;

/** What a document can name. */
export interface Things {
  customerId: string;
  batchId: string;
  email: string;
  version: number;
}

const SWITCHES = ["a", "b"] as const;
const MAX_DEPTH = 6;

/** Root fields by the arguments that they are asked with; each finds something. */
const ROOTS: { [field: string]: (things: Things) => string[] } = {
  viewer: () => [""],
  node: ({ customerId, batchId }) => [
    `(id: "${customerId}")`,
    `(id: "${batchId}")`,
    "(id: $customerId)",
    "(id: $batchId)",
    '(id: "xyz_1")',
  ],
  customer: ({ customerId, email }) => [`(by: { id: "${customerId}" })`, `(by: { email: "${email}" })`, "(by: $by)"],
  customers: ({ email }) => [
    "",
    "(first: 1)",
    "(last: 2)",
    `(filter: { emails: ["${email}"] })`,
    "(filter: $filter)",
    '(filter: { countries: ["NG"], createdAt: { from: "2000-01-01T00:00:00Z" } })',
    "(orderBy: $order)",
    "(orderBy: { field: ACCOUNT_NAME, direction: ASC }, filter: { emails: null, blacklisted: true })",
    "(filter: { blacklisted: $blacklisted })",
  ],
  batch: ({ batchId }) => [`(id: "${batchId}")`, "(id: $batchId)"],
  batches: () => ["", "(first: 1)"],
  apiKeys: () => [""],
};

/** A random document: aliases, fragments with and without names, directives by variables, the same field many times. */
export function randomDocument(draw: Draw, things: Things): { document: string; variables: Record<string, unknown> } {
  const fragments: string[] = [];
  let serial = 0;
  const one = <T>(...values: T[]) => values[draw(fc.nat, values.length - 1)]!;
  const directive = () =>
    one("", "", "", ...SWITCHES.flatMap((name) => [` @include(if: $${name})`, ` @skip(if: $${name})`]), " @skip(if: false)");

  function field(parent: GraphQLObjectType, { name, type, args }: GraphQLField<unknown, unknown>, depth: number, alone: boolean): string {
    const choices =
      ROOTS[name] && parent.name === "Query" ? ROOTS[name](things) : args.some((arg) => arg.name === "first") ? ["", "(first: 3)"] : [""];
    const given = one(...choices);
    const alias = given !== "" || !alone || draw(fc.boolean) ? `f${(serial += 1)}: ` : "";
    const named = getNamedType(type);
    return `${alias}${name}${given}${directive()}${isCompositeType(named) ? selection(named.name, depth + 1, alone) : ""}`;
  }

  /** `alone`: the parent's type is certain, so that names without an alias cannot clash. */
  function selection(typename: string, depth: number, alone: boolean): string {
    const type = schema.getType(typename)!;
    if (isAbstractType(type)) {
      const parts = schema.getPossibleTypes(type).filter(({ name }) => name === "Customer" || name === "BatchResult" || draw(fc.boolean));
      return `{ __typename ${parts.map(({ name }) => `... on ${name}${directive()} ${selection(name, depth, false)}`).join(" ")} }`;
    }
    if (!isObjectType(type)) throw new Error(`nothing can be selected of ${typename}`);
    const fields = Object.values(type.getFields())
      .filter((each) => depth < MAX_DEPTH || !isCompositeType(getNamedType(each.type)))
      .filter((each) => typename !== "Query" || Object.hasOwn(ROOTS, each.name));
    const parts = Array.from({ length: draw(fc.integer, { min: 1, max: 6 }) }, () => {
      const body = () => field(type, one(...fields), depth, alone);
      switch (fields.length === 0 ? "typename" : one("field", "field", "field", "field", "inline", "named", "typename")) {
        case "inline":
          return `...${one("", ` on ${typename}`)}${directive()} { ${body()} ${body()} }`;
        case "named": {
          const name = `Part${(serial += 1)}`;
          fragments.push(`fragment ${name} on ${typename} { ${body()} ${body()} }`);
          return `...${name}${directive()} ${one("", `...${name}`)}`;
        }
        case "typename":
          return "__typename";
        default:
          return body();
      }
    });
    return `{ ${parts.join(" ")} }`;
  }

  const mutation = `{ updateCustomer(input: { id: $customerId, expectedVersion: $version, update: {} }) { __typename ... on Customer ${selection("Customer", 2, true)} } }`;
  const isMutation = draw(fc.integer, { min: 0, max: 9 }) === 0;
  const body = isMutation ? `mutation ${VARIABLES} ${mutation}` : `query ${VARIABLES} ${selection("Query", 0, true)}`;
  // What is declared must be used: one part that names every variable and asks for nothing.
  const uses = `fragment Uses on Query { u1: node(id: $customerId) @skip(if: true) { __typename } u2: node(id: $batchId) @skip(if: true) { __typename }
    u3: customer(by: $by) @skip(if: true) { __typename } u4: customers(filter: $filter, orderBy: $order) @skip(if: true) { __typename }
    u5: customers(filter: { blacklisted: $blacklisted }) @skip(if: $a) { __typename } u6: viewer @skip(if: $b) { __typename } }`;
  const document = isMutation
    ? [
        body
          .replace(VARIABLES, MUTATION_VARIABLES)
          .replace(/\{ __typename \.\.\. on/, "{ __typename @skip(if: $a) t: __typename @skip(if: $b) ... on"),
        ...fragments,
      ].join("\n")
    : [
        body.replace(/^(query [^{]*\{)/, "$1 ...Uses "),
        uses
          .replace(/@skip\(if: \$a\)/, "@skip(if: $a) @include(if: false)")
          .replace(/@skip\(if: \$b\)/, "@skip(if: $b) @include(if: false)"),
        ...fragments,
      ].join("\n");
  return {
    document,
    variables: {
      a: draw(fc.boolean),
      b: draw(fc.boolean),
      customerId: things.customerId,
      ...(isMutation
        ? { version: one(null, things.version) }
        : {
            batchId: things.batchId,
            by: one<object>({ id: things.customerId }, { email: things.email }),
            filter: one<object | null>(
              null,
              {},
              { emails: [things.email] },
              { ids: [things.customerId] },
              { emails: null, search: "first" },
            ),
            order: one<object | null>(null, { field: "ACCOUNT_NAME", direction: "ASC" }, { field: "UPDATED_AT", direction: "DESC" }),
            blacklisted: one(null, true),
          }),
    },
  };
}

const VARIABLES =
  "($a: Boolean!, $b: Boolean!, $customerId: ID!, $batchId: ID!, $by: CustomerBy!, $filter: CustomerFilter, $order: CustomerOrder, $blacklisted: Boolean)";
const MUTATION_VARIABLES = "($a: Boolean!, $b: Boolean!, $customerId: ID!, $version: Int)";
