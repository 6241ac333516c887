import { type ExecutionArgs, type FieldNode, getOperationAST, Kind, type OperationDefinitionNode } from "graphql";
import { collectFields } from "graphql/execution/collectFields.js";

/**
 * The name of the first root field that an operation runs; null when it runs none. Not its alias, which is the caller's text.
 */
export function rootFieldName(execution: ExecutionArgs): string | null {
  return rootFields(execution)[0]?.[1].name.value ?? null;
}

/** The root fields that an operation runs, by their response keys: through fragments, after @skip and @include, and without `__typename`. */
export function rootFields({ schema, document, operationName, variableValues }: ExecutionArgs): [key: string, node: FieldNode][] {
  const operation = getOperationAST(document, operationName);
  const type = operation && schema.getRootType(operation.operation);
  if (!type) return [];
  const fragments = Object.fromEntries(
    document.definitions.flatMap((node) => (node.kind === Kind.FRAGMENT_DEFINITION ? [[node.name.value, node]] : [])),
  );
  const fields = collectFields(schema, fragments, { ...booleanDefaults(operation), ...variableValues }, type, operation.selectionSet);
  return [...fields].flatMap(([key, [node]]): [string, FieldNode][] => (node!.name.value.startsWith("__") ? [] : [[key, node!]]));
}

/** What @skip and @include need of the variables: those values are the same before and after coercion, but for defaults. */
function booleanDefaults({ variableDefinitions }: OperationDefinitionNode): Record<string, boolean> {
  return Object.fromEntries(
    (variableDefinitions ?? []).flatMap(({ variable, defaultValue }) =>
      defaultValue?.kind === Kind.BOOLEAN ? [[variable.name.value, defaultValue.value]] : [],
    ),
  );
}
