import type { IncomingMessage, RequestListener } from "node:http";
import { sendNodeResponse } from "@whatwg-node/server";
import { requestOf } from "./request.ts";
import type { Fetch } from "./server.ts";

/** The host that stands for one that can be none: what names it is refused as malformed, with all that an answer has. */
export const MALFORMED = "malformed.invalid";

/** A host and perhaps a port, and nothing else of a URL. Source: RFC 9110, section 7.2. */
const HOST = /^(\[[\da-f:.]+\]|[\w.-]+)(:\d{1,5})?$/i;

/** A gateway for node:http. Of what a client says of the address only the path and the query count. */
export function createListener(fetch: Fetch): RequestListener {
  return async (request, response) => {
    address(request);
    try {
      await sendNodeResponse(await fetch(requestOf(request, response)), response, request, false);
    } catch {
      // An answer that broke off while it was sent has lost its reader, or is to be known for a part.
      if (response.headersSent) response.destroy();
      else response.writeHead(500).end();
    }
  };
}

/** Sees that the request's host and target make a URL: routes are found by it, and would fail or be led astray. */
function address(request: IncomingMessage): void {
  const { headers, url = "" } = request;
  // Proxies may name the whole address; only its path is ours.
  const absolute = /^https?:/i.test(url) ? URL.parse(url) : null;
  if (absolute) request.url = absolute.pathname + absolute.search;
  const whole = `http://${headers.host}${request.url}`;
  if (!HOST.test(headers.host ?? "") || !request.url!.startsWith("/") || !URL.canParse(whole)) {
    headers.host = MALFORMED;
    request.url = "/";
  }
}
