import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { request } from "node:http";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import { gzipSync } from "node:zlib";
import { ATTACKS, invalidDocument } from "../test/support/attacks.ts";

/**
 * Whether those who send a gateway what is to bring it down hinder the others. Starts one with its defaults, asks it 20
 * ordinary questions a second from a thread of its own, attacks it meanwhile, and prints for each attack what it was
 * answered and how soon, how long the others waited, and what memory the gateway held. Ends badly when a refusal took
 * over 250 ms, another's answer over 200 ms, or invalid documents left more than 100 MB.
 * `node bench/abuse.ts` is for the embedded database, `DATABASE_URL=postgres://…` for an empty one on PostgreSQL. Linux.
 */
const TIMES = 3;
const SLOW = 2000;

const dir = mkdtempSync(join(tmpdir(), "customer-gateway-abuse-"));
const env = { ...process.env, DATA_DIR: join(dir, "data"), PORT: "0" };
const command = (...words: string[]) =>
  spawn(process.execPath, ["src/cli/main.ts", ...words], { env, stdio: ["ignore", "pipe", "inherit"] });

const gateway = command("start");
let printed = "";
while (!/ready at (\S+)\/graphql/.test(printed)) printed += String((await once(gateway.stdout, "data"))[0]);
const url = /ready at (\S+)\/graphql/.exec(printed)![1]!;
const { attacker, other } = await keys();

/** The embedded database has the demo's; on PostgreSQL they are made. */
async function keys(): Promise<{ attacker: string; other: string }> {
  if (!process.env["DATABASE_URL"]) {
    const { internal, app } = JSON.parse(readFileSync(join(env.DATA_DIR, "dev-keys.json"), "utf8")) as Record<string, string>;
    return { attacker: internal!, other: app! };
  }
  const create = async (...more: string[]) => {
    const child = command("keys", "create", "--mode", "sandbox", "--audience", "INTERNAL", "--json", ...more);
    return (JSON.parse(String((await once(child.stdout, "data"))[0])) as { key: string }).key;
  };
  const first = await create("--bank", "bench", "--scopes", "keys:manage,batches:write,customers:read:extended");
  return { attacker: first, other: await create("--url", url, "--key", first, "--scopes", "customers:read:extended") };
}

/** How long each ordinary request took since it was last asked, in milliseconds; from a thread that the attacks do not slow. */
const others = new Worker(new URL("abuse-others.ts", import.meta.url), { workerData: { url, key: other } });
let waits: number[] = [];
others.on("message", (ms: number) => waits.push(ms));

/** Resident memory of the gateway, in MB. */
const memory = () => Math.round(Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${gateway.pid}/status`, "utf8"))![1]) / 1024);

interface Outcome {
  status: string;
  code: string;
  ms: number;
}

/** Sends a body and waits for the answer, also to one that is refused before it has been sent. */
function post(body: Buffer, headers: Record<string, string>): Promise<Outcome> {
  const started = performance.now();
  return new Promise((resolve) => {
    const sending = request(`${url}/graphql`, {
      method: "POST",
      agent: false,
      headers: { authorization: `Bearer ${attacker}`, "content-type": "application/json", ...headers },
    });
    const end = (status: string, text: string) =>
      resolve({ status, code: /"code":"(\w+)"/.exec(text)?.[1] ?? text.slice(0, 40), ms: performance.now() - started });
    sending.on("error", (error) => end("", error.message));
    sending.on("response", (response) => {
      let text = "";
      response.on("data", (data) => (text += String(data)));
      response.on("close", () => end(String(response.statusCode), text));
    });
    sending.end(body);
  });
}

const rows: object[] = [];
let failures = 0;

/** Makes an attack, and adds its row: the slowest of its outcomes, and the others' waits while it was made. */
async function suffer(attack: string, make: () => Promise<Outcome[]>, mostRefusal = 250, mostMemory = Infinity): Promise<void> {
  await sleep(500);
  const before = memory();
  waits = [];
  const [slowest] = (await make()).sort((one, two) => two.ms - one.ms);
  await sleep(500);
  const sorted = waits.sort((one, two) => one - two);
  const [p99, max] = [sorted[Math.floor(sorted.length * 0.99)] ?? NaN, sorted.at(-1) ?? NaN].map(Math.round);
  const grown = memory() - before;
  const holds = slowest!.ms <= mostRefusal && max! <= 200 && grown <= mostMemory;
  failures += Number(!holds);
  const { status, code, ms } = slowest!;
  const row = { attack, status, code, "refused, ms": Math.round(ms), "others p99": p99, "others max": max, "MB before": before };
  rows.push({ ...row, "MB more": grown, holds });
}

const times = (make: () => Promise<Outcome>) => async () => {
  const outcomes: Outcome[] = [];
  for (let time = 0; time < TIMES; time++) outcomes.push(await make());
  return outcomes;
};

/** Opens many connections, each of which says something now and then until the gateway has cut it; how long all that took. */
async function slowly(head: string, drop: string): Promise<Outcome[]> {
  const started = performance.now();
  const sockets = new Set<Socket>();
  let [cut, answer] = [0, ""];
  for (let opened = 0; opened < SLOW; opened++) {
    const socket = connect(Number(new URL(url).port), "127.0.0.1", () => socket.write(head));
    socket.on("data", (data) => (answer ||= String(data)));
    socket.on("error", () => {});
    socket.on("close", () => (sockets.delete(socket), cut++));
    sockets.add(socket);
    if (opened % 100 === 99) await sleep(20);
  }
  while (sockets.size > 0 && performance.now() - started < 60_000) {
    for (const socket of sockets) if (socket.writable) socket.write(drop);
    await sleep(500);
  }
  for (const socket of sockets) socket.destroy();
  return [{ status: answer.slice(9, 12), code: `${cut} cut`, ms: performance.now() - started }];
}

/** Sends different invalid documents, four at a time; the slowest. */
async function invalid(count: number, only?: number): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  let next = 0;
  const send = async () => {
    while (next < count) {
      const number = only === undefined ? next++ : 4 * next++ + only;
      outcomes.push(await post(Buffer.from(JSON.stringify({ query: invalidDocument(number) })), {}));
    }
  };
  await Promise.all(Array.from({ length: 4 }, send));
  return outcomes;
}

try {
  // What the first requests cost once is no matter of theirs.
  await invalid(400);
  await sleep(2000);
  // How calm the machine is: what the others wait while nobody attacks.
  await suffer("nobody, for 5 s", async () => (await sleep(5000), [{ status: "", code: "", ms: 0 }]));
  for (const [name, { body }] of Object.entries(ATTACKS)) {
    const bytes = Buffer.from(body);
    await suffer(
      name,
      times(() => post(bytes, { "content-length": String(bytes.length) })),
    );
  }
  const [large, bomb] = [Buffer.alloc(10_000_000, " "), gzipSync(Buffer.alloc(1_000_000_000))];
  await suffer(
    "10 MB in chunks",
    times(() => post(large, { "transfer-encoding": "chunked" })),
  );
  await suffer(
    "a gzip bomb of 1 GB",
    times(() => post(bomb, { "content-encoding": "gzip" })),
  );
  await suffer("5,000 small invalid documents", () => invalid(5000, 0), 250, 100);
  await suffer("5,000 invalid documents of all sizes", () => invalid(5000), 250, 100);
  const head = `POST /graphql HTTP/1.1\r\nHost: gateway\r\nAuthorization: Bearer ${attacker}\r\nContent-Type: application/json\r\n`;
  await suffer(`${SLOW} connections, headers by the byte`, () => slowly("POST /graphql HTTP/1.1\r\nX-Slow: ", "a"), 15_000);
  await suffer(`${SLOW} connections, bodies by the byte`, () => slowly(`${head}Content-Length: 9000\r\n\r\n`, " "), 35_000);
  console.table(rows);
} finally {
  await others.terminate();
  gateway.kill("SIGTERM");
  await once(gateway, "close");
  rmSync(dir, { recursive: true, force: true });
}
if (failures > 0) process.exitCode = 1;
