import { type FieldNode, getNamedType, type GraphQLObjectType, type GraphQLResolveInfo } from "graphql";
import { collectSubfields } from "graphql/execution/collectFields.js";
import { maySee } from "../../access/principal.ts";
import { CUSTOMER_FIELDS, type CustomerFieldName } from "../../access/visibility.ts";
import type { Context } from "../../context.ts";
import { columnsOf, type CustomerSelect, KEY_COLUMNS } from "./customer.loader.ts";

/** The customers that a field answers with are the field's own. */
const ITSELF: readonly (readonly string[])[] = [[]];

/**
 * The columns that an operation asks of the customers at some paths under the field that `info` is of: after @skip and @include,
 * under whatever names. A field that is withheld reads none; the key is always read.
 */
export function columnsAsked({ principal }: Context, info: GraphQLResolveInfo, paths = ITSELF): CustomerSelect {
  const select: CustomerSelect = { ...KEY_COLUMNS };
  const { schema, fragments, variableValues, fieldNodes, returnType } = info;
  const under = (type: unknown, nodes: readonly FieldNode[]) => [
    ...collectSubfields(schema, fragments, variableValues, type as GraphQLObjectType, nodes).values(),
  ];
  for (const path of paths) {
    let nodes = fieldNodes;
    let type: unknown = getNamedType(returnType);
    for (const step of path) {
      nodes = under(type, nodes)
        .filter(([node]) => node!.name.value === step)
        .flat();
      type = getNamedType((type as GraphQLObjectType).getFields()[step]!.type);
    }
    for (const [node] of under(schema.getType("Customer"), nodes)) {
      const name = node!.name.value as CustomerFieldName;
      if (Object.hasOwn(CUSTOMER_FIELDS, name) && maySee(principal, name)) Object.assign(select, columnsOf(name));
    }
  }
  return select;
}
