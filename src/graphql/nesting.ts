import { gatewayError } from "./errors.ts";

/**
 * Runs a part of GraphQL that calls itself once a level of a document: parsing, validating. A document that nests
 * deeper than the stack reaches, some thousand levels or fragments, is the caller's fault: throws GRAPHQL_PARSE_FAILED.
 */
export function refuseTooDeep<Result>(run: () => Result): Result {
  try {
    return run();
  } catch (error) {
    // Neither makes any other RangeError; the text of this one is the engine's own matter.
    if (!(error instanceof RangeError)) throw error;
    throw gatewayError("GRAPHQL_PARSE_FAILED", "The document nests too deep.", { http: { status: 400, spec: true } });
  }
}
