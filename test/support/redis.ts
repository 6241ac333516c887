import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { connect, createServer, type AddressInfo } from "node:net";
import { Redis } from "ioredis";
import { vi } from "vitest";
import { REDIS_PATH } from "./environment.ts";

/** A Redis of a test's own, which it may stop, pause and empty. */
export class TestRedis {
  readonly url: string;
  readonly #port: number;
  #child: ChildProcess | null = null;

  private constructor(port: number) {
    this.#port = port;
    this.url = `redis://127.0.0.1:${port}`;
  }

  /** Starts one on a free port, with nothing on disk. */
  static async start(): Promise<TestRedis> {
    const redis = new TestRedis(await freePort());
    await redis.start();
    return redis;
  }

  /** Starts it, empty, on the same port as before. */
  async start(): Promise<void> {
    this.#child = spawn(REDIS_PATH!, ["--port", String(this.#port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"], {
      stdio: "ignore",
    });
    await vi.waitFor(() => isOpen(this.#port), { timeout: 20_000 });
  }

  /** Kills it. */
  async stop(): Promise<void> {
    const child = this.#child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, "exit");
    child.kill("SIGKILL");
    await ended;
  }

  /** It stays connected and answers nothing any more, until `resume`. */
  pause(): void {
    this.#child!.kill("SIGSTOP");
  }

  resume(): void {
    this.#child!.kill("SIGCONT");
  }

  async flush(): Promise<void> {
    const client = new Redis(this.url);
    await client.flushall();
    await client.script("FLUSH");
    client.disconnect();
  }
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  return port;
}

/** Resolves when somebody listens there; rejects when nobody does. */
async function isOpen(port: number): Promise<void> {
  const socket = connect(port, "127.0.0.1");
  try {
    await once(socket, "connect");
  } finally {
    socket.destroy();
  }
}
