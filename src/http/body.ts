import type { GraphQLParams } from "graphql-yoga";
import { gatewayError } from "../graphql/errors.ts";
import type { Principal } from "../access/principal.ts";
import { overgrown } from "./json-size.ts";
import type { BodyReader, HttpRequest } from "./request.ts";

/** How large a body may be, in bytes: more for keys that send batches. Source: contract §5. */
export function bodyLimit({ scopes }: Principal): number {
  return scopes.has("batches:write") || scopes.has("merchants:write") ? 1_000_000 : 100_000;
}

const refused = (message: string, status: number) => gatewayError("BAD_USER_INPUT", message, { http: { status } });

/** What a request asks: from the URL for GET, from a JSON body for POST. Throws as readJson, and 400 for what is no object. */
export async function readParams(request: HttpRequest, limit: number): Promise<GraphQLParams & { documentId?: unknown }> {
  if (request.method === "GET") return readQuery(new URL(request.url).searchParams);
  const params = await readJson(request, limit);
  if (Array.isArray(params)) throw refused("Send one operation a request.", 400);
  if (params === null || typeof params !== "object") throw refused("The body must be a JSON object.", 400);
  return params;
}

/**
 * A request's JSON body. Throws an error with a code and a status: 413 for a body over the limit, however it is sent,
 * 415 for one that is not plain JSON, 400 for malformed JSON and for one that holds too much to be parsed.
 */
export async function readJson(request: HttpRequest, limit: number): Promise<unknown> {
  const [type, ...parameters] = (request.headers.get("content-type") ?? "")
    .toLowerCase()
    .split(";")
    .map((part) => part.trim());
  if (type !== "application/json" || parameters.some((part) => part.startsWith("charset=") && !/^charset="?utf-8"?$/.test(part))) {
    throw refused("Send application/json in UTF-8.", 415);
  }
  // Decoding would let a few bytes cost megabytes. Refused unread.
  if ((request.headers.get("content-encoding") ?? "identity").trim().toLowerCase() !== "identity")
    throw refused("Send the body uncompressed.", 415);
  return parseJson(await readBody(request, limit), "The body");
}

function readQuery(search: URLSearchParams): GraphQLParams & { documentId?: unknown } {
  const json = (name: string) => {
    const text = search.get(name);
    return text ? (parseJson(text, name) as Record<string, unknown>) : undefined;
  };
  return {
    query: search.get("query") ?? undefined,
    operationName: search.get("operationName") ?? undefined,
    documentId: search.get("documentId") ?? undefined,
    variables: json("variables"),
    extensions: json("extensions"),
  };
}

function parseJson(text: string, what: string): unknown {
  const tooMuch = overgrown(text);
  if (tooMuch) throw refused(`${what} ${tooMuch}.`, 400);
  try {
    return JSON.parse(text);
  } catch {
    throw refused(`${what} is not valid JSON.`, 400);
  }
}

/**
 * Up to how many bytes of a body that is too large are let through and thrown away: a connection that is closed before its
 * sender has read the answer loses it. What is longer, or does not say its length, is not waited for.
 */
const MAX_DISCARDED = 16_000_000;

/**
 * Counts while it reads, so that a body without a length, or with a false one, is cut off as well. What is too
 * long is left unread, not cancelled: cancelling would end the connection before the answer is out.
 */
async function readBody(request: HttpRequest, limit: number): Promise<string> {
  // What says no length is over no limit, and within none.
  const length = Number(request.headers.get("content-length") ?? NaN);
  const http = length <= MAX_DISCARDED ? {} : { headers: { connection: "close" } };
  const tooLarge = () => gatewayError("PAYLOAD_TOO_LARGE", `The body is over ${limit} bytes.`, { http });
  if (length > limit) throw tooLarge();
  const chunks: Uint8Array[] = [];
  let size = 0;
  const reader = request.body?.getReader();
  for (let chunk = await nextChunk(reader); chunk; chunk = await nextChunk(reader)) {
    size += chunk.byteLength;
    if (size > limit) throw tooLarge();
    chunks.push(chunk);
  }
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(Buffer.concat(chunks));
  } catch {
    throw refused("The body is not valid UTF-8.", 400);
  }
}

/** Undefined at the end. A sender that broke off, or was cut for being slow, is no fault of the gateway's, nor of its database's. */
async function nextChunk(reader: BodyReader | undefined): Promise<Uint8Array | undefined> {
  try {
    return (await reader?.read())?.value;
  } catch {
    throw refused("The body broke off.", 400);
  }
}
