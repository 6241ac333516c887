import type { FieldNode, GraphQLResolveInfo } from "graphql";
import type { Path } from "graphql/jsutils/Path.js";
import { collectSubfields } from "graphql/execution/collectFields.js";
import { maySee, type Principal, requirementOf } from "./principal.ts";
import { CUSTOMER_FIELD_NAMES, type CustomerFieldName } from "./visibility.ts";

/** One entry of `extensions.visibility`. */
export interface WithheldField {
  /** Response keys without list indexes, the field's own last. */
  readonly path: readonly string[];
  /** E.g. `Customer.accountNumber`. */
  readonly field: string;
  /** The scope that would grant it, or `X-Visibility`. */
  readonly requires: string;
}

/** Collects what a request asked for and was not shown: one entry a response path. */
export class Withheld {
  readonly #entries = new Map<string, WithheldField>();
  /** The executor shares one array of field nodes among all items of a list: one look suffices. */
  readonly #seen = new Set<readonly FieldNode[]>();

  add(principal: Principal, field: CustomerFieldName, info: GraphQLResolveInfo): void {
    if (this.#seen.has(info.fieldNodes)) return;
    this.#seen.add(info.fieldNodes);
    this.note(principal, field, responseKeys(info.path));
  }

  /** The same for a path that is known without running anything. */
  note(principal: Principal, field: CustomerFieldName, path: readonly string[]): void {
    this.#entries.set(path.join("."), { path, field: `Customer.${field}`, requires: requirementOf(principal, field) });
  }

  get entries(): WithheldField[] {
    return [...this.#entries.values()];
  }
}

/**
 * The fields of the customer at `info`'s parent that the operation asks for and the principal may not
 * see, in schema order: after @skip and @include, aliases collapsed. `info` is that of any field of
 * the customer.
 */
export function redactedFields(principal: Principal, info: GraphQLResolveInfo): CustomerFieldName[] {
  let fields = redactedFieldsOf.get(info.fieldNodes);
  if (!fields) {
    const asked = fieldNamesAt(info, info.path.prev);
    fields = CUSTOMER_FIELD_NAMES.filter((name) => asked.has(name) && !maySee(principal, name));
    redactedFieldsOf.set(info.fieldNodes, fields);
  }
  return fields;
}

/** One execution makes one array of field nodes for all items of a list, so they share the answer. */
const redactedFieldsOf = new WeakMap<readonly FieldNode[], CustomerFieldName[]>();

/** The names of the fields selected on the object at a path of the running operation. */
function fieldNamesAt(info: GraphQLResolveInfo, path: Path | undefined): Set<string> {
  const { schema, fragments, variableValues, operation } = info;
  const steps: Path[] = [];
  for (let step = path; step; step = step.prev) if (typeof step.key === "string") steps.unshift(step);

  // The operation stands in for the root's field node: only its selection set is read.
  let nodes: readonly FieldNode[] = [operation as unknown as FieldNode];
  const under = (typename: string) => {
    const type = schema.getType(typename);
    if (!type || !("getFields" in type)) throw new Error(`no object type ${typename}`);
    return collectSubfields(schema, fragments, variableValues, type as never, nodes);
  };
  for (const step of steps) nodes = under(step.typename!).get(String(step.key)) ?? [];
  return new Set([...under(info.parentType.name).values()].map(([node]) => node!.name.value));
}

function responseKeys(path: Path): string[] {
  const keys: string[] = [];
  for (let step: Path | undefined = path; step; step = step.prev) if (typeof step.key === "string") keys.unshift(step.key);
  return keys;
}
