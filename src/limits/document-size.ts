import { type DocumentNode, type FragmentDefinitionNode, type GraphQLError, Kind, type SelectionSetNode } from "graphql";
import { gatewayError } from "../graphql/errors.ts";

/** How many words and signs a document may have, for the parser. */
export const MAX_TOKENS = 20_000;

/** How many characters: comments and blanks are no words, and take the parser as long. */
const MAX_LENGTH = 250_000;

/** How large an operation may be, and a fragment. What fragments hold counts wherever they are spread. */
export interface DocumentSize {
  /** Levels of fields. */
  depth: number;
  /** Fields and fragments side by side: no type has as many fields. */
  width: number;
  /** On any one field or fragment: GraphQL has two, and each may stand once. */
  directivesInARow: number;
  fields: number;
  aliases: number;
  /** On fields and fragments. */
  directives: number;
  /** Spreads of fragments, inline ones too. */
  fragments: number;
}

/** GraphiQL's question for the schema, the largest that is usual, nests 15 deep and has 75 fields. */
const MOST: DocumentSize = { depth: 20, width: 250, directivesInARow: 4, fields: 2000, aliases: 100, directives: 200, fragments: 500 };

/** How a refusal begins, of what is not simply counted. */
const SAYS: { [What in keyof DocumentSize]?: (found: string) => string } = {
  depth: (found) => `The document nests ${found} levels deep`,
  width: (found) => `The document has ${found} fields and fragments side by side`,
  directivesInARow: (found) => `The document has ${found} directives in a row`,
};

/** Refuses with COST_LIMIT_EXCEEDED a text that is too long to be parsed. */
export function overlong({ length }: string): GraphQLError | null {
  return length > MAX_LENGTH
    ? gatewayError("COST_LIMIT_EXCEEDED", `The document has ${length} characters; at most ${MAX_LENGTH} are allowed.`)
    : null;
}

/**
 * Refuses with COST_LIMIT_EXCEEDED a document that is too large to be validated and run: it says by what, the limit
 * and how much there is. One walk, before validation, in time that grows with the document's length alone.
 */
export function oversize(document: DocumentNode): GraphQLError | null {
  const measure = measureWith(document);
  for (const definition of document.definitions) {
    if (!("selectionSet" in definition)) continue;
    const size = measure(definition.selectionSet);
    for (const [what, most] of Object.entries(MOST) as [keyof DocumentSize, number][]) {
      if (size[what] > most) return tooLarge(what, most, size[what]);
    }
  }
  return null;
}

function tooLarge(what: keyof DocumentSize, most: number, found: number): GraphQLError {
  const shown = found > Number.MAX_SAFE_INTEGER ? "more than can be counted" : String(found);
  const says = SAYS[what]?.(shown) ?? `The document has ${shown} ${what}, those of its fragments counted wherever they are spread`;
  return gatewayError("COST_LIMIT_EXCEEDED", `${says}; at most ${most} are allowed.`);
}

/** Measures selections; each fragment is walked once. */
function measureWith({ definitions }: DocumentNode): (selections: SelectionSetNode) => DocumentSize {
  const fragments = new Map(
    definitions
      .filter((node): node is FragmentDefinitionNode => node.kind === Kind.FRAGMENT_DEFINITION)
      .map((node) => [node.name.value, node]),
  );
  const known = new Map<string, DocumentSize>();

  function ofFragment(name: string): DocumentSize {
    let size = known.get(name);
    if (size) return size;
    // What spreads itself is for validation to refuse.
    known.set(name, nothing());
    size = ofSelections(fragments.get(name)?.selectionSet);
    known.set(name, size);
    return size;
  }

  function ofSelections(set: SelectionSetNode | undefined): DocumentSize {
    const size = nothing();
    const selections = set?.selections ?? [];
    size.width = selections.length;
    for (const node of selections) {
      const isField = node.kind === Kind.FIELD;
      const below = node.kind === Kind.FRAGMENT_SPREAD ? ofFragment(node.name.value) : ofSelections(node.selectionSet);
      size.depth = Math.max(size.depth, below.depth + Number(isField));
      size.width = Math.max(size.width, below.width);
      size.directivesInARow = Math.max(size.directivesInARow, below.directivesInARow, node.directives?.length ?? 0);
      size.fields += below.fields + Number(isField);
      size.aliases += below.aliases + Number(isField && node.alias !== undefined);
      size.directives += below.directives + (node.directives?.length ?? 0);
      size.fragments += below.fragments + Number(!isField);
    }
    return size;
  }
  return ofSelections;
}

const nothing = (): DocumentSize => ({ depth: 0, width: 0, directivesInARow: 0, fields: 0, aliases: 0, directives: 0, fragments: 0 });
