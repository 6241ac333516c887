import {
  BreakingChangeType,
  type DocumentNode,
  findBreakingChanges,
  getNamedType,
  type GraphQLInputType,
  type GraphQLSchema,
  isInputObjectType,
  TypeInfo,
  visit,
  visitWithTypeInfo,
} from "graphql";

/** Changes that a document that stays valid can still break at: they are of what is sent with it, or of what it is answered. */
const TOLD = {
  [BreakingChangeType.FIELD_CHANGED_KIND]: /^(\S+\.\S+) changed type /,
  [BreakingChangeType.REQUIRED_INPUT_FIELD_ADDED]: /^A required field \S+ on input type (\S+) was added/,
  [BreakingChangeType.FIELD_REMOVED]: /^(\S+\.\S+) was removed/,
  [BreakingChangeType.VALUE_REMOVED_FROM_ENUM]: /^\S+ was removed from enum type (\S+)\./,
  [BreakingChangeType.TYPE_REMOVED_FROM_UNION]: /^\S+ was removed from union type (\S+)\./,
} as Partial<Record<BreakingChangeType, RegExp>>;

/**
 * What a document would meet when one schema takes the place of another, though it may be valid against both: GraphQL's own list of
 * breaking changes, of it what the document reads and what its variables can hold.
 */
export function breaksBetween(from: GraphQLSchema, to: GraphQLSchema): (document: DocumentNode) => string[] {
  const changes = findBreakingChanges(from, to).flatMap(({ type, description }) => {
    const about = TOLD[type]?.exec(description)?.[1];
    return about === undefined ? [] : [{ about, description }];
  });
  return (document) => {
    const used = usedBy(from, document);
    return changes.filter(({ about }) => used.has(about)).map(({ description }) => description);
  };
}

/** The names of what a document uses: `Type.field` of what it reads, and the types of both ways with the fields of inputs. */
function usedBy(schema: GraphQLSchema, document: DocumentNode): Set<string> {
  const used = new Set<string>();
  const info = new TypeInfo(schema);
  const addInput = (type: GraphQLInputType): void => {
    const named = getNamedType(type);
    if (used.has(named.name)) return;
    used.add(named.name);
    if (!isInputObjectType(named)) return;
    for (const field of Object.values(named.getFields())) {
      used.add(`${named.name}.${field.name}`);
      addInput(field.type);
    }
  };
  visit(
    document,
    visitWithTypeInfo(info, {
      Field() {
        const [parent, field] = [info.getParentType(), info.getFieldDef()];
        if (!parent || !field) return;
        used.add(`${parent.name}.${field.name}`).add(getNamedType(field.type).name);
        for (const { type } of field.args) addInput(type);
      },
    }),
  );
  return used;
}
