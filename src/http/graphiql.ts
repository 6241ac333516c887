import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import { type GraphiQLPage, renderPage } from "./graphiql-page.ts";
import { namesLoopback } from "./loopback.ts";
import type { HttpRequest } from "./request.ts";

/** What GraphiQL is filled in with, so that its tabs run as they stand. */
export interface GraphiQLDemo {
  /** A key of the demo bank that may do everything the tabs do. */
  readonly key: string;
  /** The id of a demo customer whom anybody may blacklist; null when there is none any more. */
  readonly findCustomerId: () => Promise<string | null>;
}

export interface GraphiQLOptions {
  /** Null unless all who reach the gateway may have the demo's key: in development, on a loopback address. */
  readonly demo: GraphiQLDemo | null;
}

/** Whether a browser asks for the page: a GET that takes HTML and carries no operation. */
export function wantsGraphiQL(request: HttpRequest): boolean {
  if (request.method !== "GET" || !(request.headers.get("accept") ?? "").includes("text/html")) return false;
  const { searchParams } = new URL(request.url);
  return !["query", "documentId", "extensions"].some((name) => searchParams.has(name));
}

/**
 * Serves GraphiQL: about 9 MB of inline HTML, made when it is first asked for, kept compressed, and known to the
 * browser by its ETag. Whoever did not name this machine as the host gets a page of its own, without the demo's key.
 */
export function createGraphiQL({ demo }: GraphiQLOptions): (request: HttpRequest) => Promise<Response> {
  const page = once(() => renderPage(null));
  const demoPage = demo && once(async () => renderPage({ key: demo.key, customerId: await demo.findCustomerId() }));
  return async (request) => respond(request, await (demoPage && namesLoopback(request) ? demoPage : page)());
}

async function respond(request: HttpRequest, { gzipped, etag, headers }: GraphiQLPage): Promise<Response> {
  if (!/\bgzip\b/.test(request.headers.get("accept-encoding") ?? "")) {
    return new Response(new Uint8Array(await promisify(gunzip)(gzipped)), { headers });
  }
  if (request.headers.get("if-none-match")?.includes(etag)) return new Response(null, { status: 304, headers: { ...headers, etag } });
  return new Response(gzipped, { headers: { ...headers, etag, "content-encoding": "gzip" } });
}

/** The same result for all callers, made at the first call; made anew after a failure. */
function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () =>
    (made ??= make().catch((error: unknown) => {
      made = undefined;
      throw error;
    }));
}
