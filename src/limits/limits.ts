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
  { redisUrl, rateLimitPoints, lookupLimit, costLimit }: Pick<Config, "redisUrl" | "rateLimitPoints" | "lookupLimit" | "costLimit">,
  { now, ...options }: LimitsOptions,
): Promise<OpenLimits> {
  const shared = redisUrl === null ? null : await openRedisCounts(redisUrl, options);
  return {
    points: new Quota({ name: "points", limit: rateLimitPoints, windowSeconds: 60, shared, now }),
    lookups: new Quota({ name: "lookups", limit: lookupLimit, windowSeconds: 60 * 60, shared, now }),
    costLimit,
    close: () => shared?.close(),
  };
}
