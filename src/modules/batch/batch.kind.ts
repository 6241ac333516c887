import type { Requirement } from "../../access/requirement.ts";

/** How the batches of a kind are known in the schema, and what their rows become. */
export interface KindInSchema {
  /** The kind's name, e.g. CUSTOMER. */
  readonly name: string;
  /** The batches' type, and the prefix of their global ids. */
  readonly typename: string;
  readonly prefix: string;
  /** Who reads them. */
  readonly requires: Requirement;
  /** The type of what a row becomes, and the prefix of its global id. */
  readonly thing: { readonly typename: string; readonly prefix: string };
}

const kinds = new Map<string, KindInSchema>();

/** Makes a kind known to what all kinds share. Gives it back. */
export function registerKind(kind: KindInSchema): KindInSchema {
  kinds.set(kind.name, kind);
  return kind;
}

/** The kind of this name. */
export function kindInSchema(name: string): KindInSchema {
  return kinds.get(name)!;
}
