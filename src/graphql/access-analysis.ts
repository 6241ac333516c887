import {
  type FieldNode,
  getNamedType,
  getVariableValues,
  type GraphQLError,
  type GraphQLField,
  type GraphQLObjectType,
  type GraphQLSchema,
  isAbstractType,
  isObjectType,
} from "graphql";
import { collectFields, collectSubfields } from "graphql/execution/collectFields.js";
import { getArgumentValues } from "graphql/execution/values.js";
import { maySee, type Principal, requirementOf } from "../access/principal.ts";
import { Withheld, type WithheldField } from "../access/redaction.ts";
import { INTROSPECTION, lacking } from "../access/requirement.ts";
import { CUSTOMER_FIELDS, type CustomerFieldName } from "../access/visibility.ts";
import type { Context } from "../context.ts";
import { badUserInput } from "./errors.ts";
import { factsOf, requirementOfField } from "./field-facts.ts";
import { variableError } from "./mask-error.ts";
import { alwaysIncluded, type Operation } from "./operation.ts";

/** A field that would be refused. */
export interface ForbiddenField {
  readonly path: readonly string[];
  /** The field that an argument must not ask about, e.g. `Customer.email`; null: the field of the path itself is refused. */
  readonly field: string | null;
  readonly requires: string;
}

/** What a document would not be shown, were every object there that it names. */
export interface Analysis {
  readonly withheld: readonly WithheldField[];
  readonly forbidden: readonly ForbiddenField[];
  /** What stored data alone can tell: what a field needs beside, or null. */
  readonly stored: readonly { readonly path: readonly string[]; readonly needs: (context: Context) => Promise<string | null> }[];
}

type Fields = ReadonlyMap<string, readonly FieldNode[]>;

/**
 * Walks an operation as the executor does, with every object there and nothing read: what is withheld and what
 * is refused follows from the same table, facts and functions as when it runs. Without variables (`given` is null) it
 * is with whatever variables: all that they could leave out is there, and what hangs on arguments is not judged. Throws
 * BAD_USER_INPUT for variables that the operation does not take.
 */
export function analyse(schema: GraphQLSchema, whole: Operation, given: Record<string, unknown> | null, principal: Principal): Analysis {
  const { operation, fragments } = given === null ? alwaysIncluded(whole) : whole;
  const { coerced: variables, errors } =
    given === null
      ? { coerced: {}, errors: undefined }
      : getVariableValues(schema, operation.variableDefinitions ?? [], given, { maxErrors: 1 });
  if (errors?.[0]) throw wrongVariable(errors[0]);
  const withheld = new Withheld();
  const forbidden = new Map<string, ForbiddenField>();
  const stored: Analysis["stored"][number][] = [];
  const refuse = (entry: ForbiddenField) => void forbidden.set(JSON.stringify(entry), entry);

  /** Whether the executor would go into a field's value; if not, why is noted. */
  function isOpen(parent: GraphQLObjectType, field: GraphQLField<unknown, unknown>, args: object | null, path: readonly string[]): boolean {
    const requires = lacking(principal, requirementOfField(field)) ?? (args && lacking(principal, factsOf(field).names?.(args)?.requires));
    if (requires !== null) return (refuse({ path, field: null, requires }), false);
    if (parent.name === "Customer" && Object.hasOwn(CUSTOMER_FIELDS, field.name) && !maySee(principal, field.name as CustomerFieldName)) {
      return (withheld.note(principal, field.name as CustomerFieldName, path), false);
    }
    const hidden = ((args && factsOf(field).asks?.(args)) ?? []).filter((asked) => !maySee(principal, asked));
    for (const asked of hidden) refuse({ path, field: `Customer.${asked}`, requires: requirementOf(principal, asked) });
    return hidden.length === 0;
  }

  function visit(parent: GraphQLObjectType, fields: Fields, path: readonly string[]): void {
    for (const [key, nodes] of fields) {
      const { name } = nodes[0]!;
      const field = parent.getFields()[name.value];
      const here = [...path, key];
      if (!field) {
        // __typename is open to all, __schema and __type are not.
        const requires = name.value === "__typename" ? null : lacking(principal, INTROSPECTION);
        if (requires !== null) refuse({ path: here, field: null, requires });
        continue;
      }
      const args = given === null ? null : argumentsOf(field, nodes[0]!, variables!);
      if (!isOpen(parent, field, args, here)) continue;
      const { needs } = factsOf(field);
      if (args && needs) stored.push({ path: here, needs: (context) => needs(args, context) });
      for (const type of possibleTypes(schema, field, args))
        visit(type, collectSubfields(schema, fragments, variables!, type, nodes), here);
    }
  }

  const root = schema.getRootType(operation.operation)!;
  visit(root, collectFields(schema, fragments, variables!, root, operation.selectionSet), []);
  return { withheld: withheld.entries, forbidden: [...forbidden.values()], stored };
}

/** The object types that a field's value may be of: the one that its arguments name, or all. */
function possibleTypes(schema: GraphQLSchema, field: GraphQLField<unknown, unknown>, args: object | null): readonly GraphQLObjectType[] {
  const type = getNamedType(field.type);
  if (isObjectType(type)) return [type];
  if (!isAbstractType(type)) return [];
  const named = args === null ? undefined : factsOf(field).names?.(args);
  return schema.getPossibleTypes(type).filter(({ name }) => named === undefined || name === named?.typename);
}

/** A valid document's arguments can still be wrong by its variables, as null for a non-null argument with a default. */
function argumentsOf(field: GraphQLField<unknown, unknown>, node: FieldNode, variables: Record<string, unknown>): object {
  try {
    return getArgumentValues(field, node, variables);
  } catch {
    throw badUserInput(`The variables do not fit the arguments of ${field.name}.`);
  }
}

function wrongVariable(error: GraphQLError): GraphQLError {
  if (!error.message.startsWith('Variable "$')) return badUserInput("The variables do not fit the document.");
  const { message, extensions } = variableError(error.message);
  const { inputPath, index } = extensions;
  return badUserInput(`variables: ${message}`, { inputPath, ...(index !== undefined && { index }) });
}
