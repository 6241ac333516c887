import {
  type FieldNode,
  getNamedType,
  getNullableType,
  type GraphQLField,
  type GraphQLObjectType,
  type GraphQLSchema,
  isAbstractType,
  isLeafType,
  isListType,
  isObjectType,
  SchemaMetaFieldDef,
  TypeMetaFieldDef,
  valueFromASTUntyped,
} from "graphql";
import { collectFields, collectSubfields } from "graphql/execution/collectFields.js";
import { getArgumentValues } from "graphql/execution/values.js";
import { ANY, type ArgsOrAny, factsOf } from "../graphql/field-facts.ts";
import { alwaysIncluded, type Operation } from "../graphql/operation.ts";
import { introspectionSize } from "./introspection.ts";

/** What an operation asks of the gateway. */
export interface Cost {
  /** A whole number, at least 1. */
  readonly points: number;
  /** How many customers it looks up by a value that the caller knows already. */
  readonly lookups: number;
}

/** A list that says nothing of its size is taken for one of so many objects. */
const USUAL_LIST = 10;

/**
 * What an operation costs with these variables, in points: about one for each object that it may return, by the
 * page sizes that it asks for, and what fields say of themselves (`graphql/field-facts.ts`). Each response key counts.
 * `variables` are coerced. Past `stopAt` it goes no further and gives what it has by then, which is more.
 */
export function costOf(schema: GraphQLSchema, operation: Operation, variables: Record<string, unknown>, stopAt?: number): number {
  return measureCost(schema, operation, variables, stopAt).points;
}

/** costOf, with the look-ups. */
export function measureCost(schema: GraphQLSchema, operation: Operation, variables: Record<string, unknown>, stopAt?: number): Cost {
  return walk(schema, operation, variables, (field, node) => valuesOf(field, node, variables), stopAt);
}

/**
 * The most that an operation can cost, whatever variables it is sent with: with the largest pages and batches, the
 * dearest key, and all that variables could leave out. Infinity for one that comes to more than ten million points.
 */
export function largestCostOf(schema: GraphQLSchema, operation: Operation): number {
  const any = Object.fromEntries((operation.operation.variableDefinitions ?? []).map(({ variable }) => [variable.name.value, ANY]));
  const anyOf = (_field: unknown, { arguments: given = [] }: FieldNode): ArgsOrAny =>
    Object.fromEntries(given.map(({ name, value }) => [name.value, valueFromASTUntyped(value, any)]));
  const points = walk(schema, alwaysIncluded(operation), {}, anyOf, MOST_POINTS).points;
  return points > MOST_POINTS ? Infinity : points;
}

const MOST_POINTS = 10_000_000;

/** A field's arguments, or null when the variables do not fit them, so that the field fails before it is resolved. */
function valuesOf(field: GraphQLField<unknown, unknown>, node: FieldNode, variables: Record<string, unknown>): ArgsOrAny | null {
  try {
    return getArgumentValues(field, node, variables);
  } catch {
    return null;
  }
}

/** Thrown when it is known that an operation costs more than is asked for. */
class Exceeded extends Error {
  readonly tenths: number;
  constructor(tenths: number) {
    super("costs more");
    this.tenths = tenths;
  }
}

type ArgsOf = (field: GraphQLField<unknown, unknown>, node: FieldNode) => ArgsOrAny | null;

/** Collects fields as the executor does. It reckons in whole tenths of a point, so that sums do not depend on their order. */
function walk(
  schema: GraphQLSchema,
  { operation, fragments }: Operation,
  variables: Record<string, unknown>,
  argsOf: ArgsOf,
  stopAt = Infinity,
): Cost {
  let lookups = 0;
  /** What an object of a type costs below a field, by the field: fragments that spread each other are walked once. */
  const known = new Map<FieldNode, Map<GraphQLObjectType, number>>();
  const check = (tenths: number) => {
    if (tenths > stopAt * 10) throw new Exceeded(tenths);
    return tenths;
  };

  function ofField(field: GraphQLField<unknown, unknown>, nodes: readonly FieldNode[], parentArgs: ArgsOrAny): number {
    const { size, points, lookups: lookupsOf } = factsOf(field);
    if (!points && isLeafType(getNamedType(field.type))) return 0;
    const args = argsOf(field, nodes[0]!);
    if (args === null) return 0;
    lookups += lookupsOf?.(args) ?? 0;
    const many = size ?? introspectionSize(schema, field) ?? (isListType(getNullableType(field.type)) ? () => USUAL_LIST : () => 1);
    const count = many(args, parentArgs);
    if (count === 0) return 0;
    const own = points && Math.round(points(args, parentArgs) * POINT);
    const types = possibleTypes(schema, field, args);
    const each = types.map((type) => (own ?? ownTenths(type)) + below(type, nodes, args));
    // A plain value that costs something, or an id that names no type, which is still asked for.
    return check(Math.ceil(count * Math.max(...(each.length > 0 ? each : [own ?? POINT]))));
  }

  function below(type: GraphQLObjectType, nodes: readonly FieldNode[], args: ArgsOrAny): number {
    const seen = nodes.length === 1 ? known.get(nodes[0]!)?.get(type) : undefined;
    if (seen !== undefined) return seen;
    const tenths = ofFields(type, collectSubfields(schema, fragments, variables, type, nodes), args);
    if (nodes.length === 1) known.set(nodes[0]!, (known.get(nodes[0]!) ?? new Map()).set(type, tenths));
    return tenths;
  }

  function ofFields(type: GraphQLObjectType, fields: ReadonlyMap<string, readonly FieldNode[]>, args: ArgsOrAny): number {
    let tenths = 0;
    for (const nodes of fields.values()) {
      const field = fieldOf(type, nodes[0]!.name.value);
      if (field) tenths = check(tenths + ofField(field, nodes, args));
    }
    return tenths;
  }

  const root = schema.getRootType(operation.operation)!;
  try {
    const tenths = ofFields(root, collectFields(schema, fragments, variables, root, operation.selectionSet), {});
    return { points: Math.max(1, Math.ceil(tenths / POINT)), lookups };
  } catch (error) {
    if (!(error instanceof Exceeded)) throw error;
    return { points: Math.ceil(error.tenths / POINT), lookups };
  }
}

const POINT = 10;

const ownTenths = (type: GraphQLObjectType) => ("id" in type.getFields() ? POINT : POINT / 10);

/** Undefined for __typename, which costs nothing. */
function fieldOf(type: GraphQLObjectType, name: string): GraphQLField<unknown, unknown> | undefined {
  return type.getFields()[name] ?? [SchemaMetaFieldDef, TypeMetaFieldDef].find((field) => field.name === name);
}

/** The object types that a field's value may be of: the one that its arguments name, or all; none for plain values. */
function possibleTypes(schema: GraphQLSchema, field: GraphQLField<unknown, unknown>, args: ArgsOrAny): readonly GraphQLObjectType[] {
  const type = getNamedType(field.type);
  if (isObjectType(type)) return [type];
  if (!isAbstractType(type)) return [];
  const named = Object.values(args).includes(ANY) ? undefined : factsOf(field).names?.(args);
  return schema.getPossibleTypes(type).filter(({ name }) => named === undefined || name === named?.typename);
}
