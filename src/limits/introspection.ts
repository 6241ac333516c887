import {
  getNamedType,
  type GraphQLField,
  type GraphQLSchema,
  isAbstractType,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isIntrospectionType,
  isObjectType,
} from "graphql";

type Sizes = Readonly<Record<string, number>>;

/** How long the lists of introspection are in a schema, on average; `types` and `directives` as they are. */
function sizesOf(schema: GraphQLSchema): Sizes {
  const types = Object.values(schema.getTypeMap());
  const fields = types.flatMap((type) => (isObjectType(type) || isInterfaceType(type) ? Object.values(type.getFields()) : []));
  const sum = (numbers: number[]) => numbers.reduce((total, number) => total + number, 0);
  return {
    types: types.length,
    directives: schema.getDirectives().length,
    fields: fields.length / types.length,
    args: sum(fields.map(({ args }) => args.length)) / fields.length,
    inputFields: sum(types.map((type) => (isInputObjectType(type) ? Object.keys(type.getFields()).length : 0))) / types.length,
    enumValues: sum(types.map((type) => (isEnumType(type) ? type.getValues().length : 0))) / types.length,
    interfaces: sum(types.map((type) => (isObjectType(type) || isInterfaceType(type) ? type.getInterfaces().length : 0))) / types.length,
    possibleTypes: sum(types.map((type) => (isAbstractType(type) ? schema.getPossibleTypes(type).length : 0))) / types.length,
  };
}

const sizes = new WeakMap<GraphQLSchema, Sizes>();

/**
 * How many objects a list of introspection holds; undefined for any other field. A walk over all types then costs
 * what it returns, since averages times the number of types are the sums.
 */
export function introspectionSize(schema: GraphQLSchema, field: GraphQLField<unknown, unknown>): (() => number) | undefined {
  if (!isIntrospectionType(getNamedType(field.type))) return undefined;
  let known = sizes.get(schema);
  if (!known) sizes.set(schema, (known = sizesOf(schema)));
  const size = known[field.name] ?? 1;
  return () => size;
}
