import { type ExecutionArgs, getOperationAST } from "graphql";
import type { Plugin } from "graphql-yoga";
import type { Context } from "../context.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import { plainName } from "../telemetry/request-facts.ts";
import type { Tracing } from "../telemetry/tracing.ts";

/** Notes what a valid operation is called whose document is not registered. Comes before it is charged: also of what is refused then. */
export function useOperationFacts(): Plugin<Context> {
  const note = ({ args }: { args: ExecutionArgs }) => {
    const { facts } = args.contextValue as Context;
    if (!facts.document) facts.operation = plainName(getOperationAST(args.document, args.operationName)?.name?.value);
  };
  return { onExecute: note, onSubscribe: note };
}

/** Counts the errors of results by their code, and notes them of the request. */
export function useErrorCodes(metrics: Metrics): Plugin<Context, Context> {
  return {
    onResultProcess({ result, serverContext }) {
      if (!("errors" in result)) return;
      for (const { extensions } of result.errors ?? []) {
        const code = String(extensions["code"]);
        metrics.failed(code);
        serverContext.facts.codes.add(code);
      }
    },
  };
}

/**
 * A span for each query and mutation that runs. Only what is registered names its span: what callers make up would be as
 * many names as they like.
 */
export function useOperationSpan(tracing: Tracing): Plugin<Context> {
  return {
    onExecute({ args, executeFn, setExecuteFn }) {
      const { document, operation } = (args.contextValue as Context).facts;
      const type = getOperationAST(args.document, args.operationName)!.operation;
      const attributes = {
        "graphql.operation.type": type,
        "graphql.operation.name": document?.name ?? operation ?? undefined,
        "graphql.document.hash": document?.hash,
      };
      const name = document?.name ? `${type} ${document.name}` : type;
      setExecuteFn((all) => tracing.within({ name, attributes }, async () => await executeFn(all)));
    },
  };
}
