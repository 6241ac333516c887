import { type DocumentNode, type FragmentDefinitionNode, Kind, type OperationDefinitionNode, visit } from "graphql";

/** An operation of a valid document, with the document's fragments by name. */
export interface Operation {
  readonly operation: OperationDefinitionNode;
  readonly fragments: Record<string, FragmentDefinitionNode>;
}

/** A document's one operation; null when it has none or several. */
export function onlyOperation({ definitions }: Pick<DocumentNode, "definitions">): Operation | null {
  const [operation, ...more] = definitions.filter((node): node is OperationDefinitionNode => node.kind === Kind.OPERATION_DEFINITION);
  const fragments = definitions.filter((node): node is FragmentDefinitionNode => node.kind === Kind.FRAGMENT_DEFINITION);
  return operation && more.length === 0
    ? { operation, fragments: Object.fromEntries(fragments.map((node) => [node.name.value, node])) }
    : null;
}

/** The operation without @skip and @include that hang on a variable. */
export function alwaysIncluded({ operation, fragments }: Operation): Operation {
  const strip = <Node extends OperationDefinitionNode | FragmentDefinitionNode>(root: Node): Node =>
    visit(root, {
      Directive: ({ name, arguments: given = [] }) =>
        (name.value === "skip" || name.value === "include") && given.some(({ value }) => value.kind === Kind.VARIABLE) ? null : undefined,
    });
  return {
    operation: strip(operation),
    fragments: Object.fromEntries(Object.entries(fragments).map(([name, fragment]) => [name, strip(fragment)])),
  };
}
