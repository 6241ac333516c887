import { pino } from "pino";
import { afterAll, describe, expect, test, vi } from "vitest";
import { buildApp } from "../../src/app.ts";
import { openRedisCounts } from "../../src/limits/redis-counts.ts";
import { REDIS_PATH } from "../support/environment.ts";
import { openGateway, type TestGateway } from "../support/gateway.ts";
import { makeMerchant, merchantKey } from "../support/merchants.ts";
import { ON_POSTGRES } from "../support/process.ts";
import { TestRedis } from "../support/redis.ts";

const LIMIT = 100;

describe.runIf(REDIS_PATH)("limits in Redis", async () => {
  if (!REDIS_PATH) return;
  const redis = await TestRedis.start();
  afterAll(() => redis.stop());
  const clock = { now: 1_800_000_000_000 };
  const lines: string[] = [];
  const gateway = await openGateway(
    { redisUrl: redis.url, rateLimitPoints: LIMIT, discoveryLimit: 4 },
    { limitsNow: () => clock.now, log: pino({ level: "warn" }, { write: (line: string) => void lines.push(line) }) },
  );

  const ask = async (key: string, app: Pick<TestGateway["app"], "fetch"> = gateway.app) =>
    app.fetch(new Request("http://gateway.test/graphql?query=%7Bviewer%7Bmode%7D%7D", { headers: { authorization: `Bearer ${key}` } }));

  /** Asks so many times, a few at once, and gives how many times each status was answered. */
  async function load(key: string, times: number): Promise<Record<number, number>> {
    const statuses: Record<number, number> = {};
    for (let sent = 0; sent < times; sent += 10) {
      const answers = await Promise.all(Array.from({ length: Math.min(10, times - sent) }, () => ask(key)));
      for (const { status } of answers) statuses[status] = (statuses[status] ?? 0) + 1;
    }
    return statuses;
  }

  const metric = async (name: string) => Number(new RegExp(`^${name} (\\d+)$`, "m").exec(await gateway.app.metrics.print())![1]);
  const said = (text: string) => lines.filter((line) => line.includes(text)).length;
  const BACK = "Redis answers again";
  const AWAY = "Redis does not answer";

  /** Waits until requests, of a key that is good for nothing else, are counted in Redis again. */
  const backAgain = async (key: string) =>
    vi.waitFor(
      async () => {
        clock.now += 60_000;
        await ask(key);
        expect(await metric("gateway_limits_fallback")).toBe(0);
      },
      { timeout: 30_000, interval: 100 },
    );

  // Two gateways on one database: the embedded one takes a single process.
  test.runIf(ON_POSTGRES)("two gateways share what a key may take, also at once", async () => {
    const other = await buildApp({ ...gateway.config }, { limitsNow: () => clock.now });
    try {
      const key = await gateway.key();
      const answers = await Promise.all(Array.from({ length: LIMIT + 40 }, (_, number) => ask(key, number % 2 ? other : gateway.app)));
      expect(answers.filter(({ status }) => status === 200)).toHaveLength(LIMIT);
      expect(answers.filter(({ status }) => status === 429)).toHaveLength(40);
      const last = await ask(key, other);
      expect([last.status, last.headers.get("x-ratelimit-remaining")]).toEqual([429, "0"]);
    } finally {
      await other.close();
    }
    expect(lines).toEqual([]);
  });

  test.runIf(ON_POSTGRES)("two gateways share what may be asked for a merchant, whoever asks", async () => {
    const other = await buildApp({ ...gateway.config }, { limitsNow: () => clock.now });
    try {
      const provider = await gateway.key({ bank: "provider", kind: "PROVIDER" });
      const merchant = await makeMerchant(gateway, "provider");
      const own = await merchantKey(gateway, provider, merchant);
      const question = encodeURIComponent(`{ customerBanks(email: "a", entityId: "${merchant}") { phrase } }`);
      const answers = await Promise.all(
        Array.from({ length: 6 }, (_, number) =>
          (number < 3 ? other : gateway.app).fetch(
            new Request(`http://gateway.test/graphql?query=${question}`, {
              headers: { authorization: `Bearer ${number % 2 ? own : provider}` },
            }),
          ),
        ),
      );
      expect(answers.map(({ status }) => status).sort()).toEqual([200, 200, 200, 200, 429, 429]);
    } finally {
      await other.close();
    }
  });

  test("emptied under load, the process still grants no more than the limit, and the keys come back", async () => {
    const key = await gateway.key();
    const loading = load(key, LIMIT * 2);
    for (let times = 0; times < 5; times += 1) await redis.flush();
    expect(await loading).toEqual({ 200: LIMIT, 429: LIMIT });
    expect(lines).toEqual([]);
  });

  test("a process that is busy does not take its own delay for Redis's", async () => {
    const changes: boolean[] = [];
    const counts = await openRedisCounts(redis.url, {
      log: pino({ level: "silent" }),
      onChange: (isShared) => void changes.push(isShared),
    });
    try {
      for (let spent = 1; spent <= 3; spent += 1) {
        const answer = counts.spend("busy", { amount: 1, limit: 100, seconds: 60 });
        const until = performance.now() + 800;
        while (performance.now() < until);
        expect(await answer).toEqual({ granted: true, spent });
      }
    } finally {
      counts.close();
    }
    expect(changes).toEqual([true]);
  });

  test("stopped under load, the process limits by itself, says so once, and shares again when it is back", async () => {
    const key = await gateway.key();
    const loading = load(key, LIMIT * 2);
    await redis.stop();
    expect(await loading).toEqual({ 200: LIMIT, 429: LIMIT });
    expect(await load(await gateway.key(), LIMIT + 20)).toEqual({ 200: LIMIT, 429: 20 });
    expect([said(AWAY), said(BACK), await metric("gateway_limits_fallback")]).toEqual([1, 0, 1]);
    expect(await metric("gateway_limits_fallbacks_total")).toBe(1);

    await redis.start();
    await backAgain(key);
    expect([said(AWAY), said(BACK)]).toEqual([1, 1]);
  });

  test("paused under load, no request hangs, and the process limits by itself", async () => {
    const key = await gateway.key();
    redis.pause();
    expect(await load(key, LIMIT * 2)).toEqual({ 200: LIMIT, 429: LIMIT });
    expect(said(AWAY)).toBe(2);
    redis.resume();
    await backAgain(key);
    expect(said(BACK)).toBe(2);
  });

  test("a gateway starts without it", async () => {
    await redis.stop();
    const alone = await openGateway({ redisUrl: redis.url });
    expect((await ask(await alone.key(), alone.app)).status).toBe(200);
  });
});
