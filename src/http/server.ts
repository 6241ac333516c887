import { randomUUID } from "node:crypto";
import type { GraphQLError } from "graphql";
import type { Authenticate } from "../access/authenticate.ts";
import type { Services } from "../context.ts";
import type { Readiness } from "../database/readiness.ts";
import type { Replicas } from "../database/replicas.ts";
import type { TenantDatabase } from "../database/tenant-database.ts";
import type { DocumentRegister } from "../documents/register.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import { RequestFacts } from "../telemetry/request-facts.ts";
import type { Tracing } from "../telemetry/tracing.ts";
import type { Limits } from "../limits/charge.ts";
import { type Caller, createEntrance } from "./admit.ts";
import { bodyLimit, readParams } from "./body.ts";
import { createCors } from "./cors.ts";
import { withEntityTag } from "./entity-tag.ts";
import { createGraphiQL, type GraphiQLOptions, wantsGraphiQL } from "./graphiql.ts";
import { badUserInput } from "../graphql/errors.ts";
import { MALFORMED } from "./listener.ts";
import { createCapacity } from "./capacity.ts";
import { createObserve } from "./observe.ts";
import { createOpenApiPage } from "./rest/openapi-page.ts";
import { createRest, isRest } from "./rest/rest.ts";
import { createRunDocument } from "./run-document.ts";
import { createSecurityHeaders } from "./security-headers.ts";
import { createGraphQLServer } from "./yoga.ts";
import type { HttpRequest } from "./request.ts";

export interface ServerParts {
  readonly services: Services;
  readonly tenantDatabase: TenantDatabase;
  readonly authenticate: Authenticate;
  readonly register: DocumentRegister;
  readonly limits: Limits;
  readonly metrics: Metrics;
  /** Null: no traces are kept. */
  readonly tracing: Tracing | null;
  /** Null: all is read from the primary. */
  readonly replicas: Replicas | null;
  /** Null: there is no such page, and a browser is refused as any caller without a key. */
  readonly graphiql: GraphiQLOptions | null;
  /** Sites whose scripts may call; see Config. */
  readonly corsOrigins: readonly string[];
  /** How long a query or a mutation may take. */
  readonly requestTimeoutMs: number;
  /** How many requests may run at once. */
  readonly maxRequests: number;
  /** How the gateway stands. */
  readonly readiness: () => Promise<Readiness>;
  /** HTTPS stands in front then. */
  readonly production: boolean;
}

/** Answers one HTTP request: every route of the gateway, with all its limits. Never rejects. */
export type Fetch = (request: HttpRequest) => Promise<Response>;

export function createFetch(parts: ServerParts): Fetch {
  const { services, tenantDatabase, authenticate, register, graphiql, metrics, tracing } = parts;
  const yoga = createGraphQLServer({ register, log: services.log, metrics, tracing, replicas: parts.replicas });
  const capacity = createCapacity(parts.maxRequests, () => metrics.shed());
  const { guard, admit } = createEntrance({ ...parts, capacity });
  const run = createRunDocument({ services, tenantDatabase, authenticate, capacity, yoga });
  const page = graphiql && createGraphiQL(graphiql);
  const cors = createCors(parts.corsOrigins);
  const rest = createRest({ admit, run, cors });
  const openApiPage = createOpenApiPage(cors);
  const secure = createSecurityHeaders(parts.production);
  const observe = createObserve({ log: services.log, metrics, tracing });

  function graphql(request: HttpRequest, facts: RequestFacts): Promise<Response> {
    const tell = (error: GraphQLError) => errorResponse(request, error);
    if (page && wantsGraphiQL(request)) return guard(facts, tell, () => page(request));
    return admit(request, facts, tell, (caller) => answer(request, caller));
  }

  async function answer(request: HttpRequest, caller: Caller): Promise<Response> {
    const hasParams = request.method === "GET" || request.method === "POST";
    const params = hasParams ? await readParams(request, bodyLimit(caller.principal)) : {};
    return await withEntityTag(request, await run(request, caller, { params, as: request }));
  }

  async function route(request: HttpRequest, facts: RequestFacts): Promise<Response> {
    const { pathname, hostname } = new URL(request.url);
    if (hostname === MALFORMED)
      return errorResponse(request, badUserInput("The request's host or target is malformed.", { http: { status: 400 } }));
    // Requests of these can be received and not made, so that nothing could pass one on.
    if (["TRACE", "TRACK", "CONNECT"].includes(request.method))
      return new Response(null, { status: 405, headers: { allow: "GET, HEAD, POST, PATCH, DELETE, OPTIONS" } });
    if (isRest(pathname)) return rest(request, facts);
    if (PATHS.has(pathname)) facts.route = pathname;
    switch (pathname) {
      case "/":
        return new Response(null, { status: 302, headers: { location: "/graphql" } });
      case "/graphql":
        return request.method === "OPTIONS" ? cors.preflight(request, ["GET", "POST"]) : graphql(request, facts);
      case "/openapi.json":
        return openApiPage(request);
      case "/health/live":
        return Response.json({ status: "live" });
      case "/health/ready":
        return ready();
      default:
        return Response.json({ errors: [{ message: "There is nothing here; GraphQL is at /graphql." }] }, { status: 404 });
    }
  }

  async function ready(): Promise<Response> {
    const readiness = await parts.readiness();
    return Response.json(readiness, { status: readiness.status === "ready" ? 200 : 503 });
  }

  async function respond(request: HttpRequest, facts: RequestFacts): Promise<Response> {
    const response = await route(request, facts);
    secure(response.headers);
    response.headers.set("vary", "Authorization, X-Visibility, Accept");
    // Not the page: it can hold the demo's key.
    if (!wantsGraphiQL(request)) cors.share(request, response);
    response.headers.set("x-request-id", facts.requestId);
    return response;
  }

  return (request) => {
    const facts = new RequestFacts(requestIdOf(request));
    return observe(request, facts, () => respond(request, facts));
  };
}

/** The paths of `route`, other than REST's, whose routes name themselves. */
const PATHS = new Set(["/", "/graphql", "/openapi.json", "/health/live", "/health/ready"]);

/** The caller's own id when it is a plain one, so that both sides' logs meet; else a new one. */
function requestIdOf(request: HttpRequest): string {
  const given = request.headers.get("x-request-id");
  return given && /^[\w.:-]{1,128}$/.test(given) ? given : randomUUID();
}

/** An answer to a request that never reached GraphQL, in the form that GraphQL would give it. */
function errorResponse(request: HttpRequest, error: GraphQLError): Response {
  const { http, ...extensions } = error.extensions as { http?: { status?: number; headers?: Record<string, string> } };
  const accepts = request.headers.get("accept") ?? "";
  const type = accepts.includes("application/graphql-response+json") ? "application/graphql-response+json" : "application/json";
  const status = http?.status ?? 400;
  return new Response(JSON.stringify({ errors: [{ message: error.message, extensions }] }), {
    status,
    headers: {
      ...http?.headers,
      "content-type": `${type}; charset=utf-8`,
      ...(status === 401 && { "www-authenticate": "Bearer" }),
    },
  });
}
