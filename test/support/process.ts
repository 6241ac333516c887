import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { issueKey } from "../../src/access/issue-key.ts";
import type { Scope } from "../../src/access/scopes.ts";
import { createClient } from "../../src/database/client.ts";
import { TEST_DATABASE_URL } from "./environment.ts";
import { type Answer, EVERY_SCOPE, freshDatabase } from "./gateway.ts";
import { administer, databaseUrl } from "./global-setup.ts";

/** Whether this run is the one on PostgreSQL. */
export const ON_POSTGRES = process.env["TEST_ON"] === "postgres";

const MAIN = join(import.meta.dirname, "../../src/cli/main.ts");

/** Where Node keeps what it has compiled of the sources: the tests start some thousand processes, each twice as fast with it. */
const NODE_COMPILE_CACHE = join(import.meta.dirname, "../../node_modules/.cache/compiled");

/** Variables for a child process. */
export type Env = Record<string, string>;

/** How a process ended, and all that it printed. */
export interface Ending {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** A process that a test started; it is ended with the test at the latest. */
export class TestProcess {
  readonly child: ChildProcess;
  stdout = "";
  stderr = "";
  readonly ended: Promise<Ending>;

  constructor(program: string, args: string[], env: Env, options: { detached?: boolean; cwd?: string } = {}) {
    const { PATH, HOME, TMPDIR } = process.env;
    // Not the test runner's variables: the gateway would read them.
    this.child = spawn(program, args, {
      ...options,
      env: { PATH, HOME, NODE_COMPILE_CACHE, ...(TMPDIR && { TMPDIR }), ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.child.stdout!.setEncoding("utf8").on("data", (text: string) => (this.stdout += text));
    this.child.stderr!.setEncoding("utf8").on("data", (text: string) => (this.stderr += text));
    this.ended = once(this.child, "close").then(([code]) => ({ code: code as number | null, stdout: this.stdout, stderr: this.stderr }));
    onTestFinished(async () => {
      this.child.kill("SIGKILL");
      await this.ended;
    });
  }

  /** Sends a signal and waits for the end. */
  async end(signal: NodeJS.Signals): Promise<Ending> {
    this.child.kill(signal);
    return this.ended;
  }

  /** Waits until it has printed something on standard output that fits. Throws when it ends before. */
  async printed(pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const match = pattern.exec(this.stdout);
      if (match) return match;
      const ending = await Promise.race([once(this.child.stdout!, "data").then(() => null), this.ended]);
      if (ending && !pattern.test(this.stdout)) throw new Error(`it ended with ${ending.code}: ${ending.stdout}${ending.stderr}`);
    }
  }
}

/** Starts the command line with these words and variables. */
export function command(args: string[], env: Env = {}): TestProcess {
  return new TestProcess(process.execPath, [MAIN, ...args], env);
}

/** A gateway of its own process, that is ready. */
export interface GatewayProcess extends TestProcess {
  /** E.g. `http://127.0.0.1:41233`. */
  url: string;
}

/** Starts a gateway on a free port and waits until it is ready. Throws, with what it printed, when it cannot start. */
export async function startGateway(env: Env): Promise<GatewayProcess> {
  const started = command(["start"], { PORT: "0", ...env });
  const [, url] = await started.printed(/ready at (\S+)\/graphql/);
  return Object.assign(started, { url: url! });
}

/** Sends a document. Throws when the connection fails, or the answer is no JSON. */
export async function send(url: string, key: string, query: string, variables: object = {}): Promise<Answer["body"]> {
  const response = await fetch(`${url}/graphql`, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${key}` },
    body: JSON.stringify({ query, variables }),
  });
  return (await response.json()) as Answer["body"];
}

/** The path of a directory that does not exist yet; it is removed with the test. */
export function freshDir(): string {
  const parent = mkdtempSync(join(tmpdir(), "customer-gateway-test-"));
  onTestFinished(() => rmSync(parent, { recursive: true, force: true }));
  return join(parent, "data");
}

/** Variables for a gateway on a database of its own that has its tables; it is removed with the test. */
export async function freshEnv(): Promise<Env> {
  const { config, remove } = await freshDatabase();
  onTestFinished(remove);
  // The secret of TEST_KEYRING, which made the copy.
  const keyring = Buffer.alloc(32, 7).toString("base64");
  // A test sends more in a minute than a key may.
  const limits = { RATE_LIMIT_POINTS: "2000000000", LOOKUP_LIMIT: "2000000000" };
  return { DATA_DIR: config.dataDir, GATEWAY_KEYRING: keyring, ...limits, ...(config.databaseUrl && { DATABASE_URL: config.databaseUrl }) };
}

/** A key for the gateway of `freshEnv` that may do everything in its bank. Of another bank, or with fewer scopes, on PostgreSQL only. */
export async function keyFor({ DATA_DIR, DATABASE_URL }: Env, bank = "alpha", scopes: readonly Scope[] = EVERY_SCOPE): Promise<string> {
  if (DATABASE_URL === undefined)
    return (JSON.parse(readFileSync(join(DATA_DIR!, "dev-keys.json"), "utf8")) as { internal: string }).internal;
  const db = createClient({ connectionString: DATABASE_URL });
  try {
    const tenant = { id: bank, kind: "BANK", name: bank } as const;
    return (await issueKey(db, { tenant, mode: "SANDBOX", audience: "INTERNAL", scopes })).key;
  } finally {
    await db.$disconnect();
  }
}

/** The address of an empty database on PostgreSQL; it is removed with the test. */
export async function emptyDatabase(): Promise<string> {
  const name = `customer_gateway_test_${crypto.randomUUID().replaceAll("-", "")}`;
  await administer(TEST_DATABASE_URL!, `CREATE DATABASE ${name}`);
  onTestFinished(() => administer(TEST_DATABASE_URL!, `DROP DATABASE ${name} WITH (FORCE)`));
  return databaseUrl(TEST_DATABASE_URL!, name);
}
