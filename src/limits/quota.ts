import { LRUCache } from "lru-cache";
import type { SharedCounts } from "./redis-counts.ts";

/** How an owner stands in its present window. */
export interface Standing {
  readonly limit: number;
  readonly remaining: number;
  /** When the window ends, in Unix seconds. */
  readonly reset: number;
}

/** Who takes of a quota. */
export interface Owner {
  readonly id: string;
  /** How many times the quota's limit it has. */
  readonly factor: number;
}

/** So much in each window. */
export interface Policy {
  /** Tells a quota from others: a word. */
  readonly name: string;
  readonly limit: number;
  readonly windowSeconds: number;
}

export interface QuotaOptions extends Policy {
  /** Where gateways count together; null: each counts for itself. */
  readonly shared: SharedCounts | null;
  /** Milliseconds since 1970; other than the clock for tests. */
  readonly now?: () => number;
}

/** The largest number that GraphQL's Int tells. */
const MOST = 2 ** 31 - 1;

/** How many owners' counts are kept in memory. */
const MOST_OWNERS = 100_000;

/**
 * So much in each window of the clock, for each owner. What does not fit is refused whole, and not counted. The process
 * keeps a count of its own beside the shared one: the larger of what it granted and of what it last saw there. So it
 * grants no more than the limit by itself, also when the shared counts are away or were emptied.
 */
export class Quota {
  readonly policy: Policy;
  readonly #shared: SharedCounts | null;
  readonly #now: () => number;
  readonly #counts = new LRUCache<string, number>({ max: MOST_OWNERS });

  constructor({ shared, now = Date.now, ...policy }: QuotaOptions) {
    this.policy = policy;
    this.#shared = shared;
    this.#now = now;
  }

  /** Takes an amount, of 0 at least. Concurrent calls do not take more than there is. */
  async take(owner: Owner, amount: number): Promise<Standing & { readonly granted: boolean }> {
    const { name, windowSeconds } = this.policy;
    const { key, reset, limit } = this.#window(owner);
    const standing = (count: number) => this.#standing(count, { reset, limit });
    const count = () => this.#counts.get(key) ?? 0;
    if (count() + amount > limit) return { granted: false, ...standing(count()) };
    this.#counts.set(key, count() + amount);
    const answer = this.#shared && (await this.#shared.spend(`${name}:${key}`, { amount, limit, seconds: windowSeconds }));
    if (!answer) return { granted: true, ...standing(count()) };
    const { granted, spent } = answer;
    this.#counts.set(key, Math.max(granted ? count() : count() - amount, spent));
    return { granted, ...standing(Math.max(count(), spent)) };
  }

  /** How an owner stands by what this process knows. */
  known(owner: Owner): Standing {
    const window = this.#window(owner);
    return this.#standing(this.#counts.get(window.key) ?? 0, window);
  }

  /** In how many whole seconds, at least one, a standing is over. */
  secondsUntil({ reset }: Standing): number {
    return Math.max(1, Math.ceil(reset - this.#now() / 1000));
  }

  #window({ id, factor }: Owner): { key: string; reset: number; limit: number } {
    const { windowSeconds, limit } = this.policy;
    const number = Math.floor(this.#now() / 1000 / windowSeconds);
    return { key: `${id}:${number}`, reset: (number + 1) * windowSeconds, limit: Math.min(limit * factor, MOST) };
  }

  #standing(count: number, { reset, limit }: { reset: number; limit: number }): Standing {
    return { limit, remaining: Math.max(limit - count, 0), reset };
  }
}
