import { createHash } from "node:crypto";
import type { Cors } from "../cors.ts";
import { names } from "../entity-tag.ts";
import { describeRest } from "./openapi.ts";
import { refusal, refuse } from "./refusal.ts";
import type { HttpRequest } from "../request.ts";

const METHODS = ["GET", "HEAD"];

/** Serves `/openapi.json` to anybody: it tells no more than the documentation. It is made when it is first asked for. */
export function createOpenApiPage(cors: Cors): (request: HttpRequest) => Response {
  let page: { text: string; etag: string } | undefined;
  return (request) => {
    if (request.method === "OPTIONS") return cors.preflight(request, METHODS);
    if (!METHODS.includes(request.method))
      return refuse(refusal(405, `This path takes ${METHODS.join(", ")}.`), { allow: METHODS.join(", ") });
    page ??= makePage();
    const { text, etag } = page;
    const headers = { "content-type": "application/json; charset=utf-8", "cache-control": "public, max-age=300", etag };
    if (names(request.headers.get("if-none-match"), etag)) return new Response(null, { status: 304, headers });
    return new Response(request.method === "HEAD" ? null : text, { headers });
  };
}

function makePage() {
  const text = JSON.stringify(describeRest());
  return { text, etag: `"${createHash("sha256").update(text).digest("base64url")}"` };
}
