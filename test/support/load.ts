import { setTimeout as sleep } from "node:timers/promises";
import { Pool } from "undici";

/** What came of one request. */
export interface Outcome {
  /** 0: the connection failed. */
  readonly status: number;
  /** Why, then. */
  readonly fault: string | null;
  readonly ms: number;
  /** When it was sent, by performance.now(). */
  readonly at: number;
  readonly body: any;
  readonly sent: { readonly query: string; readonly variables?: any };
}

/** Requests at a fixed rate, whatever becomes of those before: as callers come, who do not wait for each other. */
export class Load {
  readonly outcomes: Outcome[] = [];
  /** Sent and not yet answered. */
  underWay = 0;
  readonly #pool: Pool;
  readonly #key: string;
  readonly #over = new AbortController();
  #ended: Promise<void> | undefined;

  /** Over as many connections as it needs, kept alive: the time of a request is not one of waiting for another. */
  constructor(url: string, key: string) {
    this.#pool = new Pool(url, { connections: 1000, pipelining: 1, headersTimeout: 60_000, bodyTimeout: 60_000 });
    this.#key = key;
  }

  /** Sends `next` so many times a second until `end`. */
  begin(aSecond: number, next: () => Outcome["sent"]): this {
    this.#ended = (async () => {
      const begun = performance.now();
      for (let sent = 0; !this.#over.signal.aborted; sent += 1) {
        const due = begun + (sent * 1000) / aSecond;
        const wait = due - performance.now();
        if (wait > 1) await sleep(wait);
        void this.#send(next());
      }
    })();
    return this;
  }

  /** Sends no more, and waits for the answers. */
  async end(): Promise<Outcome[]> {
    this.#over.abort();
    await this.#ended;
    while (this.underWay > 0) await sleep(20);
    await this.#pool.close();
    return this.outcomes;
  }

  async #send(sent: Outcome["sent"]): Promise<void> {
    const at = performance.now();
    this.underWay += 1;
    const outcome = await this.#pool
      .request({
        path: "/graphql",
        method: "POST",
        headers: { authorization: `Bearer ${this.#key}`, "content-type": "application/json" },
        body: JSON.stringify(sent),
      })
      .then(async ({ statusCode, body: answer }) => ({ status: statusCode, fault: null, body: await answer.json() }))
      .catch((error: Error & { code?: string }) => ({ status: 0, fault: error.code ?? error.name, body: null }));
    this.outcomes.push({ ...outcome, sent, at, ms: performance.now() - at });
    this.underWay -= 1;
  }
}

/** How many of each status; of failed connections by their fault. */
export function tally(outcomes: readonly Outcome[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { status, fault } of outcomes) counts[fault ?? status] = (counts[fault ?? status] ?? 0) + 1;
  return counts;
}

/** The value that so many of a hundred do not exceed. */
export function percentile(numbers: readonly number[], percent: number): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor((sorted.length * percent) / 100))] ?? NaN;
}
