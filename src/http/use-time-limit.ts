import type { ExecutionResult } from "graphql";
import type { Plugin } from "graphql-yoga";
import type { Context } from "../context.ts";
import { gatewayError } from "../graphql/errors.ts";

/** How long an execution that is cancelled has to end by itself, so that its answer says which fields made it. */
const GRACE_MS = 400;

/**
 * Ends queries and mutations with TIMEOUT when their time is up, of which their key and document have taken some: what they run in the database is cancelled, and what
 * was not committed is rolled back. Subscriptions go on and on; each of their looks has the time limit of a statement.
 */
export function useTimeLimit(): Plugin<Context> {
  return {
    onExecute({ executeFn, setExecuteFn }) {
      setExecuteFn(async (args) => {
        const { budget } = args.contextValue as Context;
        const late = Promise.withResolvers<ExecutionResult>();
        const timer = setTimeout(() => late.resolve(tooLong()), budget.leftMs + GRACE_MS);
        try {
          return await Promise.race([budget.run(() => executeFn(args)), late.promise]);
        } finally {
          clearTimeout(timer);
        }
      });
    },
  };
}

/** Where the database cannot be made to stop, or does not answer at all. */
function tooLong(): ExecutionResult {
  return { errors: [gatewayError("TIMEOUT", "The request took too long. Ask for less, or try again later.")] };
}
