import { Kind, type OperationDefinitionNode, parse, visit } from "graphql";
import { documentHash } from "../../documents/register.ts";
import { onlyOperation, type Operation } from "../../graphql/operation.ts";
import type { JsonSchema } from "./json-schema.ts";
import type { Parameter } from "./parameters.ts";

/** What a request gives by name: from the path, the query string and the body, which share no name on any route. */
export type Given = Readonly<Record<string, unknown>>;

/** What the answer is made of. Null of any of them is "not found". */
export type Shape =
  /** One thing in the envelope. `nest`: members that stand in an object of their own, by its name. */
  | { readonly kind: "one"; readonly nest?: Readonly<Record<string, readonly string[]>> }
  /** A list in the envelope, perhaps empty. */
  | { readonly kind: "list" }
  /** A connection's nodes in the envelope, with `meta` beside them. */
  | { readonly kind: "page" }
  /** A connection's nodes without an envelope. */
  | { readonly kind: "bare" };

/** A REST route: one persisted document, what a request makes its variables of, and what becomes of its result. */
export interface RouteDefinition {
  /** Unique, for generated clients. */
  readonly name: string;
  readonly method: "GET" | "POST" | "PATCH" | "DELETE";
  /** As OpenAPI writes it: `/v1/customers/{id}`. */
  readonly path: string;
  readonly summary: string;
  /** What each part of the path is, by name. */
  readonly parts?: Readonly<Record<string, string>>;
  readonly document: string;
  /** What may stand in the query string. */
  readonly query?: Readonly<Record<string, Parameter>>;
  /** The query's parameter for the rows a page has; with `page` they place the page. */
  readonly size?: string;
  /** Members of the body beside the document's variables. */
  readonly body?: Readonly<Record<string, JsonSchema>>;
  /**
   * The document's variables; several: asked one after the other until one is found. By default what is given. Throws
   * `invalid`.
   */
  readonly variables?: (given: Given) => Given | readonly Given[];
  /** What is told with 400; by default that customer data is invalid. */
  readonly invalid?: string;
  readonly status: 200 | 201;
  readonly message: string | ((data: Given, given: Given) => string);
  readonly shape: Shape;
}

/** A route with what its document says. */
export interface Route extends RouteDefinition {
  readonly hash: string;
  readonly operation: Operation;
  /** The members of its body; null: it has none. */
  readonly members: readonly string[] | null;
  /** Those of them that must be there. */
  readonly required: readonly string[];
  /** Those of them that are lists: GraphQL would take a single thing for a list of one. */
  readonly lists: readonly string[];
  /** What the mutation's input calls each variable: rules are told by the names of REST. */
  readonly names: ReadonlyMap<string, string>;
}

/** Reads a route's document. */
export function route(definition: RouteDefinition): Route {
  const operation = onlyOperation(parse(definition.document))!;
  const variables = variablesOf(operation.operation).filter(({ name }) => !(name in (definition.parts ?? {})));
  const hasBody = definition.method === "POST" || definition.method === "PATCH";
  const names = new Map<string, string>();
  visit(operation.operation, {
    ObjectField: ({ name, value }) => void (value.kind === Kind.VARIABLE && names.set(name.value, value.name.value)),
  });
  return {
    ...definition,
    hash: documentHash(definition.document),
    operation,
    members: hasBody ? [...variables.map(({ name }) => name), ...Object.keys(definition.body ?? {})] : null,
    required: hasBody ? variables.filter(({ isRequired }) => isRequired).map(({ name }) => name) : [],
    lists: variables.filter(({ isList }) => isList).map(({ name }) => name),
    names,
  };
}

/** An operation's variables. */
function variablesOf({ variableDefinitions = [] }: OperationDefinitionNode): { name: string; isRequired: boolean; isList: boolean }[] {
  return variableDefinitions.map(({ variable, type, defaultValue }) => ({
    name: variable.name.value,
    isRequired: type.kind === Kind.NON_NULL_TYPE && !defaultValue,
    isList: (type.kind === Kind.NON_NULL_TYPE ? type.type : type).kind === Kind.LIST_TYPE,
  }));
}
