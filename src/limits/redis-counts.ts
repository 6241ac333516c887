import { Redis } from "ioredis";
import type { Logger } from "pino";
import { answerWithin } from "../answer-within.ts";
import { describeFault } from "../telemetry/log.ts";

/** Counts that several gateways keep together, in Redis. */
export interface SharedCounts {
  /**
   * Adds an amount to a count that lives for so many seconds, unless it would pass the limit. `spent` is the count
   * afterwards. Null at once or within a quarter of a second when Redis does not answer. Never rejects.
   */
  spend(key: string, by: { amount: number; limit: number; seconds: number }): Promise<{ granted: boolean; spent: number } | null>;
  close(): void;
}

export interface RedisCountsOptions {
  readonly log: Logger;
  /** Hears whether counts are shared: at first, and at each change. */
  readonly onChange: (isShared: boolean) => void;
}

/** How long a request waits for Redis, and how often one tries while Redis is away; in milliseconds. */
const PATIENCE_MS = 250;
const TRY_AGAIN_MS = 1000;

const SPEND = `
local spent = tonumber(redis.call('GET', KEYS[1]) or '0')
if spent + ARGV[1] > tonumber(ARGV[2]) then return {0, spent} end
redis.call('SET', KEYS[1], 0, 'NX', 'EX', ARGV[3])
return {1, redis.call('INCRBY', KEYS[1], ARGV[1])}`;

type Connection = Redis & { spend(key: string, amount: number, limit: number, seconds: number): Promise<[0 | 1, number]> };

/**
 * Opens counts on a Redis, which need not be there: whenever it does not answer, `spend` says so without making
 * requests wait for it, and it is tried again once a second. The log is told once each time it goes or comes.
 */
export async function openRedisCounts(url: string, { log, onChange }: RedisCountsOptions): Promise<SharedCounts> {
  const redis = new Redis(url, {
    lazyConnect: true,
    keyPrefix: "customer-gateway:limits:",
    connectTimeout: TRY_AGAIN_MS,
    // For what the connection itself asks; a request is not kept waiting so long.
    commandTimeout: TRY_AGAIN_MS,
    // A connection on which nothing comes any more is made anew.
    socketTimeout: 5 * TRY_AGAIN_MS,
    // What cannot be sent now is not sent later: the request has been answered by then.
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    retryStrategy: (times) => Math.min(times * PATIENCE_MS, TRY_AGAIN_MS),
  }) as Connection;
  redis.defineCommand("spend", { numberOfKeys: 1, lua: SPEND });
  // Each command tells its own error; without a listener these would be printed as well.
  redis.on("error", () => {});

  let isShared = true;
  let triedAt = -Infinity;
  const isNow = (shared: boolean, error?: unknown) => {
    if (shared === isShared) return;
    isShared = shared;
    onChange(shared);
    if (shared) log.warn("Redis answers again: limits are shared");
    else log.warn({ fault: describeFault(error) }, "Redis does not answer: this process limits by itself");
  };

  await redis.connect().catch((error: unknown) => isNow(false, error));
  onChange(isShared);
  return {
    async spend(key, { amount, limit, seconds }) {
      if (!isShared && performance.now() - triedAt < TRY_AGAIN_MS) return null;
      triedAt = performance.now();
      try {
        const [granted, spent] = await answerWithin(PATIENCE_MS, redis.spend(key, amount, limit, seconds));
        isNow(true);
        return { granted: granted === 1, spent };
      } catch (error) {
        isNow(false, error);
        return null;
      }
    },
    close: () => redis.disconnect(),
  };
}
