import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { command, freshDir, freshEnv, keyFor, send, startGateway, TestProcess } from "../support/process.ts";

const BODY = JSON.stringify({ query: "{ viewer { keyId } }" });

/** A connection, and what came over it. */
async function open(url: string) {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  const opened = { socket, received: "" };
  socket.setEncoding("utf8").on("data", (text: string) => (opened.received += text));
  socket.on("error", () => {});
  await once(socket, "connect");
  return opened;
}

async function answered(opened: { socket: Socket; received: string }, text: string): Promise<void> {
  while (!opened.received.includes(text)) await once(opened.socket, "data");
}

/** A request under way: the gateway has begun with it, and its body is yet to come. */
async function halfRequest(url: string, key: string) {
  const opened = await open(url);
  opened.socket.write(
    "POST /graphql HTTP/1.1\r\nhost: gateway.test\r\ncontent-type: application/json\r\nauthorization: Bearer " +
      `${key}\r\ncontent-length: ${BODY.length}\r\nexpect: 100-continue\r\n\r\n`,
  );
  await answered(opened, "100 Continue");
  return opened;
}

/** Waits until nobody listens at the address any more. */
async function refused(url: string): Promise<void> {
  for (;;) {
    const code = await fetch(`${url}/health/live`).then(
      () => null,
      (error: { cause?: { code?: string } }) => error.cause?.code ?? "unknown",
    );
    if (code === "ECONNREFUSED") return;
    await sleep(20);
  }
}

async function freePort(): Promise<string> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  return String(port);
}

describe("a stop", { timeout: 180_000 }, () => {
  it("answers the request under way, takes no new one, and does not wait for idle connections", async () => {
    const env = await freshEnv();
    const gateway = await startGateway(env);
    const idle = await open(gateway.url);
    idle.socket.write("GET /health/live HTTP/1.1\r\nhost: gateway.test\r\n\r\n");
    await answered(idle, '"live"');
    const silent = await open(gateway.url);
    const busy = await halfRequest(gateway.url, await keyFor(env));
    gateway.child.kill("SIGTERM");
    await refused(gateway.url);
    busy.socket.write(BODY);
    await answered(busy, '"keyId"');
    // Nothing was cut off: that would be said.
    expect(await gateway.ended).toMatchObject({ code: 0, stderr: "" });
    for (const { socket } of [idle, silent, busy]) expect(socket.destroyed || socket.readableEnded).toBe(true);
  });

  it("cuts off what takes too long, and says so", async () => {
    const env = await freshEnv();
    const gateway = await startGateway(env);
    const never = await halfRequest(gateway.url, await keyFor(env));
    const { code, stderr } = await gateway.end("SIGTERM");
    expect(code).toBe(0);
    expect(stderr).toMatch(/^Requests on 1 connection took too long to wait for, and were cut off\.$/m);
    expect(never.received).not.toContain('"keyId"');
  });

  it("serves on, unready, for as long as a balancer needs to notice", async () => {
    const env = { ...(await freshEnv()), SHUTDOWN_DELAY_MS: "3000" };
    const gateway = await startGateway(env);
    const key = await keyFor(env);
    const ready = async () => (await fetch(`${gateway.url}/health/ready`)).json() as Promise<{ status: string }>;
    expect((await ready()).status).toBe("ready");
    gateway.child.kill("SIGTERM");
    await expect.poll(async () => (await ready()).status).toBe("stopping");
    expect((await send(gateway.url, key, "{ viewer { mode } }")).data.viewer.mode).toBe("SANDBOX");
    expect((await fetch(`${gateway.url}/health/live`)).status).toBe(200);
    expect(await gateway.ended).toMatchObject({ code: 0, stderr: "" });
  });

  it("does not wait when asked again", async () => {
    const env = await freshEnv();
    const gateway = await startGateway(env);
    await halfRequest(gateway.url, await keyFor(env));
    gateway.child.kill("SIGTERM");
    await refused(gateway.url);
    await sleep(1100);
    expect(await gateway.end("SIGTERM")).toMatchObject({ code: 143, stderr: "" });
  });

  it("comes in order when Ctrl-C ends `npm start`, where it arrives twice", async () => {
    // A group of its own, as a terminal gives one: the signal goes to npm, to its shell and to the gateway.
    const env = await freshEnv();
    const npm = new TestProcess("npm", ["start"], { ...env, PORT: "0" }, { detached: true });
    const [, url] = await npm.printed(/ready at (\S+)\/graphql/);
    const busy = await halfRequest(url!, await keyFor(env));
    process.kill(-npm.child.pid!, "SIGINT");
    await refused(url!);
    busy.socket.write(BODY);
    await answered(busy, '"keyId"');
    const { code, stderr } = await npm.ended;
    // npm ends by the signal itself where its shell does.
    expect([0, null]).toContain(code);
    // What npm says of a machine's own settings is not the gateway's.
    expect(stderr.replace(/^npm warn .*\n+/gm, "")).toBe("");
  });

  it("before the gateway is ready ends it at once, and the next start goes on; until then it answers UNAVAILABLE", async () => {
    const env = { DATA_DIR: freshDir(), PORT: await freePort() };
    const url = `http://127.0.0.1:${env.PORT}`;
    const started = command(["start"], env);
    let body: Awaited<ReturnType<typeof send>> | null = null;
    while (body === null) body = await send(url, "cgw_none", "{ viewer { keyId } }").catch(() => null);
    expect(body.errors![0]!.extensions.code).toBe("UNAVAILABLE");
    expect((await fetch(`${url}/health/live`)).status).toBe(200);
    expect((await fetch(`${url}/health/ready`)).status).toBe(503);
    expect(await started.end("SIGINT")).toEqual({ code: 130, stdout: "", stderr: "" });
    expect((await startGateway(env)).url).toBe(url);
  });
});
