import { setTimeout as sleep } from "node:timers/promises";
import { StartupError } from "../startup-error.ts";
import { type Answer, type GatewayAddress, type GatewayReply, postDocument } from "./gateway-client.ts";

/** The gateway did not answer for longer than the caller would wait. What was asked may be asked again later. */
export class GaveUp extends StartupError {}

/** The caller was told to stop while it waited for another try. */
export class Interrupted extends Error {}

export interface Patience {
  /** How long one request is tried again, in ms. Time in which the gateway says that there are too many requests is not counted. */
  readonly retryForMs: number;
  /** Ends waiting, not a request that is on its way. */
  readonly stop: AbortSignal;
  /** Hears of each try that failed: why, and in how many ms comes the next. */
  readonly onRetry: (cause: string, waitMs: number) => void;
}

/** A document's text, with the type of the data that it asks for. */
export type GatewayDocument<Data> = string & { readonly data?: Data };

/** An answer without errors. */
export interface GatewayData<Data> {
  readonly data: Data;
  readonly extensions?: Record<string, unknown>;
}

/** How long one try may take. */
const TRY_MS = 60_000;
const BACKOFF_MS = { first: 250, most: 15_000 };
/** Longer than this nobody is told to wait. */
const MAX_WAIT_MS = 3_600_000;

const AGAIN_STATUS = new Set([408, 429, 500, 502, 503, 504]);
const AGAIN_CODES = new Set(["UNAVAILABLE", "TIMEOUT", "RATE_LIMITED", "INTERNAL_SERVER_ERROR"]);

/**
 * Calls a gateway, and again when that may help: no answer, 408, 429, 500, 502, 503, 504. So only what may run twice is
 * to be sent through it: queries, and mutations with an idempotency key. It waits as long as Retry-After says, else
 * from 0.25 to 15 s with jitter, and before a request that the rate limit would refuse.
 */
export class PatientGateway {
  requests = 0;
  failedRequests = 0;
  readonly #address: GatewayAddress;
  readonly #patience: Patience;
  #pausedUntil = 0;

  constructor(address: GatewayAddress, patience: Patience) {
    this.#address = address;
    this.#patience = patience;
  }

  /** The answer's data and extensions. Throws GaveUp, Interrupted, and StartupError for what the gateway refuses for good. `variables` is JSON. */
  async call<Data>(query: GatewayDocument<Data>, variables: string): Promise<GatewayData<Data>> {
    let failingSince: number | null = null;
    for (let tries = 0; ; tries += 1) {
      await this.#wait(this.#pausedUntil - performance.now());
      const began = performance.now();
      this.requests += 1;
      let cause: string;
      let waitMs = 0;
      try {
        const reply: GatewayReply<Data> = await postDocument<Data>(this.#address, query, variables, AbortSignal.timeout(TRY_MS));
        this.#heed(reply);
        if (!isWorthAnother(reply)) return dataOf(reply);
        cause = `${reply.status} ${errorsOf(reply.answer)[0]?.extensions?.code ?? ""}`.trim();
        waitMs = retryAfterMs(reply.headers) ?? 0;
        if (reply.status === 429) {
          this.#pause(waitMs);
          failingSince = null;
        }
      } catch (error) {
        if (error instanceof StartupError) {
          this.failedRequests += 1;
          throw error;
        }
        cause = causeOf(error);
      }
      this.failedRequests += 1;
      failingSince ??= began;
      const left = failingSince + this.#patience.retryForMs - performance.now();
      const backoff = Math.min(BACKOFF_MS.most, BACKOFF_MS.first * 2 ** tries);
      if (left <= 0) throw this.#gaveUp(cause);
      waitMs = Math.max(Math.min(waitMs, left), backoff * (0.5 + Math.random() / 2));
      this.#patience.onRetry(cause, waitMs);
      await this.#wait(waitMs);
    }
  }

  /** Waits before the next request when the points of the minute would not do for one more like this. */
  #heed({ headers, answer }: GatewayReply<unknown>): void {
    const remaining = headers.get("x-ratelimit-remaining");
    const reset = Number(headers.get("x-ratelimit-reset"));
    if (remaining === null || !Number.isFinite(reset) || reset === 0) return;
    const cost = (answer?.extensions?.["cost"] as { requested?: number } | undefined)?.requested ?? 1;
    if (Number(remaining) >= cost) return;
    // By the gateway's clock, which ours may differ from.
    const now = Date.parse(headers.get("date") ?? "");
    this.#pause(reset * 1000 - (Number.isNaN(now) ? Date.now() : now));
  }

  #pause(ms: number): void {
    this.#pausedUntil = Math.max(this.#pausedUntil, performance.now() + Math.min(Math.max(ms, 0), MAX_WAIT_MS));
  }

  async #wait(ms: number): Promise<void> {
    if (this.#patience.stop.aborted) throw new Interrupted();
    if (ms <= 0) return;
    try {
      await sleep(ms, undefined, { signal: this.#patience.stop });
    } catch {
      throw new Interrupted();
    }
  }

  #gaveUp(cause: string): GaveUp {
    return new GaveUp({
      what: `the gateway at ${this.#address.url} does not answer`,
      cause: `${cause}, for ${Math.round(this.#patience.retryForMs / 1000)} seconds`,
      fix: "see that it runs, and give the same command again",
    });
  }
}

function isWorthAnother({ status, answer }: GatewayReply<unknown>): boolean {
  if (AGAIN_STATUS.has(status) || answer === null) return AGAIN_STATUS.has(status) || (status >= 200 && status < 300);
  return errorsOf(answer).some((error) => AGAIN_CODES.has(error?.extensions?.code ?? ""));
}

function dataOf<Data>({ status, answer }: GatewayReply<Data>): GatewayData<Data> {
  if (answer?.data != null && !answer.errors) return { data: answer.data, extensions: answer.extensions };
  const reasons = errorsOf(answer).map((error) => `${error?.extensions?.code ?? "error"}: ${String(error?.message).replace(/\.$/, "")}`);
  throw new StartupError({
    what: "the gateway refused",
    cause: reasons.join("; ") || `HTTP status ${status}${answer === null ? "" : ", and no data"}`,
    fix: status === 401 || status === 403 ? "use a key that may do this" : "see that the address is a gateway's, of this version",
  });
}

/** The errors of an answer, whose form what is no gateway may not keep. */
function errorsOf(answer: Answer<unknown> | null): readonly (NonNullable<Answer<unknown>["errors"]>[number] | null)[] {
  return Array.isArray(answer?.errors) ? answer.errors : [];
}

/** Seconds, or a date. Null: there is none. */
function retryAfterMs(headers: Headers): number | null {
  const text = headers.get("retry-after");
  if (text === null) return null;
  const ms = /^\d+$/.test(text.trim()) ? Number(text) * 1000 : Date.parse(text) - Date.now();
  return Number.isNaN(ms) ? null : Math.min(Math.max(ms, 0), MAX_WAIT_MS);
}

function causeOf(error: unknown): string {
  const { name, message, cause } = error as Error & { cause?: { code?: string } };
  return name === "TimeoutError" ? "no answer in time" : (cause?.code ?? message);
}
