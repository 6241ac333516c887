import {
  getNamedType,
  getNullableType,
  type GraphQLField,
  type GraphQLInputType,
  GraphQLNonNull,
  isInputObjectType,
  isUnionType,
  Kind,
  type FieldNode,
  typeFromAST,
  TypeInfo,
  visit,
  visitWithTypeInfo,
} from "graphql";
import packageJson from "../../../package.json" with { type: "json" };
import { schema } from "../../graphql/schema.ts";
import { toEnumName } from "../../access/visibility.ts";
import type { FailureCode } from "../../graphql/failure.ts";
import type { Operation } from "../../graphql/operation.ts";
import type { JsonSchema } from "./json-schema.ts";
import { IDEMPOTENCY_KEY, PREFER, REFUSALS, SHARED_SCHEMAS, VISIBILITY } from "./openapi-parts.ts";
import { statusOfFailure } from "./refusal.ts";
import type { Route } from "./route.ts";
import { ROUTES } from "./routes.ts";
import { createSchemas, described, type Schemas } from "./schemas.ts";

/** The OpenAPI 3.1 description of the REST routes, made of their documents' variables and results and the schema's descriptions. */
export function describeRest(): object {
  const schemas = createSchemas(schema);
  const paths: Record<string, Record<string, object>> = {};
  for (const route of ROUTES) (paths[route.path] ??= {})[route.method.toLowerCase()] = operationOf(route, schemas);
  const refusal = (description: string) => ({ description, content: json({ $ref: "#/components/schemas/Error" }) });
  return {
    openapi: "3.1.0",
    info: {
      title: "Customer Gateway: REST",
      version: packageJson.version,
      description:
        "The routes of the source documents. Each runs one persisted GraphQL document, so that access, limits, validation, " +
        "idempotency and audit are GraphQL's. HEAD is GET without the body.",
      license: { name: packageJson.license, identifier: packageJson.license },
    },
    servers: [{ url: "/" }],
    security: [{ key: [] }],
    paths,
    components: {
      schemas: { ...schemas.named, ...SHARED_SCHEMAS },
      responses: Object.fromEntries(Object.entries(REFUSALS).map(([status, description]) => [`Refused${status}`, refusal(description)])),
      securitySchemes: {
        key: {
          type: "http",
          scheme: "bearer",
          description: "An API key, `cgw_sandbox_…` or `cgw_live_…`, or a JWT of a configured issuer.",
        },
      },
    },
  };
}

const json = (of: JsonSchema) => ({ "application/json": { schema: of } });

function operationOf(route: Route, schemas: Schemas): object {
  const { name, summary, parts = {}, query = {}, members, status } = route;
  const inPath = (part: string, description: string) => ({
    name: part,
    in: "path",
    required: true,
    description,
    schema: { type: "string" },
  });
  return {
    operationId: name,
    summary,
    parameters: [
      ...Object.entries(parts).map(([part, description]) => inPath(part, description)),
      ...Object.entries(query).map(([parameter, { description, schema: of, isRequired }]) => ({
        name: parameter,
        in: "query",
        ...(isRequired && { required: true }),
        description,
        schema: of,
      })),
      VISIBILITY,
      ...(status === 201 ? [IDEMPOTENCY_KEY] : []),
      ...(gives("Batch", rootOf(route).field) ? [PREFER] : []),
    ],
    ...(members && { requestBody: { required: true, content: json(bodyOf(route, schemas)) } }),
    responses: {
      [status]: { description: summary, content: json(successOf(route, schemas)) },
      ...Object.fromEntries(refusalsOf(route).map((one) => [one, { $ref: `#/components/responses/Refused${one}` }])),
    },
  };
}

function refusalsOf(route: Route): string[] {
  const { members, shape, status } = route;
  const never = [
    ...(shape.kind === "one" && status === 200 ? [] : ["404"]),
    ...(members ? [] : ["413", "415"]),
    ...(conflicts(rootOf(route).field) ? [] : ["409"]),
  ];
  return Object.keys(REFUSALS).filter((one) => !never.includes(one));
}

/** Whether a mutation's union has a type that implements an interface. */
function gives(name: string, { type }: GraphQLField<unknown, unknown>): boolean {
  const named = getNamedType(type);
  return isUnionType(named) && named.getTypes().some((one) => one.getInterfaces().some((has) => has.name === name));
}

/** The code of an error type: its name in UPPER_SNAKE. */
const codeOfError = (typename: string) => toEnumName(typename).slice(1) as FailureCode;

/** Whether a mutation's union has an error that is a conflict. */
function conflicts({ type }: GraphQLField<unknown, unknown>): boolean {
  const named = getNamedType(type);
  return isUnionType(named) && named.getTypes().some(({ name }) => statusOfFailure(codeOfError(name)) === 409);
}

/** The one root field of a route's document. */
function rootOf({ operation: { operation } }: Route): { node: FieldNode; field: GraphQLField<unknown, unknown> } {
  const [node] = operation.selectionSet.selections as readonly [FieldNode];
  return { node, field: schema.getRootType(operation.operation)!.getFields()[node.name.value]! };
}

function bodyOf({ operation, members, required, body = {} }: Route, schemas: Schemas): JsonSchema {
  const descriptions = descriptionsOf(operation);
  const variables = operation.operation.variableDefinitions!.filter(({ variable }) => members!.includes(variable.name.value));
  const properties = variables.map(({ variable, type }) => {
    const { value } = variable.name;
    return [value, described(schemas.ofInput(typeFromAST(schema, type as never) as GraphQLInputType), descriptions.get(value))];
  });
  return { type: "object", properties: { ...Object.fromEntries(properties), ...body }, required, additionalProperties: false };
}

/** What the schema says of the argument or the input that each variable is put into. */
function descriptionsOf({ operation }: Operation): Map<string, string | null | undefined> {
  const info = new TypeInfo(schema);
  const descriptions = new Map<string, string | null | undefined>();
  visit(
    operation,
    visitWithTypeInfo(info, {
      Argument: ({ value }) => void (value.kind === Kind.VARIABLE && descriptions.set(value.name.value, info.getArgument()?.description)),
      ObjectField({ name, value }) {
        const parent = getNullableType(info.getParentInputType());
        if (value.kind === Kind.VARIABLE && isInputObjectType(parent))
          descriptions.set(value.name.value, parent.getFields()[name.value]!.description);
      },
    }),
  );
  return descriptions;
}

/** What a route answers with when it did as asked. */
function successOf(route: Route, schemas: Schemas): JsonSchema {
  const { operation, shape, status } = route;
  const { node, field } = rootOf(route);
  const data = schemas.ofResult(new GraphQLNonNull(getNullableType(field.type)), node.selectionSet, operation);
  if (shape.kind === "bare") return propertiesOf(data)["nodes"]!;
  const properties: Record<string, JsonSchema> = {
    statusCode: { const: status },
    success: { const: true },
    message: { type: "string" },
    data: shape.kind === "page" ? propertiesOf(data)["nodes"]! : shape.kind === "one" ? nested(data, shape.nest ?? {}) : data,
    ...(shape.kind === "page" && { meta: { $ref: "#/components/schemas/PageMeta" } }),
  };
  return {
    type: "object",
    properties: { ...properties, visibility: { $ref: "#/components/schemas/Withheld" } },
    required: Object.keys(properties),
  };
}

const propertiesOf = (of: JsonSchema) => of["properties"] as Record<string, JsonSchema>;

/** The same members in the objects that the shape nests them in. */
function nested(of: JsonSchema, nest: Readonly<Record<string, readonly string[]>>): JsonSchema {
  if (Object.keys(nest).length === 0) return of;
  const all = propertiesOf(of);
  const inner = new Set(Object.values(nest).flat());
  const object = (entries: [string, JsonSchema][]): JsonSchema => ({
    type: "object",
    properties: Object.fromEntries(entries),
    required: entries.map(([name]) => name),
  });
  const nests = Object.entries(nest).map(([name, members]): [string, JsonSchema] => [name, object(members.map((one) => [one, all[one]!]))]);
  return object([...Object.entries(all).filter(([name]) => !inner.has(name)), ...nests]);
}
