import { Agent, buildConnector, type Dispatcher, fetch } from "undici";
import { publicLookup, refuseForbiddenHost } from "./webhook.address.ts";

/** What a try came to: an HTTP status, or the kind of fault, for the record of deliveries. */
export interface Attempt {
  readonly outcome: string;
  readonly delivered: boolean;
  /** The receiver says that it is gone for good. */
  readonly gone: boolean;
}

/** Sends a message once. Never rejects. */
export type Send = (url: string, body: string, headers: Record<string, string>) => Promise<Attempt>;

/** How long a receiver may take, in milliseconds: to be reached, and to answer. Source: the source documents' advice to answer first and work later. */
const CONNECT_MS = 5_000;
const ANSWER_MS = 15_000;

/**
 * A sender with connections of its own. It follows no redirect and reads no answer's body. Unless private addresses are
 * allowed, it connects to public ones only: judged when it connects, whatever the URL or the name server says.
 */
export function createSender({ allowPrivate }: { allowPrivate: boolean }): { send: Send; close(): Promise<void> } {
  const connect = buildConnector({ timeout: CONNECT_MS, ...(!allowPrivate && { lookup: publicLookup }) });
  const guarded: buildConnector.connector = (options, callback) => {
    try {
      refuseForbiddenHost(options.hostname);
    } catch (error) {
      callback(error as Error, null);
      return;
    }
    connect(options, callback);
  };
  const dispatcher = new Agent({ connect: allowPrivate ? connect : guarded, connections: 10, keepAliveTimeout: 10_000 });
  return {
    send: (url, body, headers) => send(dispatcher, url, body, headers),
    close: () => dispatcher.destroy(),
  };
}

async function send(dispatcher: Dispatcher, url: string, body: string, headers: Record<string, string>): Promise<Attempt> {
  try {
    const response = await fetch(url, {
      dispatcher,
      method: "POST",
      body,
      headers: { "content-type": "application/json", "user-agent": "customer-gateway", ...headers },
      redirect: "manual",
      signal: AbortSignal.timeout(ANSWER_MS),
    });
    await response.body?.cancel();
    return attemptOf(String(response.status));
  } catch (error) {
    return attemptOf(faultOf(error));
  }
}

/** What an HTTP status or a kind of fault means. */
export const attemptOf = (outcome: string): Attempt => ({ outcome, delivered: /^2\d\d$/.test(outcome), gone: outcome === "410" });

/** A fault's kind, without its text, which quotes addresses. */
function faultOf(error: unknown): string {
  const { name, code, cause } = error as Error & { code?: string; cause?: { code?: string } };
  if (name === "TimeoutError") return "TIMEOUT";
  return cause?.code ?? (typeof code === "string" ? code : name);
}
