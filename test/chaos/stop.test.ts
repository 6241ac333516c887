import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { Load, tally } from "../support/load.ts";
import { startGateway } from "../support/process.ts";
import { A_SECOND, acknowledged, CHAOS, FULL, mixed, openSite, registered } from "./support.ts";

const TIMES = FULL ? 20 : 3;

/** So many are answered before the stop: a gateway that has just begun takes several times as long for each. */
const WARM = 600;

/**
 * What a client is told of a request that the gateway has not seen. A reset is one when the system had taken the connection a
 * moment before the port closed: one a stop may be.
 */
const notTaken = ({ ECONNRESET = 0 }: Record<string, number>) => ["200", "ECONNREFUSED", ...(ECONNRESET <= 1 ? ["ECONNRESET"] : [])];

describe.runIf(CHAOS)("SIGTERM under load", { timeout: 240_000 }, () => {
  test("no request that was taken fails, over connections that are kept alive", async () => {
    const { cluster, gateway: first, env, key } = await openSite();
    const next = mixed();
    for (let time = 0, gateway = first; time < TIMES; time += 1, gateway = time < TIMES ? await startGateway(env) : gateway) {
      const load = new Load(gateway.url, key).begin(A_SECOND, next);
      while (load.outcomes.length < WARM) await sleep(20);
      const ended = gateway.end("SIGTERM");
      await sleep(1500);
      const outcomes = await load.end();
      expect((await ended).code).toBe(0);
      const counts = tally(outcomes);
      expect(counts["200"]).toBeGreaterThanOrEqual(WARM);
      expect(
        Object.keys(counts).filter((name) => !notTaken(counts).includes(name)),
        JSON.stringify(counts),
      ).toEqual([]);
      const there = await registered(cluster);
      expect(acknowledged(outcomes).filter((reference) => !there.has(reference))).toEqual([]);
    }
  });
});
