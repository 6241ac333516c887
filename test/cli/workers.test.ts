import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { command, type Env, freshDir, freshEnv, keyFor, ON_POSTGRES, send, startGateway, type GatewayProcess } from "../support/process.ts";

const READ = "{ customers(first: 1) { totalCount } }";

/** The processes that a process has started. */
const childrenOf = ({ child: { pid } }: GatewayProcess) =>
  readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ").filter(Boolean).map(Number);

const isAlive = (pid: number) => {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
};

/** CPU time in hundredths of a second. */
const cpu = (pid: number) => {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]!.split(" ");
  return Number(fields[11]) + Number(fields[12]);
};

/** Sends over a connection of its own, so that the next worker gets it. */
async function ask(url: string, key: string): Promise<number> {
  const headers = { "content-type": "application/json", authorization: `Bearer ${key}`, connection: "close" };
  return (await fetch(`${url}/graphql`, { method: "POST", headers, body: JSON.stringify({ query: READ }) })).status;
}

async function opened(more: Env = {}) {
  const env: Env = { ...(await freshEnv()), WORKERS: "2", METRICS_PORT: "0", ...more };
  const gateway = await startGateway(env);
  const [, metricsUrl] = await gateway.printed(/added up, at (\S+)/);
  return { env, gateway, key: await keyFor(env), metricsUrl: metricsUrl! };
}

describe.runIf(ON_POSTGRES)("start with two workers", { timeout: 120_000 }, () => {
  it("says so once; both serve, their metrics add up, and SIGTERM ends both in order", async () => {
    const { gateway, key, metricsUrl } = await opened();
    expect(gateway.stdout.match(/is ready at/g)).toHaveLength(1);
    expect(gateway.stdout).toContain("2 workers serve it.");
    const workers = childrenOf(gateway);
    expect(workers).toHaveLength(2);
    const before = workers.map(cpu);
    const statuses = await Promise.all(Array.from({ length: 200 }, () => ask(gateway.url, key)));
    expect(new Set(statuses)).toEqual(new Set([200]));
    workers.forEach((pid, index) => expect(cpu(pid) - before[index]!).toBeGreaterThan(5));
    const metrics = await (await fetch(metricsUrl)).text();
    expect(metrics).toMatch(/^gateway_http_responses_total\{status="200"\} 200$/m);
    expect(metrics).toMatch(/^gateway_database_connections \d+$/m);
    const ending = await gateway.end("SIGTERM");
    expect(ending).toMatchObject({ code: 0 });
    expect(workers.filter(isAlive)).toEqual([]);
  });

  it("while a worker hangs its metrics are 503, and everything else goes on", async () => {
    const { gateway, metricsUrl } = await opened();
    const [hanging] = childrenOf(gateway) as [number];
    process.kill(hanging, "SIGSTOP");
    expect((await fetch(`${metricsUrl}?job=gateway`)).status).toBe(503);
    expect(childrenOf(gateway)).toHaveLength(2);
    process.kill(hanging, "SIGCONT");
    await expect.poll(async () => (await fetch(metricsUrl, { method: "HEAD" })).status, { timeout: 10_000 }).toBe(200);
    expect(await gateway.end("SIGTERM")).toMatchObject({ code: 0 });
  });

  it("a worker that is killed is replaced while the other serves", async () => {
    const { gateway, key } = await opened();
    const [first, second] = childrenOf(gateway) as [number, number];
    process.kill(first, "SIGKILL");
    // Until it is known to be gone, it may be given a connection, which ends with it.
    await expect.poll(() => gateway.stderr).toMatch(/"signal":"SIGKILL".*a worker has ended; another is started/);
    expect(isAlive(first)).toBe(false);
    for (let n = 0; n < 20; n += 1) expect(await ask(gateway.url, key)).toBe(200);
    await expect.poll(() => childrenOf(gateway).length, { timeout: 20_000 }).toBe(2);
    expect(childrenOf(gateway)).toContain(second);
    expect((await gateway.end("SIGINT")).code).toBe(0);
  });

  it("workers end with what started them, and the port is free", async () => {
    const { env, gateway, key } = await opened();
    const workers = childrenOf(gateway);
    await gateway.end("SIGKILL");
    await expect.poll(() => workers.filter(isAlive), { timeout: 20_000 }).toEqual([]);
    const again = await startGateway({ ...env, PORT: new URL(gateway.url).port });
    expect((await send(again.url, key, READ)).data.customers.totalCount).toBe(0);
    expect((await again.end("SIGTERM")).code).toBe(0);
  });

  it("what keeps one from starting is said once, and ends all", async () => {
    const { gateway } = await opened();
    const env = { ...(await freshEnv()), PORT: new URL(gateway.url).port };
    const { code, stdout, stderr } = await command(["start", "--workers", "2"], env).ended;
    expect([code, stdout]).toEqual([1, ""]);
    expect(stderr).toMatch(/^[^\n]*cannot listen on 127\.0\.0\.1:\d+: another process is listening there\. Fix: [^\n]+\n$/);
  });
});

it.each([
  [
    "the embedded database",
    ["--workers", "2"],
    /^2 workers cannot start: the embedded database can be used by one process only\. Fix: set DATABASE_URL/,
  ],
  ["a number that is none", ["--workers", "many"], /WORKERS is malformed: it must be a whole number from 1 to 64, or auto/],
  ["none at all", ["--workers", "0"], /WORKERS is malformed/],
])("workers are refused: %s", async (_name, words, says) => {
  const { code, stdout, stderr } = await command(["start", ...words], { PORT: "0", DATA_DIR: freshDir() }).ended;
  expect([code, stdout]).toEqual([1, ""]);
  expect(stderr).toMatch(says);
});
