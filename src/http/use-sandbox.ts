import { setTimeout as sleep } from "node:timers/promises";
import { type ExecutionArgs, GraphQLError } from "graphql";
import type { Plugin } from "graphql-yoga";
import { rootFields } from "../audit/root-field.ts";
import type { Context } from "../context.ts";
import { asPostgres } from "../database/deadline.ts";
import { maskError } from "../graphql/mask-error.ts";
import { argumentsOf } from "../sandbox/magic-failure.ts";
import { magicIn } from "../sandbox/magic.ts";
import { coerceVariables } from "./use-limits.ts";

/** How late a slow answer is, in milliseconds, and how many a process has waiting at once: what comes above is not slow. */
const SLOW_MS = 3_000;
const MOST_SLOW = 50;

/** The faults that can be asked for, as they arise where they are real. */
const FAULTS = {
  INTERNAL_SERVER_ERROR: () => new Error("asked for by a magic value of the sandbox"),
  UNAVAILABLE: () => asPostgres("57P03", "FATAL", "asked for by a magic value of the sandbox"),
  TIMEOUT: () => asPostgres("57014", "ERROR", "asked for by a magic value of the sandbox"),
};

/** Brings about what the magic values of an operation ask of the whole request, before anything of it runs. */
export function useSandbox(): Plugin<Context> {
  let slow = 0;
  // A route of REST may ask several times for one request.
  const late = new WeakSet<object>();
  async function wait({ stopping, gone, charge }: Context): Promise<void> {
    if (slow >= MOST_SLOW || late.has(charge)) return;
    late.add(charge);
    slow += 1;
    // Who waits holds nothing of the database, and goes on at once when the gateway stops or the caller goes away.
    await sleep(SLOW_MS, undefined, { signal: AbortSignal.any([stopping, gone()]) }).catch(() => {});
    slow -= 1;
  }
  return {
    async onExecute({ args, setResultAndStopExecution }) {
      const context = args.contextValue as unknown as { -readonly [Name in keyof Context]: Context[Name] };
      const asked = magicIn(context.principal, () => {
        const variables = coerceVariables(args).coerced ?? {};
        return rootFields(args).map(([, node]) => argumentsOf(node, variables));
      });
      if (asked.has("PROCESSING")) context.respondAsync = true;
      if (asked.has("SLOW")) await wait(context);
      if (asked.has("RATE_LIMITED")) return setResultAndStopExecution({ errors: [context.charge.refuseAsSpent() as GraphQLError] });
      const fault = Object.entries(FAULTS).find(([code]) => asked.has(code as keyof typeof FAULTS))?.[1];
      if (fault) setResultAndStopExecution({ data: null, errors: [faultAt(args, fault())] });
    },
  };
}

/** A fault of an operation's first field, as it is told, and noted of a mutation. */
function faultAt(args: ExecutionArgs, originalError: Error): GraphQLError {
  const [[key, node]] = rootFields(args) as [[string, never]];
  const { log } = args.contextValue as Context;
  return maskError(new GraphQLError(originalError.message, { nodes: [node], path: [key], originalError }), log) as GraphQLError;
}
