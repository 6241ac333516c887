import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { Load, tally } from "../support/load.ts";
import { CHAOS, FULL, mixed, openSite } from "./support.ts";

/** How long, in minutes; the last third is judged. */
const MINUTES = Number(process.env["CHAOS_MINUTES"] ?? 30);
const SAMPLE_MS = 5000;

/** In MB a minute. A leak of a hundred bytes a request would be 0.6 at this rate, and 25 GB in a month. */
const FLAT = 0.5;

const rss = (pid: number) => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))![1]) / 1024;

/** The slope of the line that fits points best, by least squares. */
function slope(points: readonly (readonly [number, number])[]): number {
  const mean = (index: 0 | 1) => points.reduce((sum, point) => sum + point[index], 0) / points.length;
  const [x, y] = [mean(0), mean(1)];
  return points.reduce((sum, [a, b]) => sum + (a - x) * (b - y), 0) / points.reduce((sum, [a]) => sum + (a - x) ** 2, 0);
}

describe.runIf(CHAOS && FULL)("mixed load for half an hour", { timeout: (MINUTES + 5) * 60_000 }, () => {
  test("memory is flat over the last third", async () => {
    const { gateway, key } = await openSite();
    const load = new Load(gateway.url, key).begin(100, mixed());
    const begun = performance.now();
    const samples: [number, number][] = [];
    while (performance.now() - begun < MINUTES * 60_000) {
      await sleep(SAMPLE_MS);
      samples.push([(performance.now() - begun) / 60_000, rss(gateway.child.pid!)]);
    }
    const outcomes = await load.end();
    // The least of each half minute: what is between two garbage collections is no leak.
    const last = samples.filter(([minute]) => minute > (MINUTES * 2) / 3);
    const lows = Map.groupBy(last, ([minute]) => Math.floor(minute * 2));
    const points = [...lows.values()].map((group) => group.reduce((low, sample) => (sample[1] < low[1] ? sample : low)));
    const [first, end] = [samples[0]![1], samples.at(-1)![1]];
    console.log(
      `memory: ${Math.round(first)} MB, at the end ${Math.round(end)} MB, ${slope(points).toFixed(2)} MB a minute; ${JSON.stringify(tally(outcomes))}`,
    );
    expect(tally(outcomes)).toEqual({ 200: outcomes.length });
    expect(slope(points)).toBeLessThan(FLAT);
  });
});
