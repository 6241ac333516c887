import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { describe, expect, test } from "vitest";
import { Load, percentile, tally } from "../support/load.ts";
import { A_SECOND, CHAOS, FULL, openSite, READ, SLACK } from "./support.ts";

const TIMEOUT_MS = 1500;
const SECONDS = FULL ? 60 : 6;

describe.runIf(CHAOS)("an exclusive lock on the customers", { timeout: 240_000 }, () => {
  test("no answer is later than the request's time limit and half a second; live is quick, ready says 503; then all is as before", async () => {
    const { cluster, gateway, key } = await openSite({ REQUEST_TIMEOUT_MS: String(TIMEOUT_MS) });
    const health = async (path: string) => {
      const started = performance.now();
      const response = await fetch(`${gateway.url}/health/${path}`);
      await response.arrayBuffer();
      return { status: response.status, ms: performance.now() - started };
    };
    const load = new Load(gateway.url, key).begin(A_SECOND, () => READ);
    await sleep(1000);
    const locker = new pg.Client({ connectionString: cluster.url });
    await locker.connect();
    await locker.query("BEGIN; LOCK TABLE customer IN ACCESS EXCLUSIVE MODE");
    const locked = performance.now();
    const lives: number[] = [];
    const readies: number[] = [];
    while (performance.now() < locked + SECONDS * 1000) {
      const live = await health("live");
      expect(live.status).toBe(200);
      lives.push(live.ms);
      if (lives.length % 20 === 0) readies.push((await health("ready")).status);
      await sleep(50);
    }
    await locker.query("ROLLBACK");
    await locker.end();
    const unlocked = performance.now();
    await sleep(3000);
    const outcomes = await load.end();

    const during = outcomes.filter(({ at }) => at > locked && at < unlocked);
    const p99 = percentile(
      during.map(({ ms }) => ms),
      99,
    );
    console.log(`lock: ${JSON.stringify(tally(during))}, p99 ${Math.round(p99)} ms, live at most ${Math.round(Math.max(...lives))} ms`);
    expect(Object.keys(tally(outcomes)).filter((status) => !["200", "503", "504"].includes(status))).toEqual([]);
    expect(p99).toBeLessThan(TIMEOUT_MS + 500 * SLACK);
    expect(percentile(lives, 99)).toBeLessThan(100 * SLACK);
    expect(new Set(readies)).toEqual(new Set([503]));
    const after = outcomes.filter(({ at }) => at > unlocked + 2000);
    expect(tally(after)).toEqual({ 200: after.length });
    expect((await health("ready")).status).toBe(200);
  });
});
