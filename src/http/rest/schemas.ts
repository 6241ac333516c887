import {
  type GraphQLEnumType,
  type GraphQLInputObjectType,
  type GraphQLInputType,
  type GraphQLNonNull,
  type GraphQLObjectType,
  type GraphQLOutputType,
  type GraphQLSchema,
  isAbstractType,
  isEnumType,
  isInputObjectType,
  isListType,
  isNonNullType,
  isObjectType,
  isRequiredInputField,
  Kind,
  type SelectionNode,
  type SelectionSetNode,
} from "graphql";
import type { Operation } from "../../graphql/operation.ts";
import { genderToRest } from "./gender.ts";
import type { JsonSchema } from "./json-schema.ts";

/** How each scalar is written in JSON. */
const SCALARS: Record<string, JsonSchema> = {
  ID: { type: "string" },
  String: { type: "string" },
  Int: { type: "integer" },
  Boolean: { type: "boolean" },
  DateTime: { type: "string", format: "date-time" },
  EmailAddress: { type: "string", format: "email" },
  URL: { type: "string", format: "uri" },
  JSONObject: { type: "object", additionalProperties: true },
  CountryCode: { type: "string", pattern: "^[A-Z]{2}$" },
};

/** A type without the mark that null is none of its values. */
type Given<Type> = Exclude<Type, GraphQLNonNull<any>>;

/** Makes JSON Schemas of what operations take and give. */
export interface Schemas {
  ofInput(type: GraphQLInputType): JsonSchema;
  /** What a selection of an operation gives; of a mutation's union, what it gives when it did as asked. */
  ofResult(type: GraphQLOutputType, selections: SelectionSetNode | undefined, operation: Operation): JsonSchema;
  /** Those that others refer to, by name: input types and fragments. */
  readonly named: Record<string, JsonSchema>;
}

export function createSchemas(schema: GraphQLSchema): Schemas {
  const named: Record<string, JsonSchema> = {};
  const reference = (name: string, make: () => JsonSchema): JsonSchema => {
    named[name] ??= make();
    return { $ref: `#/components/schemas/${name}` };
  };

  function ofInput(type: GraphQLInputType): JsonSchema {
    if (isNonNullType(type)) return ofGivenInput(type.ofType as Given<GraphQLInputType>);
    return orNull(ofGivenInput(type));
  }

  function ofGivenInput(type: Given<GraphQLInputType>): JsonSchema {
    if (isListType(type)) return { type: "array", items: ofInput(type.ofType) };
    if (isInputObjectType(type)) return reference(type.name, () => ofInputObject(type));
    return isEnumType(type) ? ofEnum(type) : SCALARS[type.name]!;
  }

  function ofInputObject(type: GraphQLInputObjectType): JsonSchema {
    const fields = Object.values(type.getFields());
    return {
      type: "object",
      description: type.description,
      properties: Object.fromEntries(fields.map((field) => [field.name, described(ofInput(field.type), field.description)])),
      required: fields.filter(isRequiredInputField).map(({ name }) => name),
      additionalProperties: false,
    };
  }

  function ofResult(type: GraphQLOutputType, selections: SelectionSetNode | undefined, operation: Operation): JsonSchema {
    if (isNonNullType(type)) return ofGivenResult(type.ofType as Given<GraphQLOutputType>, selections, operation);
    return orNull(ofGivenResult(type, selections, operation));
  }

  function ofGivenResult(type: Given<GraphQLOutputType>, selections: SelectionSetNode | undefined, operation: Operation): JsonSchema {
    if (isListType(type)) return { type: "array", items: ofResult(type.ofType, selections, operation) };
    if (isEnumType(type)) return ofEnum(type);
    if (isObjectType(type)) return ofObject(type, selections!, operation);
    if (!isAbstractType(type)) return SCALARS[type.name]!;
    const good = schema.getPossibleTypes(type).filter((one) => !implementing(one, "Error"));
    const all = good.map((one) => ofObject(one, selections!, operation));
    return all.length === 1 ? all[0]! : { anyOf: all };
  }

  /** A fragment of an object is a schema of its own. */
  function ofObject(type: GraphQLObjectType, { selections }: SelectionSetNode, operation: Operation): JsonSchema {
    const spread = selections.find((one) => one.kind === Kind.FRAGMENT_SPREAD);
    if (spread) return reference(spread.name.value, () => ofObject(type, operation.fragments[spread.name.value]!.selectionSet, operation));
    const properties = propertiesOf(type, selections, operation);
    return { type: "object", properties, required: Object.keys(properties) };
  }

  function propertiesOf(type: GraphQLObjectType, selections: readonly SelectionNode[], operation: Operation): Record<string, JsonSchema> {
    return Object.assign(
      {},
      ...selections.map((one) => {
        if (one.kind === Kind.INLINE_FRAGMENT) {
          const condition = one.typeCondition!.name.value;
          return type.name === condition || implementing(type, condition) ? propertiesOf(type, one.selectionSet.selections, operation) : {};
        }
        const field = one.kind === Kind.FIELD ? type.getFields()[one.name.value] : undefined;
        if (one.kind !== Kind.FIELD || !field) return {};
        return { [(one.alias ?? one.name).value]: described(ofResult(field.type, one.selectionSet, operation), field.description) };
      }),
    ) as Record<string, JsonSchema>;
  }

  return { ofInput, ofResult, named };
}

const implementing = (type: GraphQLObjectType, name: string) => type.getInterfaces().some((one) => one.name === name);

/** The description of a field of the schema, where REST has another word for what it tells of. */
export function described(schema: JsonSchema, description: string | null | undefined): JsonSchema {
  return description ? { ...schema, description: description.replaceAll("`redactedFields`", "`visibility`") } : schema;
}

function ofEnum(type: GraphQLEnumType): JsonSchema {
  const names = type.getValues().map(({ name }) => name);
  return { type: "string", enum: type.name === "Gender" ? names.map(genderToRest) : names };
}

/** The same or null. */
function orNull(schema: JsonSchema): JsonSchema {
  if (typeof schema["type"] !== "string") return { anyOf: [schema, { type: "null" }] };
  return { ...schema, type: [schema["type"], "null"], ...(Array.isArray(schema["enum"]) && { enum: [...schema["enum"], null] }) };
}
