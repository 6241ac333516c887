import { type FieldNode, type GraphQLSchema, Kind, type SelectionSetNode } from "graphql";
import type { Principal } from "../../access/principal.ts";
import { documentHash } from "../../documents/register.ts";
import { analyse } from "../../graphql/access-analysis.ts";
import { onlyOperation, type Operation } from "../../graphql/operation.ts";
import { largestCostOf } from "../../limits/cost.ts";
import { readDocument } from "../../limits/read-document.ts";

/** A document as it is sent to be published. */
export interface SentDocument {
  /** 64 lower-case hex digits, with or without `sha256:`. */
  readonly hash: string;
  readonly text: string;
}

/** Why a document cannot be published. */
export interface DocumentIssue {
  readonly document: string;
  readonly hash: string;
  readonly line: number | null;
  readonly message: string;
}

/** A document that can be published. */
export interface CheckedDocument {
  readonly hash: string;
  readonly name: string;
  readonly text: string;
  /** The most points that it can cost, whatever its variables. */
  readonly cost: number;
}

/** What a client's documents must keep to. */
export interface ClientBounds {
  /** Who bears each valid key of the client: a document selects only what all of them may see. */
  readonly principals: readonly Principal[];
  readonly costLimit: number;
}

/**
 * What a document would be registered as, or every reason why it cannot be: its hash is not its text's, it is not valid or
 * too large, it can cost more than the client may, or it selects what a key of the client may not see or ask for. What
 * hangs on arguments is judged when it runs.
 */
export function checkDocument(
  schema: GraphQLSchema,
  { hash: sent, text }: SentDocument,
  bounds: ClientBounds,
): CheckedDocument | DocumentIssue[] {
  const hash = sent.replace(/^sha256:/, "");
  const actual = documentHash(text);
  const { parsed, faults, name: given } = readDocument(schema, text);
  const operation = parsed && onlyOperation(parsed);
  const name = given ?? hash.slice(0, 64);
  const issues: DocumentIssue[] = [];
  const refuse = (message: string, line: number | null = null) => issues.push({ document: name, hash: hash.slice(0, 100), line, message });

  if (hash !== actual)
    refuse(
      `its id is not the SHA-256 of its text, ${actual}: have the manifest made with SHA-256 ids (Relay's persistConfig: "algorithm": "SHA256")`,
    );
  if (text.includes("\0")) refuse("it holds a NUL sign");
  for (const { message, locations } of faults) refuse(message, locations?.[0]?.line ?? null);
  if (faults.length === 0 && !operation) refuse("it must have one operation, and no more");
  if (!operation) return issues;
  if (!operation.operation.name) refuse("its operation must have a name", 1);
  const cost = largestCostOf(schema, operation);
  if (cost > bounds.costLimit) {
    refuse(
      `it can cost ${Number.isFinite(cost) ? cost : "more than ten million"} points with the largest variables; at most ${bounds.costLimit} are allowed`,
    );
  }
  for (const [message, path] of accessIssues(schema, operation, bounds.principals)) refuse(message, lineOf(operation, path));
  return issues.length > 0 ? issues : { hash: actual, name, text, cost };
}

/** What some key of the client would not be shown, or be refused, each once, with its response path. */
function accessIssues(schema: GraphQLSchema, operation: Operation, principals: readonly Principal[]): Map<string, readonly string[]> {
  const issues = new Map<string, readonly string[]>();
  for (const principal of principals) {
    const { withheld, forbidden } = analyse(schema, operation, null, principal);
    for (const { path, field, requires } of withheld) {
      issues.set(`${path.join(".")}: ${field} would be withheld from key ${principal.keyId}, which lacks ${requires}`, path);
    }
    for (const { path, requires } of forbidden)
      issues.set(`${path.join(".")} would be refused to key ${principal.keyId}: it needs ${requires}`, path);
  }
  return issues;
}

/** The line on which a response path's field is selected, in whatever fragment; the first, when there are several. */
function lineOf({ operation, fragments }: Operation, path: readonly string[]): number | null {
  let level: readonly FieldNode[] = fieldsIn(operation.selectionSet, fragments);
  for (const [depth, key] of path.entries()) {
    const found = level.filter(({ name, alias }) => (alias ?? name).value === key);
    if (depth === path.length - 1) return found[0]?.loc?.startToken.line ?? null;
    level = found.flatMap(({ selectionSet }) => fieldsIn(selectionSet, fragments));
  }
  return null;
}

/** The fields of a selection, those of its fragments with it. Of a valid document: no fragment is in itself. */
function fieldsIn(set: SelectionSetNode | undefined, fragments: Operation["fragments"]): FieldNode[] {
  return (set?.selections ?? []).flatMap((node) => {
    if (node.kind === Kind.FIELD) return [node];
    return fieldsIn(node.kind === Kind.INLINE_FRAGMENT ? node.selectionSet : fragments[node.name.value]?.selectionSet, fragments);
  });
}
