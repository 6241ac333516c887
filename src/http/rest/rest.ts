import type { GraphQLError, GraphQLFormattedError } from "graphql";
import { runsRegisteredOnly } from "../../access/principal.ts";
import type { WithheldField } from "../../access/redaction.ts";
import type { FailureCode } from "../../graphql/failure.ts";
import type { RequestFacts } from "../../telemetry/request-facts.ts";
import type { Caller, Entrance } from "../admit.ts";
import type { Cors } from "../cors.ts";
import { withEntityTag } from "../entity-tag.ts";
import type { Run, RunDocument } from "../run-document.ts";
import { offsetOf } from "./pages.ts";
import { readRequest } from "./read-request.ts";
import { NOT_FOUND, refusal, refusalOf, refusalOfFailure, refuse, refuseError } from "./refusal.ts";
import type { Given, Route } from "./route.ts";
import { routesAt } from "./routes.ts";
import { successBody } from "./success.ts";
import type { HttpRequest } from "../request.ts";

export interface RestParts {
  readonly admit: Entrance["admit"];
  readonly run: RunDocument;
  readonly cors: Cors;
}

/** Whether a path is REST's: what is none of its routes is refused in its envelope. */
export function isRest(pathname: string): boolean {
  return pathname.startsWith("/v1/");
}

/**
 * REST, for integrators of the source documents: each route runs one document as GraphQL over HTTP would, so that access,
 * limits, validation, idempotency and audit are the same, and tells its result in the envelope. HEAD is GET without the body.
 */
export function createRest({ admit, run, cors }: RestParts): (request: HttpRequest, facts: RequestFacts) => Promise<Response> {
  return async (request, facts) => {
    const found = routesAt(new URL(request.url).pathname);
    if (found.length === 0) return refuse(refusal(404, "There is nothing here; /openapi.json describes what is."));
    const methods = found.flatMap(({ route: { method } }) => (method === "GET" ? ["GET", "HEAD"] : [method]));
    const asked = request.method === "HEAD" ? asGet(request) : request;
    const here = found.find(({ route: { method } }) => method === asked.method);
    facts.route = (here ?? found[0]!).route.path;
    if (request.method === "OPTIONS" && request.headers.has("access-control-request-method")) return cors.preflight(request, methods);
    if (!here) {
      const refused = () => refuse(refusal(405, `This path takes ${methods.join(", ")}.`), { allow: methods.join(", ") });
      // Who bears a key is told its limits with every answer; nobody needs one to be told this.
      return request.headers.has("authorization") ? admit(request, facts, refuseError, () => Promise.resolve(refused())) : refused();
    }
    const refuseHere = (error: GraphQLError) => refuseError(error, here.route);
    const response = await admit(asked, facts, refuseHere, (caller) => answer(asked, here.route, here.parts, caller));
    return request.method === "HEAD" ? new Response(null, { status: response.status, headers: response.headers }) : response;
  };

  async function answer(request: HttpRequest, route: Route, parts: Record<string, string>, caller: Caller): Promise<Response> {
    const given = await readRequest(request, route, parts, caller.principal);
    const offset = offsetOf(route, given);
    const variables = route.variables?.(given) ?? given;
    // Whoever runs registered documents only names this one, and the register decides.
    const document = runsRegisteredOnly(caller.principal) ? { documentId: `sha256:${route.hash}` } : { query: route.document };
    let response!: Response;
    for (const one of Array.isArray(variables) ? (variables as Given[]) : [variables]) {
      const inner = await run(request, caller, { params: { ...document, variables: one }, as: asGraphQL(request), offset });
      const told = tell(route, given, (await inner.json()) as Result);
      response = Response.json(told.body, { status: told.status, headers: passedOn(inner.headers) });
      if (told.status !== 404) break;
    }
    return await withEntityTag(request, response);
  }
}

type ResultError = GraphQLFormattedError & { extensions: Record<string, unknown> };

interface Result {
  readonly data?: Record<string, unknown> | null;
  readonly errors?: readonly [ResultError, ...ResultError[]];
  readonly extensions?: { readonly visibility?: readonly WithheldField[] };
}

/** A document's result in the form of its route. */
function tell(route: Route, given: Given, { data, errors, extensions }: Result): { status: number; body: unknown } {
  const refused = (body: ReturnType<typeof refusal>) => ({ status: body.statusCode, body });
  if (errors) return refused(refusalOf(errors, route));
  const [found] = Object.values(data!) as (Given | null)[];
  if (!found) return refused(refusal(404, NOT_FOUND));
  if (isFailure(found)) return refused(refusalOfFailure(route, found));
  return { status: route.status, body: successBody(route, given, found, extensions?.visibility ?? []) };
}

/** Only error types have a code: no document of a route asks another type for one. */
function isFailure(found: Given): found is { code: FailureCode; message: string } {
  return typeof found["code"] === "string" && typeof found["message"] === "string";
}

/** What HEAD asks about. */
function asGet(request: HttpRequest): HttpRequest {
  const { url, headers } = request;
  return { method: "GET", url, headers, body: null, signal: request.signal };
}

/** The request of GraphQL over HTTP that a route stands for. */
function asGraphQL({ url }: HttpRequest): Run["as"] {
  return { method: "POST", url: new URL("/graphql", url).href, headers: new Headers({ accept: "application/json" }) };
}

/** What GraphQL's answer says beside its body, e.g. when to come again, or that the document is deprecated. */
function passedOn(inner: Headers): Headers {
  const headers = new Headers(inner);
  for (const name of ["content-type", "content-length", "etag"]) headers.delete(name);
  return headers;
}
