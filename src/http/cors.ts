import type { HttpRequest } from "./request.ts";

/** What scripts of other sites may do here. Source: the Fetch standard, "CORS protocol". */
export interface Cors {
  /** Answers OPTIONS of a path that takes these methods: a preflight of a listed origin is told what it may send, anything else is 405. */
  preflight(request: HttpRequest, methods: readonly string[]): Response;
  /** Lets a listed origin's script read the answer. Credentials are never allowed: a key is sent by the script itself or not at all. */
  share(request: HttpRequest, response: Response): void;
}

/** What answers tell beside the body, for scripts to read. */
const EXPOSED = [
  "ETag",
  "Retry-After",
  "X-Request-Id",
  "X-RateLimit-Limit",
  "X-RateLimit-Remaining",
  "X-RateLimit-Reset",
  "RateLimit",
  "RateLimit-Policy",
  "Deprecation",
].join(", ");
/** Every header that the gateway reads and that a browser does not send unasked. */
const ACCEPTED = ["Authorization", "Content-Type", "X-Visibility", "Idempotency-Key", "Prefer", "X-Request-Id", "If-None-Match"].join(", ");
/** How long a browser may keep a preflight's answer, in seconds: an origin taken off the list is refused after it. */
const MAX_AGE = "600";

/** `origins`: as in the Origin header, e.g. `https://app.example.com`; `*` alone stands for all. None: nothing is shared. */
export function createCors(origins: readonly string[]): Cors {
  const listed = new Set(origins);
  const isListed = (origin: string | null): origin is string => origin !== null && (listed.has("*") || listed.has(origin));
  return {
    preflight({ headers }, methods) {
      if (!isListed(headers.get("origin")) || !headers.has("access-control-request-method")) {
        return new Response(null, { status: 405, headers: { allow: methods.join(", ") } });
      }
      return new Response(null, {
        status: 204,
        headers: {
          "access-control-allow-methods": methods.join(", "),
          "access-control-allow-headers": ACCEPTED,
          "access-control-max-age": MAX_AGE,
        },
      });
    },
    share(request, { headers }) {
      if (listed.size > 0) headers.append("vary", "Origin");
      const origin = request.headers.get("origin");
      if (!isListed(origin)) return;
      headers.set("access-control-allow-origin", origin);
      headers.set("access-control-expose-headers", EXPOSED);
    },
  };
}
