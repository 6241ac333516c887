import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { Load, percentile, tally } from "../support/load.ts";
import { A_SECOND, acknowledged, CHAOS, FULL, mixed, openSite, registered, SLACK } from "./support.ts";

const TIMEOUT_MS = 3000;
const SECONDS = FULL ? 60 : 10;

describe.runIf(CHAOS)("PostgreSQL that comes and goes", { timeout: 240_000 }, () => {
  test("restarts, crashes and ended connections every 2 s: 503 and no hang, nothing acknowledged is lost, soon as before", async () => {
    const { cluster, gateway, key } = await openSite({ REQUEST_TIMEOUT_MS: String(TIMEOUT_MS) });
    const load = new Load(gateway.url, key).begin(A_SECOND, mixed());
    const faults = [
      () => cluster.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'customer-gateway%'"),
      () => cluster.stop("fast").then(() => cluster.go()),
      () => cluster.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'customer-gateway%'"),
      () => cluster.stop("immediate").then(() => cluster.go()),
    ];
    for (let n = 0; n < SECONDS / 2; n += 1) {
      await sleep(2000);
      await faults[n % faults.length]!();
    }
    const over = performance.now();
    await sleep(6000);
    const outcomes = await load.end();

    expect(gateway.child.exitCode).toBeNull();
    const counts = tally(outcomes);
    console.log(
      `restarts: ${JSON.stringify(counts)}, p99 ${Math.round(
        percentile(
          outcomes.map(({ ms }) => ms),
          99,
        ),
      )} ms`,
    );
    expect(Object.keys(counts).filter((status) => !["200", "503", "504"].includes(status))).toEqual([]);
    expect(counts["200"]).toBeGreaterThan(outcomes.length / 3);
    for (const { status, body } of outcomes)
      if (status !== 200) expect(["UNAVAILABLE", "TIMEOUT"]).toContain(body.errors[0].extensions.code);
    expect(
      percentile(
        outcomes.map(({ ms }) => ms),
        99,
      ),
    ).toBeLessThan(TIMEOUT_MS + 500 * SLACK);
    // Recovered within 5 s: whatever was sent after that was answered.
    const later = outcomes.filter(({ at }) => at > over + 5000);
    expect(later.length).toBeGreaterThan(20);
    expect(tally(later)).toEqual({ 200: later.length });

    const there = await registered(cluster);
    const said = acknowledged(outcomes);
    expect(said.length).toBeGreaterThan(20);
    expect(said.filter((reference) => there.get(reference) !== 1)).toEqual([]);
    const open = await cluster.sql(
      "SELECT FROM pg_stat_activity WHERE application_name LIKE 'customer-gateway%' AND state LIKE 'idle in transaction%' AND state_change < now() - interval '1 s'",
    );
    expect(open).toEqual([]);
    expect((await gateway.end("SIGTERM")).code).toBe(0);
  });

  test("a database that takes no connections is 503, and is used again when it does", async () => {
    const { cluster, gateway, key } = await openSite();
    await cluster.sql("CREATE DATABASE other");
    const elsewhere = cluster.url.replace(/postgres$/, "other");
    const refuse = async (allow: boolean) => {
      const { default: pg } = await import("pg");
      const client = new pg.Client({ connectionString: elsewhere });
      await client.connect();
      await client.query(`ALTER DATABASE postgres ALLOW_CONNECTIONS ${allow}`);
      if (!allow) await client.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'postgres'");
      await client.end();
    };
    const ask = async () => {
      const load = new Load(gateway.url, key).begin(20, mixed());
      await sleep(1000);
      return load.end();
    };
    await refuse(false);
    const refused = await ask();
    expect(tally(refused)).toEqual({ 503: refused.length });
    expect((await fetch(`${gateway.url}/health/ready`)).status).toBe(503);
    await refuse(true);
    await expect.poll(async () => Object.keys(tally(await ask())), { timeout: 10_000 }).toEqual(["200"]);
    expect((await fetch(`${gateway.url}/health/ready`)).status).toBe(200);
  });
});
