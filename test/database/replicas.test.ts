import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, onTestFinished, test } from "vitest";
import { type App, buildApp } from "../../src/app.ts";
import { issueKey } from "../../src/access/issue-key.ts";
import { testConfig } from "../support/config.ts";
import { Cluster } from "../support/cluster.ts";
import { POSTGRESQL_BIN } from "../support/environment.ts";
import { EVERY_SCOPE } from "../support/gateway.ts";
import { command, freshDir, ON_POSTGRES } from "../support/process.ts";

const CREATE =
  "mutation ($input: CreateCustomerInput!) { createCustomer(input: $input) { ... on Customer { id } ... on Error { message } } }";
const UPDATE =
  "mutation ($input: UpdateCustomerInput!) { updateCustomer(input: $input) { ... on Customer { version } ... on Error { message } } }";
const READ = "query ($id: ID!) { customer(by: { id: $id }) { state } }";

async function open(cluster: Cluster, replicas: Cluster[]) {
  const app = await buildApp(
    testConfig({
      dataDir: freshDir(),
      databaseUrl: cluster.url,
      replicaUrls: replicas.map(({ url }) => `${url}?connection_limit=5`),
      metricsPort: 0,
    }),
  );
  onTestFinished(() => app.close());
  return app;
}

const keyOf = async ({ services }: App, bank: string) =>
  (
    await issueKey(services.db, {
      tenant: { id: bank, kind: "BANK", name: bank },
      mode: "SANDBOX",
      audience: "INTERNAL",
      scopes: EVERY_SCOPE,
    })
  ).key;

async function ask({ fetch }: App, key: string, query: string, variables: object): Promise<any> {
  const headers = { "content-type": "application/json", authorization: `Bearer ${key}` };
  const response = await fetch(
    new Request("http://gateway.test/graphql", { method: "POST", headers, body: JSON.stringify({ query, variables }) }),
  );
  const { data, errors } = await response.json();
  if (errors) throw new Error(JSON.stringify(errors));
  return data;
}

/** How many queries read where so far. */
async function reads({ metrics }: App) {
  const text = await metrics.print();
  const value = (name: string) => Number(new RegExp(`^${name} (\\d+)$`, "m").exec(text)![1]);
  return { replica: value("gateway_replica_reads"), primary: value("gateway_primary_reads"), usable: value("gateway_replicas_usable") };
}

const person = (name: string) => ({ firstname: "Ada", lastname: "Obi", email: `${name}@example.com`, country: "NG" });

describe.runIf(ON_POSTGRES && POSTGRESQL_BIN)("reads from replicas", { timeout: 120_000 }, () => {
  test("are never older than what was acknowledged, by whichever gateway, however far the replica is; and a replica's faults are nobody's", async () => {
    const cluster = await Cluster.start();
    const replica = await cluster.replica();
    const apps = [await open(cluster, [replica]), await open(cluster, [replica])] as const;
    const keys = [await keyOf(apps[0], "alpha"), await keyOf(apps[0], "beta")] as const;
    const ids = await Promise.all(
      keys.map(async (key, bank) => (await ask(apps[0], key, CREATE, { input: person(`bank${bank}`) })).createCustomer.id as string),
    );

    // The replica follows at once: reads are its.
    await expect
      .poll(
        async () =>
          (await Promise.all(keys.map((key, bank) => ask(apps[0], key, READ, { id: ids[bank] })))) && (await reads(apps[0])).replica,
      )
      .toBeGreaterThan(4);

    // It stands still and goes on, at random, while both banks are written and read through both gateways.
    const replay = (does: "pause" | "resume") => replica.sql(`SELECT pg_wal_replay_${does}()`);
    const over = new AbortController();
    const wavering = (async () => {
      while (!over.signal.aborted) {
        await replay("pause");
        await sleep(Math.random() * 150);
        await replay("resume");
        await sleep(Math.random() * 150);
      }
    })();
    await Promise.all(
      keys.map(async (key, bank) => {
        for (let n = 0; n < 60; n += 1) {
          const state = `State ${n}`;
          await ask(apps[n % 2]!, key, UPDATE, { input: { id: ids[bank], update: { state } } });
          const seen = await Promise.all(apps.flatMap((app) => [app, app]).map((app) => ask(app, key, READ, { id: ids[bank] })));
          expect(seen.map(({ customer }) => customer.state)).toEqual([state, state, state, state]);
        }
      }),
    );
    over.abort();
    await wavering;
    const mixed = await reads(apps[0]);
    expect(mixed.replica).toBeGreaterThan(20);
    expect(mixed.primary).toBeGreaterThan(5);

    // What it undoes to go on, and its end, are read again from the primary.
    const reading = (count: number) => Promise.all(Array.from({ length: count }, () => ask(apps[0], keys[0], READ, { id: ids[0] })));
    await reading(20);
    for (let n = 0; n < 5; n += 1) {
      const asked = reading(10);
      await replica.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'customer-gateway%'");
      expect(await asked).toHaveLength(10);
      await expect.poll(async () => (await reading(1)) && (await reads(apps[0])).usable, { timeout: 10_000 }).toBe(1);
    }
    const stopped = replica.stop("immediate");
    for (let n = 0; n < 20; n += 1) expect(await reading(10)).toHaveLength(10);
    await stopped;
    await reading(10);
    expect((await reads(apps[0])).usable).toBe(0);
    expect((await apps[0].fetch(new Request("http://gateway.test/health/ready"))).status).toBe(200);
    await replica.go();
    await expect.poll(async () => (await reading(1)) && (await reads(apps[0])).usable, { timeout: 10_000 }).toBe(1);
    const before = (await reads(apps[0])).replica;
    await reading(10);
    expect((await reads(apps[0])).replica).toBeGreaterThan(before);

    // One that has become a server of its own is none any more.
    await replica.sql("SELECT pg_promote(true, 30)");
    await ask(apps[0], keys[0], UPDATE, { input: { id: ids[0], update: { state: "After" } } });
    expect(new Set((await reading(10)).map(({ customer }) => customer.state))).toEqual(new Set(["After"]));
    expect((await reads(apps[0])).usable).toBe(0);
    await expect(open(cluster, [replica])).rejects.toThrow(
      /address 1 of DATABASE_REPLICA_URLS cannot be used: it is no replica: it takes writes itself/,
    );
  });

  test("one that is away is no reason not to start", async () => {
    const cluster = await Cluster.start();
    const replica = await cluster.replica();
    await replica.stop("fast");
    const app = await open(cluster, [replica]);
    const key = await keyOf(app, "alpha");
    const { id } = (await ask(app, key, CREATE, { input: person("first") })).createCustomer;
    expect((await ask(app, key, READ, { id })).customer.state).toBeNull();
    await replica.go();
    await expect
      .poll(async () => (await ask(app, key, READ, { id })) && (await reads(app)).replica, { timeout: 10_000 })
      .toBeGreaterThan(0);
  });

  test("doctor says of each address whether it follows, is away, or is no replica", async () => {
    const cluster = await Cluster.start();
    const [replica, away] = [await cluster.replica(), await cluster.replica()];
    await away.stop("fast");
    await open(cluster, []);
    const urls = [replica, away, cluster].map(({ url }) => url).join(",");
    const env = { DATABASE_URL: cluster.url, DATABASE_REPLICA_URLS: urls, DATA_DIR: freshDir() };
    const { code, stdout } = await command(["doctor", "--json"], env).ended;
    const found = JSON.parse(stdout).filter(({ check }: { check: string }) => check.startsWith("replica"));
    expect(found).toMatchObject([
      { check: "replica 1", status: "ok" },
      { check: "replica 2", status: "warning", says: expect.stringContaining("cannot be reached") },
      { check: "replica 3", status: "problem", says: expect.stringContaining("it takes writes itself") },
    ]);
    expect(code).toBe(1);
  });
});
