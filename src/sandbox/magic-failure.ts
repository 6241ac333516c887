import { type FieldNode, getNamedType, type GraphQLResolveInfo, isUnionType, valueFromASTUntyped } from "graphql";
import type { Principal } from "../access/principal.ts";
import type { GatewayFailure } from "../graphql/failure.ts";
import { magicIn } from "./magic.ts";

/** The arguments of a field as they stand in a document, with the variables' values in them. */
export function argumentsOf(
  { arguments: given = [] }: FieldNode,
  variables: { readonly [name: string]: unknown } | null | undefined,
): unknown[] {
  return given.map(({ value }) => valueFromASTUntyped(value, variables as Record<string, unknown>));
}

/** The failure that a magic value in a mutation's arguments asks for, as far as the mutation can answer it; null: none. */
export function magicFailure(principal: Principal, { fieldNodes, variableValues, returnType }: GraphQLResolveInfo): GatewayFailure | null {
  const asked = magicIn(principal, () => argumentsOf(fieldNodes[0]!, variableValues));
  const union = getNamedType(returnType);
  if (asked.size === 0 || !isUnionType(union)) return null;
  const examples = union.getTypes().map(({ extensions }) => (extensions["example"] as (() => GatewayFailure) | undefined)?.());
  return examples.find((failure) => failure && asked.has(failure.code)) ?? null;
}
