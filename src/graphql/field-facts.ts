import type { GraphQLField } from "graphql";
import type { Requirement } from "../access/requirement.ts";
import type { Context } from "../context.ts";
import type { CustomerFieldName } from "../access/visibility.ts";

/** Stands for a value that a variable will give, where it is asked what an operation can cost at most. */
export const ANY = Symbol("any value");

/** A field's arguments as they stand in a document: each, and each part of it, can be any value. */
export type ArgsOrAny = Record<string, any>;

/** What a field of the schema tells of its access rules, beside `authScopes`, and of its cost, so that they can be read without running it. */
export interface FieldFacts<Args = any> {
  /** The fields of a customer that its arguments ask about: who may not see them is refused with FORBIDDEN_FIELD. */
  readonly asks?: (args: Args) => readonly CustomerFieldName[];
  /** For a field of an abstract type: the type that its arguments name and what that needs; null when they name none. */
  readonly names?: (args: Args) => { readonly typename: string; readonly requires: Requirement } | null;
  /** What else its arguments need that only stored data tells, as refusals name it; null: nothing, or nothing that hangs on access. */
  readonly needs?: (args: Args, context: Context) => Promise<string | null>;
  /**
   * How many objects it returns at most; `parentArgs` are those of the field that gave its parent, e.g. of the
   * connection. By default 1, and 10 for a list.
   */
  readonly size?: (args: ArgsOrAny, parentArgs: ArgsOrAny) => number;
  /**
   * What each of these objects costs without what is below it, in points and tenths of one. By default a point for
   * a type with an id, a tenth for any other object, nothing for a plain value.
   */
  readonly points?: (args: ArgsOrAny, parentArgs: ArgsOrAny) => number;
  /** How many customers it looks up by a value above STANDARD that the caller knows already. By default none. */
  readonly lookups?: (args: ArgsOrAny) => number;
}

/** The facts of a field, written where it is defined: `extensions: facts({…})`. */
export function facts<Args>(of: FieldFacts<Args>): { facts: FieldFacts<Args> } {
  return { facts: of };
}

export function factsOf(field: GraphQLField<unknown, unknown>): FieldFacts {
  return (field.extensions["facts"] as FieldFacts | undefined) ?? {};
}

/** The `authScopes` that a field was defined with, or undefined: any key will do. */
export function requirementOfField(field: GraphQLField<unknown, unknown>): Requirement | undefined {
  return (field.extensions["pothosOptions"] as { authScopes?: Requirement }).authScopes;
}
