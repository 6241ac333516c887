import type { GraphQLError } from "graphql";
import { badUserInput } from "../../graphql/errors.ts";

/** One thing that is wrong with a request: the parameter, or the member of the body, or null for the whole; and the rule, never the value. */
export interface RestIssue {
  readonly field: string | null;
  readonly message: string;
}

/** How many things that are wrong are told: of a request that is nothing but wrong, its answer would be larger than it. */
const MOST_TOLD = 100;

/** 400, with all that is wrong. */
export function invalid(issues: readonly RestIssue[]): GraphQLError {
  return badUserInput("The request breaks rules.", { issues: issues.slice(0, MOST_TOLD), http: { status: 400 } });
}
