import { connect } from "node:net";
import { gzipSync } from "node:zlib";
import { afterAll, describe, expect, test } from "vitest";
import { pino } from "pino";
import { issueKey } from "../../src/access/issue-key.ts";
import { startGateway } from "../../src/start.ts";
import { freshDatabase } from "../support/gateway.ts";

const { config, remove } = await freshDatabase();
const lines: string[] = [];
const log = pino({ level: "info" }, { write: (line) => void lines.push(line) });
const gateway = await startGateway(config, { log, timeouts: { headersMs: 500, requestMs: 1000, keepAliveMs: 500, checkMs: 50 } });
const tenant = { id: "alpha", kind: "BANK", name: "alpha" } as const;
const { key } = await issueKey(gateway.app.services.db, { tenant, mode: "SANDBOX", audience: "INTERNAL", scopes: ["batches:write"] });
afterAll(async () => {
  await gateway.stop();
  await remove();
});

const HEAD = `POST /graphql HTTP/1.1\r\nHost: gateway.test\r\nAuthorization: Bearer ${key}\r\nContent-Type: application/json\r\n`;
const BODY = JSON.stringify({ query: "{ viewer { mode } }" });
const chunk = (bytes: Uint8Array | string) =>
  Buffer.concat([Buffer.from(`${Buffer.byteLength(bytes).toString(16)}\r\n`), Buffer.from(bytes), Buffer.from("\r\n")]);

const PATIENCE = { timeout: 10_000 };

/** A connection of its own: what has been answered so far, and until it ended, after how many milliseconds. */
function open() {
  const socket = connect(Number(new URL(gateway.url).port), "127.0.0.1");
  const started = performance.now();
  let text = "";
  socket.on("data", (data) => (text += String(data)));
  // Cut off while still sending.
  socket.on("error", () => {});
  const ended = new Promise<{ text: string; ms: number }>((resolve) =>
    socket.once("close", () => resolve({ text, ms: performance.now() - started })),
  );
  return { socket, ended, answer: () => text };
}

describe("slow clients are cut, while others are answered", () => {
  const cases: [what: string, write: (send: (text: string) => void) => (() => void) | undefined, least: number][] = [
    ["one that says nothing", () => undefined, 500],
    ["one whose headers come by the letter", (send) => (send("GET /graphql HTTP/1.1\r\nX-Slow: "), () => send("a")), 500],
    ["one whose body comes by the letter", (send) => (send(`${HEAD}Content-Length: 1000\r\n\r\n{`), () => send(" ")), 1000],
    ["one whose chunks come by the letter", (send) => (send(`${HEAD}Transfer-Encoding: chunked\r\n\r\n`), () => send("1\r\n \r\n")), 1000],
  ];
  test.each(cases)("%s", async (_what, write, least) => {
    const { socket, ended, answer } = open();
    const next = write((text) => socket.write(text));
    const drip = setInterval(() => answer() === "" && next?.(), 50);
    const other = await fetch(`${gateway.url}/health/live`);
    expect(other.status).toBe(200);
    const { text, ms } = await ended;
    clearInterval(drip);
    expect(text).toMatch(/^HTTP\/1\.1 408 /);
    expect(ms).toBeGreaterThanOrEqual(least - 50);
    expect(ms).toBeLessThan(least + 10_000);
  });

  test("what was cut is logged as the client's doing", async () => {
    const requests = () => lines.map((line) => JSON.parse(line)).filter(({ msg }) => msg !== "audit head");
    lines.length = 0;
    const { socket, ended } = open();
    socket.write(`${HEAD}Content-Length: 1000\r\n\r\n{`);
    await ended;
    await expect.poll(requests).toMatchObject([{ msg: "request", method: "POST", status: 400 }]);
  });

  test("a connection that waits for nothing is closed, after its answer", async () => {
    const { socket, ended } = open();
    socket.write(`${HEAD}Content-Length: ${BODY.length}\r\n\r\n${BODY}`);
    const { text } = await ended;
    expect(text).toMatch(/^HTTP\/1\.1 200 .*"mode":"SANDBOX"/s);
  });
});

test("a 304 has neither body nor length, and the connection serves on", async () => {
  const { socket, ended } = open();
  const ask = `GET /graphql?query=%7Bviewer%7Bmode%7D%7D HTTP/1.1\r\nHost: gateway.test\r\nAuthorization: Bearer ${key}\r\nIf-None-Match: *\r\n`;
  socket.write(`${ask}\r\n${ask}Connection: close\r\n\r\n`);
  const answers = (await ended).text.split(/(?=HTTP\/1\.1 )/);
  expect(answers).toHaveLength(2);
  for (const answer of answers) {
    expect(answer).toMatch(/^HTTP\/1\.1 304 .*\r\netag: W\/.*\r\n\r\n$/is);
    expect(answer).not.toMatch(/content-length|transfer-encoding/i);
  }
});

describe("bodies", () => {
  test("in chunks, within the limit, is answered; over it, 413 before it has ended", async () => {
    const small = open();
    small.socket.write(`${HEAD}Transfer-Encoding: chunked\r\n\r\n`);
    for (const letter of BODY) small.socket.write(chunk(letter));
    small.socket.write("0\r\n\r\n");
    await expect.poll(small.answer, PATIENCE).toMatch(/^HTTP\/1\.1 200 /);
    small.socket.destroy();

    const large = open();
    large.socket.write(`${HEAD}Transfer-Encoding: chunked\r\n\r\n`);
    for (let sent = 0; sent < 3_000_000; sent += 60_000) large.socket.write(chunk(Buffer.alloc(60_000, 0x20)));
    await expect.poll(large.answer, PATIENCE).toMatch(/^HTTP\/1\.1 413 .*PAYLOAD_TOO_LARGE/s);
    large.socket.destroy();
  });

  test.each(["gzip", "deflate", "br", "gzip, gzip", "identity, gzip"])("Content-Encoding %s is 415, unread", async (encoding) => {
    const { socket, answer } = open();
    socket.write(`${HEAD}Content-Encoding: ${encoding}\r\nContent-Length: 1000000\r\n\r\n`);
    await expect.poll(answer, PATIENCE).toMatch(/^HTTP\/1\.1 415 .*BAD_USER_INPUT/s);
    socket.destroy();
  });

  test("identity is none", async () => {
    const { socket, answer } = open();
    socket.write(`${HEAD}Content-Encoding: Identity\r\nContent-Length: ${BODY.length}\r\n\r\n${BODY}`);
    await expect.poll(answer, PATIENCE).toMatch(/^HTTP\/1\.1 200 /);
    socket.destroy();
  });

  test("ten gzip bombs of 200 MB each cost no memory", async () => {
    const bomb = gzipSync(Buffer.alloc(200_000_000));
    const before = process.memoryUsage.rss();
    for (let sent = 0; sent < 10; sent++) {
      const { socket, answer } = open();
      socket.write(`${HEAD}Content-Encoding: gzip\r\nContent-Length: ${bomb.length}\r\n\r\n`);
      socket.write(bomb);
      await expect.poll(answer, PATIENCE).toMatch(/^HTTP\/1\.1 415 /);
      socket.destroy();
    }
    expect(process.memoryUsage.rss() - before).toBeLessThan(100_000_000);
  });

  test.each([
    ["application/x-www-form-urlencoded", `query=${encodeURIComponent("{viewer{mode}}")}`],
    ["multipart/form-data; boundary=x", `--x\r\nContent-Disposition: form-data; name="operations"\r\n\r\n${BODY}\r\n--x--\r\n`],
    ["text/plain", BODY],
  ])("%s is 415, with a key and a true query", async (type, body) => {
    const response = await fetch(`${gateway.url}/graphql`, {
      method: "POST",
      headers: { authorization: `Bearer ${key}`, "content-type": type },
      body,
    });
    expect([response.status, (await response.json()).errors[0].extensions.code]).toEqual([415, "BAD_USER_INPUT"]);
  });

  test("a list of a thousand operations is refused whole", async () => {
    const response = await fetch(`${gateway.url}/graphql`, {
      method: "POST",
      headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
      body: `[${Array(1000).fill(BODY).join()}]`,
    });
    expect([response.status, (await response.json()).errors.length]).toEqual([400, 1]);
  });
});

test.each([
  ["a b", "/health/live"],
  ["[::1", "/health/live"],
  ["x:99999", "/health/live"],
  ["%", "/graphql"],
  ["x/graphql?", "/health/live"],
  ["user:word@x", "/graphql"],
  ["x#", "/graphql"],
  ["gateway.test", "*"],
])("Host: %s with the target %s is a 400 as any other, and tells nothing of the gateway's insides", async (host, target) => {
  const { socket, ended } = open();
  socket.write(`GET ${target} HTTP/1.1\r\nHost: ${host}\r\nX-Request-Id: odd-host\r\nConnection: close\r\n\r\n`);
  const { text } = await ended;
  expect(text).toMatch(/^HTTP\/1\.1 400 /);
  expect(text).toContain('"code":"BAD_USER_INPUT"');
  expect(text.toLowerCase()).toContain("x-content-type-options: nosniff");
  expect(text.toLowerCase()).toContain("x-request-id: odd-host");
  expect(text).not.toMatch(/\.ts|node_modules|at /);
});

test("a target with a host of its own is its path; TRACE is refused", async () => {
  const ask = async (line: string) => {
    const { socket, ended } = open();
    socket.write(`${line} HTTP/1.1\r\nHost: gateway.test\r\nAuthorization: Bearer ${key}\r\nConnection: close\r\n\r\n`);
    return (await ended).text;
  };
  expect(await ask("GET http://elsewhere.example/health/live")).toMatch(/^HTTP\/1\.1 200 /);
  expect(await ask("TRACE /graphql")).toMatch(/^HTTP\/1\.1 405 [^]*allow: /i);
});
