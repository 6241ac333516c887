import { type ExecutionArgs, getOperationAST, Kind, type OperationDefinitionNode } from "graphql";
import { collectFields } from "graphql/execution/collectFields.js";

/**
 * The name of the first root field that an operation runs, through fragments, after @skip and @include, and past
 * `__typename`; null when it runs none. Not its alias, which is the caller's text.
 */
export function rootFieldName({ schema, document, operationName, variableValues }: ExecutionArgs): string | null {
  const operation = getOperationAST(document, operationName);
  const type = operation && schema.getRootType(operation.operation);
  if (!type) return null;
  const fragments = Object.fromEntries(
    document.definitions.flatMap((node) => (node.kind === Kind.FRAGMENT_DEFINITION ? [[node.name.value, node]] : [])),
  );
  const fields = collectFields(schema, fragments, { ...booleanDefaults(operation), ...variableValues }, type, operation.selectionSet);
  const names = [...fields.values()].map(([node]) => node!.name.value);
  return names.find((name) => !name.startsWith("__")) ?? null;
}

/** What @skip and @include need of the variables: those values are the same before and after coercion, but for defaults. */
function booleanDefaults({ variableDefinitions }: OperationDefinitionNode): Record<string, boolean> {
  return Object.fromEntries(
    (variableDefinitions ?? []).flatMap(({ variable, defaultValue }) =>
      defaultValue?.kind === Kind.BOOLEAN ? [[variable.name.value, defaultValue.value]] : [],
    ),
  );
}
