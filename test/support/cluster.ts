import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import pg from "pg";
import { onTestFinished } from "vitest";
import { POSTGRESQL_BIN } from "./environment.ts";
import { freePort } from "./redis.ts";

const run = promisify(execFile);

/** PostgreSQL refuses to run as root: it is then run by the user that its package made. */
const AS_ROOT = process.getuid?.() === 0;

/** A PostgreSQL of a test's own, which it may stop, start over, lock and fill up. It ends with the test. */
export class Cluster {
  readonly dir: string;
  readonly port: number;

  private constructor(dir: string, port: number) {
    this.dir = dir;
    this.port = port;
  }

  /** Makes a streaming replica of this one, and starts it. */
  async replica(): Promise<Cluster> {
    const home = await mkdtemp(join(tmpdir(), "customer-gateway-cluster-"));
    const replica = new Cluster(home, await freePort());
    await replica.#takeFolder();
    await replica.#program("pg_basebackup", "-D", replica.#data, "-d", this.url, "-R", "-X", "stream", "-c", "fast", "--no-sync");
    await replica.go();
    return replica;
  }

  /** Makes one in a folder of its own, or in `dir`, which then stays, and starts it; it keeps what it has acknowledged. */
  static async start(dir?: string): Promise<Cluster> {
    const home = dir ?? (await mkdtemp(join(tmpdir(), "customer-gateway-cluster-")));
    const cluster = new Cluster(home, await freePort());
    await cluster.#takeFolder(dir !== undefined);
    await cluster.#program("initdb", "-D", cluster.#data, "-U", "postgres", "--auth=trust", "--no-sync", "--no-instructions");
    await cluster.go();
    return cluster;
  }

  /** The folder is its user's, and goes with the test, unless it stays. */
  async #takeFolder(stays = false): Promise<void> {
    if (AS_ROOT) await run("chown", ["postgres", this.dir]);
    onTestFinished(async () => {
      await this.stop("immediate").catch(() => {});
      if (!stays) await rm(this.dir, { recursive: true, force: true });
    }, 60_000);
  }

  get #data(): string {
    return join(this.dir, "data");
  }

  get url(): string {
    return `postgres://postgres@127.0.0.1:${this.port}/postgres`;
  }

  /** Starts it, and waits until it takes connections. */
  async go(): Promise<void> {
    const settings = `-c port=${this.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories=${this.dir} -c shared_buffers=32MB -c max_wal_size=64MB -c min_wal_size=32MB`;
    await this.#program("pg_ctl", "start", "-D", this.#data, "-l", join(this.dir, "log"), "-w", "-o", settings);
  }

  /** `fast` ends every connection and stops in order; `immediate` is a crash. */
  async stop(mode: "fast" | "immediate"): Promise<void> {
    await this.#program("pg_ctl", "stop", "-D", this.#data, "-m", mode, "-w");
  }

  /** Runs statements on a connection of its own. */
  async sql<Row extends pg.QueryResultRow>(...statements: string[]): Promise<Row[]> {
    const client = new pg.Client({ connectionString: this.url });
    await client.connect();
    try {
      let rows: Row[] = [];
      for (const statement of statements) ({ rows } = await client.query<Row>(statement));
      return rows;
    } finally {
      await client.end();
    }
  }

  async #program(name: string, ...args: string[]): Promise<void> {
    const program = join(POSTGRESQL_BIN!, name);
    const [file, all] = AS_ROOT ? ["runuser", ["-u", "postgres", "--", program, ...args]] : [program, args];
    await run(file, all, { cwd: this.dir });
  }
}
