import { type GraphQLParams, type Plugin, YogaServer } from "graphql-yoga";
import type { Logger } from "pino";
import { noteFaults, noteReads, noteRefusals } from "../audit/note.ts";
import { headerIssue } from "../changes/idempotency.ts";
import type { Context } from "../context.ts";
import { createDocuments } from "../documents/use-documents.ts";
import type { DocumentRegister } from "../documents/register.ts";
import { maskError } from "../graphql/mask-error.ts";
import { schema } from "../graphql/schema.ts";
import type { Replicas } from "../database/replicas.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import type { Tracing } from "../telemetry/tracing.ts";
import { createDocumentCache } from "./document-cache.ts";
import { useIntrospection } from "./use-introspection.ts";
import { useCharge, useDocumentLimits } from "./use-limits.ts";
import { useErrorCodes, useOperationFacts, useOperationSpan } from "./use-observation.ts";
import { useReplicas } from "./use-replicas.ts";
import { useSandbox } from "./use-sandbox.ts";
import { useTimeLimit } from "./use-time-limit.ts";
import type { Run } from "./run-document.ts";

/** What the HTTP layer gives Yoga with each request: the context, and what the body or the URL said. */
export type ServerContext = Context & { readonly graphqlParams: GraphQLParams };

/** What GraphQL over HTTP is made of. */
export interface GraphQLServerParts {
  readonly register: DocumentRegister;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly tracing: Tracing | null;
  /** Null: all is read from the primary. */
  readonly replicas: Replicas | null;
}

/** Answers a request of GraphQL over HTTP, whose body has been read. Never rejects. */
export type GraphQLServer = (request: Run["as"], context: ServerContext) => Promise<Response>;

/**
 * GraphQL over HTTP: Yoga, with what the gateway does itself switched off. Bodies are read and limited
 * before (Yoga's own limit halves throughput), so form bodies never reach it. Without Yoga's adapter to servers, which
 * copies the context property by property; so its plugins' `onRequest` and `onResponse` are never called.
 */
export function createGraphQLServer({ register, log, metrics, tracing, replicas }: GraphQLServerParts): GraphQLServer {
  const cache = createDocumentCache();
  const documents = createDocuments(register);
  const server = new YogaServer<ServerContext, {}>({
    schema,
    graphqlEndpoint: "/graphql",
    batching: false,
    cors: false,
    graphiql: false,
    landingPage: false,
    logging: false,
    maxRequestBodySize: false,
    multipart: false,
    extraParamNames: ["documentId"],
    parserAndValidationCache: cache.caches,
    maskedErrors: { maskError: (error) => maskError(error, log) },
    plugins: [
      useParsedParams(),
      cache.plugin,
      useDocumentLimits(),
      documents.plugin,
      useOperationFacts(),
      useCharge(),
      useIntrospection(),
      useIdempotencyHeader(),
      useVisibilityReport(),
      useAudit(),
      useErrorCodes(metrics),
      useSandbox(),
      ...(replicas ? [useReplicas(replicas)] : []),
      useTimeLimit(),
      ...(tracing ? [useOperationSpan(tracing)] : []),
    ],
  });
  return async (request, context) => {
    const response = await server.handle(request as Request, context as never);
    documents.answered(context, response);
    return response;
  };
}

/** Takes the parameters that the HTTP layer has read already. */
function useParsedParams(): Plugin<{}, ServerContext> {
  return {
    onRequestParse({ setRequestParser, serverContext }) {
      setRequestParser(() => serverContext.graphqlParams);
    },
  };
}

/** Refuses an Idempotency-Key header that does not fit, before anything runs. */
function useIdempotencyHeader(): Plugin<Context, ServerContext> {
  return {
    onExecute({ args, setResultAndStopExecution }) {
      const issue = headerIssue(args);
      if (issue) setResultAndStopExecution({ errors: [issue] });
    },
  };
}

/** Notes for the audit what was shown above STANDARD, each refusal, and each mutation that met a fault. */
function useAudit(): Plugin<Context, ServerContext> {
  return {
    onExecute: ({ args }) => ({
      onExecuteDone: () => noteReads(args.contextValue, args),
    }),
    onResultProcess({ result, serverContext }) {
      if (!("errors" in result && result.errors)) return;
      noteRefusals(serverContext, result.errors);
      noteFaults(serverContext, result.errors, (field) => field in schema.getMutationType()!.getFields());
    },
  };
}

/** Says once a response what was asked for and withheld, in `extensions.visibility`. */
function useVisibilityReport(): Plugin<ServerContext> {
  return {
    onExecute({ args }) {
      const { withheld } = args.contextValue as Context;
      return {
        onExecuteDone({ result, setResult }) {
          if (!("data" in result)) return;
          setResult({ ...result, extensions: { ...result.extensions, visibility: withheld.entries } });
        },
      };
    },
  };
}
