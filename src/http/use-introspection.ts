import { BREAK, type DocumentNode, GraphQLError, visit } from "graphql";
import type { Plugin } from "graphql-yoga";
import { INTROSPECTION, lacking } from "../access/requirement.ts";
import type { Context } from "../context.ts";
import { forbidden } from "../graphql/errors.ts";

/**
 * Shows the schema only to those who may know it whole. To anybody else a document that asks for `__schema` or `__type`
 * is FORBIDDEN, a registered one too, and errors do not propose names of the schema. `__typename` is open to all.
 */
export function useIntrospection(): Plugin<Context, Context> {
  return {
    onExecute({ args, setResultAndStopExecution }) {
      const requires = lacking((args.contextValue as Context).principal, INTROSPECTION);
      if (requires !== null && introspects(args.document)) setResultAndStopExecution({ errors: [forbidden(requires)] });
    },
    onResultProcess(response) {
      const { result, serverContext } = response;
      if (!("errors" in result && result.errors) || lacking(serverContext.principal, INTROSPECTION) === null) return;
      response.setResult({ ...result, errors: result.errors.map(withoutSuggestion) });
    },
  };
}

/** Documents are kept between requests, and this with them. */
const known = new WeakMap<DocumentNode, boolean>();

function introspects(document: DocumentNode): boolean {
  let found = known.get(document);
  if (found !== undefined) return found;
  found = false;
  visit(document, {
    Field({ name }) {
      if (name.value !== "__schema" && name.value !== "__type") return undefined;
      found = true;
      return BREAK;
    },
  });
  known.set(document, found);
  return found;
}

/** What GraphQL adds to an error about a name that is nearly one of the schema's. */
const SUGGESTION = / Did you mean .*$/s;

function withoutSuggestion(error: GraphQLError): GraphQLError {
  if (!SUGGESTION.test(error.message)) return error;
  const { message, nodes, path, extensions } = error;
  return new GraphQLError(message.replace(SUGGESTION, ""), { nodes, path, extensions });
}
