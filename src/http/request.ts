import type { IncomingMessage, ServerResponse } from "node:http";

/** What the gateway needs of a request. One of the Fetch API is such; of node:http's it is made without the rest, which costs more than a read. */
export interface HttpRequest {
  readonly method: string;
  /** With scheme and host. */
  readonly url: string;
  readonly headers: Pick<Headers, "get" | "has">;
  /** Null when there is none. */
  readonly body: { getReader(): BodyReader } | null;
  /** Aborted when the client goes away. */
  readonly signal: AbortSignal;
}

/** Gives a body piece by piece, then `done`; rejects when it breaks off. */
export interface BodyReader {
  read(): Promise<{ readonly value?: Uint8Array; readonly done: boolean }>;
}

/** A request as node:http gives it, and where it is answered; its address is one that makes a URL. */
export function requestOf(message: IncomingMessage, response: ServerResponse): HttpRequest {
  const { method = "GET", headers } = message;
  // Made for who asks: only what goes on and on does.
  let signal: AbortSignal | undefined;
  const of = (name: string) => headers[name.toLowerCase()];
  return {
    method,
    url: `http://${headers.host}${message.url}`,
    headers: { get: (name) => of(name)?.toString() ?? null, has: (name) => of(name) !== undefined },
    body: method === "GET" || method === "HEAD" ? null : { getReader: () => readerOf(message) },
    get signal() {
      return (signal ??= signalOf(response));
    },
  };
}

/** Aborted when an answer is over, or nobody is there to read it any more. */
function signalOf(response: ServerResponse): AbortSignal {
  const controller = new AbortController();
  if (response.destroyed) controller.abort();
  else response.once("close", () => controller.abort());
  return controller.signal;
}

/** What is not asked for is not read: a sender is slowed down by who reads slowly, and a body that is given up stays unread. */
function readerOf(message: IncomingMessage): BodyReader {
  const pieces: Uint8Array[] = [];
  let wake = () => {};
  message
    .on("data", (piece: Buffer) => {
      pieces.push(piece);
      message.pause();
      wake();
    })
    .on("end", () => wake())
    .on("close", () => wake())
    // Told by `close`, which follows.
    .on("error", () => {});
  return {
    async read() {
      while (pieces.length === 0 && !message.readableEnded && !message.destroyed) {
        const woken = new Promise<void>((resolve) => (wake = resolve));
        message.resume();
        await woken;
      }
      const value = pieces.shift();
      if (value === undefined && !message.readableEnded) throw new Error("the body broke off");
      return { value, done: value === undefined };
    },
  };
}
