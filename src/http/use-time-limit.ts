import { setTimeout as sleep } from "node:timers/promises";
import type { ExecutionResult } from "graphql";
import type { Plugin } from "graphql-yoga";
import { withDeadline } from "../database/deadline.ts";
import { gatewayError } from "../graphql/errors.ts";

/** How long an execution that is cancelled has to end by itself, so that its answer says which fields made it. */
const GRACE_MS = 1000;

/**
 * Ends queries and mutations after `ms` milliseconds with TIMEOUT: what they run in the database is cancelled, and what
 * was not committed is rolled back. Subscriptions go on and on; each of their looks has the time limit of a statement.
 */
export function useTimeLimit(ms: number): Plugin {
  return {
    onExecute({ executeFn, setExecuteFn }) {
      setExecuteFn(async (args) => {
        const done = new AbortController();
        const late = sleep(ms + GRACE_MS, tooLong, { signal: done.signal });
        late.catch(() => {});
        try {
          return await Promise.race([withDeadline(ms, () => executeFn(args)), late.then((result) => result())]);
        } finally {
          done.abort();
        }
      });
    },
  };
}

/** Where the database cannot be made to stop, or does not answer at all. */
function tooLong(): ExecutionResult {
  return { errors: [gatewayError("TIMEOUT", "The request took too long. Ask for less, or try again later.")] };
}
