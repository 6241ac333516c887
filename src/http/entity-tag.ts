import { createHash } from "node:crypto";
import type { HttpRequest } from "./request.ts";

/** Of an answer that may be kept by who asked. Source: contract §5. */
const KEPT = "private";

/**
 * Gives the answer to a query by GET its ETag, and a client that has this answer already a 304 with the same headers
 * and no body. The tag covers the body without `extensions.cost`, which tells what is left and so differs each time:
 * it is therefore a weak one. What carries errors may be otherwise at the next try, and is not kept.
 */
export async function withEntityTag(request: HttpRequest, response: Response): Promise<Response> {
  const type = response.headers.get("content-type") ?? "";
  if (request.method !== "GET" || response.status !== 200 || !/^application\/(graphql-response\+)?json\b/.test(type)) return response;
  const text = await response.text();
  const headers = new Headers(response.headers);
  const answer = JSON.parse(text) as { errors?: unknown; extensions?: { cost?: unknown } };
  if (answer.errors !== undefined) return new Response(text, { headers });
  delete answer.extensions?.cost;
  const tag = `W/"${createHash("sha256")
    .update(`${type}\n${JSON.stringify(answer)}`)
    .digest("base64url")}"`;
  headers.set("etag", tag);
  headers.set("cache-control", KEPT);
  if (!names(request.headers.get("if-none-match"), tag)) return new Response(text, { headers });
  headers.delete("content-length");
  return new Response(null, { status: 304, headers });
}

/** Whether If-None-Match names the tag, by weak comparison. Source: RFC 9110, sections 8.8.3.2 and 13.1.2. */
export function names(header: string | null, tag: string): boolean {
  if (header === null) return false;
  const opaque = tag.replace(/^W\//, "");
  return header.trim() === "*" || [...header.matchAll(/(?:W\/)?("[^"]*")/g)].some(([, given]) => given === opaque);
}
