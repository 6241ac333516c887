import type { Logger } from "pino";
import type { Config } from "../config.ts";
import type { Limits } from "./charge.ts";
import { Quota } from "./quota.ts";
import { openRedisCounts } from "./redis-counts.ts";

/** Limits, and the end of what they are kept in. */
export type OpenLimits = Limits & { close(): void };

export interface LimitsOptions {
  readonly log: Logger;
  /** Hears whether the limits are shared, if they are to be: at first, and at each change. */
  readonly onChange: (isShared: boolean) => void;
  /** Milliseconds since 1970; other than the clock for tests. */
  readonly now?: () => number;
}

/** Opens the limits of all keys, shared through Redis if the configuration names one. Source: contract §5. */
export async function openLimits(
  config: Pick<Config, "redisUrl" | "rateLimitPoints" | "lookupLimit" | "discoveryLimit" | "providerDiscoveryLimit" | "costLimit">,
  { now, ...options }: LimitsOptions,
): Promise<OpenLimits> {
  const { redisUrl, rateLimitPoints, lookupLimit, discoveryLimit, providerDiscoveryLimit, costLimit } = config;
  const shared = redisUrl === null ? null : await openRedisCounts(redisUrl, options);
  const quota = (name: string, limit: number, windowSeconds: number) => new Quota({ name, limit, windowSeconds, shared, now });
  return {
    points: quota("points", rateLimitPoints, 60),
    lookups: quota("lookups", lookupLimit, 60 * 60),
    discoveries: quota("discoveries", discoveryLimit, 60 * 60),
    // Of one name: owners are never the same.
    providerDiscoveries: quota("discoveries", providerDiscoveryLimit, 60 * 60),
    costLimit,
    close: () => shared?.close(),
  };
}
