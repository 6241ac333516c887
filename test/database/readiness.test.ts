import { once } from "node:events";
import net, { type AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { expect, onTestFinished, test } from "vitest";
import { createReadiness } from "../../src/database/readiness.ts";
import { openGateway } from "../support/gateway.ts";
import { ON_POSTGRES } from "../support/process.ts";

const gateway = await openGateway();
const ask = async (path: string) => {
  const started = performance.now();
  const response = await gateway.send(path);
  return { status: response.status, body: await response.json(), ms: performance.now() - started };
};
const ready = { status: "ready", database: "ok", migrations: "ok", queue: "ok" };

test("ready names the database, the migrations and the queue", async () => {
  expect(await ask("/health/ready")).toMatchObject({ status: 200, body: ready });
});

test("tables of another version are not ready, and all else is", async () => {
  const { db } = gateway.app.services;
  await db.$executeRaw`INSERT INTO _prisma_migrations (id, checksum, migration_name, finished_at, applied_steps_count)
    VALUES ('later', 'later', '29991231000000_later', now(), 1)`;
  expect(await ask("/health/ready")).toMatchObject({ status: 503, body: { ...ready, status: "unready", migrations: "failing" } });
  await db.$executeRaw`DELETE FROM _prisma_migrations WHERE id = 'later'`;
  expect(await ask("/health/ready")).toMatchObject({ status: 200, body: ready });
});

test.runIf(ON_POSTGRES)("a locked table is not ready within its time, and live all along; many who ask are one look", async () => {
  const client = new pg.Client({ connectionString: gateway.config.databaseUrl! });
  await client.connect();
  const locked = async (table: string) => {
    await client.query(`BEGIN; LOCK TABLE ${table} IN ACCESS EXCLUSIVE MODE`);
    const asked = Array.from({ length: 50 }, () => ask("/health/ready"));
    await sleep(100);
    expect(await ask("/health/live")).toMatchObject({ status: 200, body: { status: "live" } });
    const { rows } = await client.query("SELECT FROM pg_stat_activity WHERE application_name = 'customer-gateway health'");
    expect(rows.length).toBeLessThanOrEqual(3);
    const answers = await Promise.all(asked);
    await client.query("ROLLBACK");
    expect(new Set(answers.map(({ body }) => JSON.stringify(body))).size).toBe(1);
    return answers[0]!;
  };
  expect(await locked("customer")).toMatchObject({ status: 503, body: { ...ready, status: "unready", database: "failing" } });
  expect(await locked("jobs.version")).toMatchObject({ status: 503, body: { ...ready, status: "unready", queue: "failing" } });
  await client.end();
  expect(await ask("/health/ready")).toMatchObject({ status: 200, body: ready });
});

test.runIf(ON_POSTGRES)("who is slow to connect to and then hangs has one time for both", async () => {
  const address = new URL(gateway.config.databaseUrl!);
  const { port, hostname } = address;
  const slow = net.createServer(async (socket) => {
    await sleep(1200);
    const server = net.connect(Number(port), hostname);
    socket.pipe(server).pipe(socket);
    for (const end of [socket, server]) end.on("error", () => [socket, server].forEach((one) => one.destroy()));
  });
  await once(slow.listen(0, "127.0.0.1"), "listening");
  address.port = String((slow.address() as AddressInfo).port);
  const readiness = createReadiness({ connectionString: address.href }, new AbortController().signal);
  const client = new pg.Client({ connectionString: gateway.config.databaseUrl! });
  await client.connect();
  onTestFinished(async () => {
    await client.end();
    await readiness.close();
    slow.close();
  });
  await client.query("BEGIN; LOCK TABLE customer IN ACCESS EXCLUSIVE MODE");
  const started = performance.now();
  expect(await readiness.check()).toMatchObject({ status: "unready", database: "failing", queue: "ok" });
  expect(performance.now() - started).toBeLessThan(2800);
});

test.runIf(ON_POSTGRES)("a pool in full use is no reason to be unready", async () => {
  const { db } = gateway.app.services;
  const busy = Array.from({ length: 12 }, () => db.$queryRaw`SELECT pg_sleep(2)::text`);
  await sleep(200);
  expect(await ask("/health/ready")).toMatchObject({ status: 200, body: ready });
  await Promise.all(busy);
});

test("a gateway that stops says so, and is alive", async () => {
  gateway.app.endStreams();
  expect(await ask("/health/ready")).toMatchObject({ status: 503, body: { ...ready, status: "stopping" } });
  expect((await ask("/health/live")).status).toBe(200);
});
