import { type DocumentNode, GraphQLError, type GraphQLSchema, parse, validate } from "graphql";
import { refuseTooDeep } from "../graphql/nesting.ts";
import { onlyOperation } from "../graphql/operation.ts";
import { MAX_TOKENS, overlong, oversize } from "./document-size.ts";

/**
 * Reads a document as a request's is read, without running it: the document if it could run, and what is wrong with it
 * otherwise; `name` is its operation's, when it has one and can be parsed. `maxTokens`: at most this many words and signs, when that is less than for any document.
 */
export function readDocument(
  schema: GraphQLSchema,
  text: string,
  maxTokens = MAX_TOKENS,
): { parsed: DocumentNode | null; faults: readonly GraphQLError[]; name: string | null } {
  const tooLong = overlong(text);
  if (tooLong) return { parsed: null, faults: [tooLong], name: null };
  try {
    const parsed = refuseTooDeep(() => parse(text, { maxTokens }));
    const tooLarge = refuseTooDeep(() => oversize(parsed));
    const faults = tooLarge ? [tooLarge] : refuseTooDeep(() => validate(schema, parsed));
    const name = onlyOperation(parsed)?.operation.name?.value ?? null;
    return { parsed: faults.length === 0 ? parsed : null, faults, name };
  } catch (error) {
    if (!(error instanceof GraphQLError)) throw error;
    return { parsed: null, faults: [error], name: null };
  }
}
