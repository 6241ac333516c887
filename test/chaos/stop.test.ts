import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { Load, tally } from "../support/load.ts";
import { startGateway } from "../support/process.ts";
import { A_SECOND, acknowledged, CHAOS, FULL, mixed, openSite, registered } from "./support.ts";

const TIMES = FULL ? 20 : 3;

/** What a client is told that may send again elsewhere without a thought: the request has not been begun. */
const NOT_TAKEN = ["ECONNREFUSED"];

describe.runIf(CHAOS)("SIGTERM under load", { timeout: 240_000 }, () => {
  test("no request that was taken fails, over connections that are kept alive", async () => {
    const { cluster, gateway: first, env, key } = await openSite();
    const next = mixed();
    for (let time = 0, gateway = first; time < TIMES; time += 1, gateway = time < TIMES ? await startGateway(env) : gateway) {
      const load = new Load(gateway.url, key).begin(A_SECOND, next);
      while (load.outcomes.length < 200) await sleep(20);
      const ended = gateway.end("SIGTERM");
      await sleep(1500);
      const outcomes = await load.end();
      expect((await ended).code).toBe(0);
      const counts = tally(outcomes);
      expect(counts["200"]).toBeGreaterThanOrEqual(200);
      expect(
        Object.keys(counts).filter((name) => name !== "200" && !NOT_TAKEN.includes(name)),
        JSON.stringify(counts),
      ).toEqual([]);
      const there = await registered(cluster);
      expect(acknowledged(outcomes).filter((reference) => !there.has(reference))).toEqual([]);
    }
  });
});
