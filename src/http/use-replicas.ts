import { getOperationAST, OperationTypeNode } from "graphql";
import type { Plugin } from "graphql-yoga";
import type { Context } from "../context.ts";
import type { Replicas } from "../database/replicas.ts";

/**
 * Lets queries read from replicas. Mutations stay on the primary with all that they read, and so do streams, whose events tell
 * of what has just been written there.
 */
export function useReplicas(replicas: Replicas): Plugin<Context> {
  return {
    async onExecute({ args: { document, operationName, contextValue } }) {
      if (getOperationAST(document, operationName)?.operation !== OperationTypeNode.QUERY) return;
      const context = contextValue as unknown as { -readonly [Name in keyof Context]: Context[Name] };
      context.db = await context.budget.run(() => replicas.read(context.principal));
    },
  };
}
