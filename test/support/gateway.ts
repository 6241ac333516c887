import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, inject, onTestFinished } from "vitest";
import { issueKey } from "../../src/access/issue-key.ts";
import { type Scope, scopesOf } from "../../src/access/scopes.ts";
import { type App, type AppOptions, buildApp } from "../../src/app.ts";
import type { Config } from "../../src/config.ts";
import type { Audience, Mode, TenantKind } from "../../src/database/generated/enums.ts";
import { testConfig } from "./config.ts";
import { TEST_DATABASE_URL } from "./environment.ts";
import { administer, databaseUrl } from "./global-setup.ts";

/** What a key of a test may be; by default: INTERNAL, sandbox, every scope of bank `alpha`. */
export interface KeyOptions {
  bank?: string;
  kind?: Exclude<TenantKind, "MERCHANT">;
  mode?: Mode;
  audience?: Audience;
  scopes?: Scope[];
  client?: string;
}

/** An answer, read. */
export interface Answer<Data = any> {
  status: number;
  headers: Headers;
  body: {
    data: Data;
    errors?: { message: string; path?: (string | number)[]; extensions: { code: string; [name: string]: unknown } }[];
    extensions?: any;
  };
}

/** A gateway on a fresh database, called as clients call it. */
export interface TestGateway {
  app: App;
  config: Config;
  /** Every SQL statement that does work, since it was last emptied: `statements.length = 0`. */
  statements: string[];
  key(options?: KeyOptions): Promise<string>;
  /** Runs a document by POST, and expects JSON; of a stream its first event, when it is over. */
  query<Data = any>(
    key: string | null,
    document: string | { toString(): string },
    variables?: object,
    headers?: Record<string, string>,
  ): Promise<Answer<Data>>;
  /** Sends anything. */
  send(path: string, init?: RequestInit): Promise<Response>;
}

export const EVERY_SCOPE: Scope[] = scopesOf("BANK");

/** Whether a header counts what is left to a key, and so differs from one answer to the next; the length has the digits of `extensions.cost` in it. */
export const isCounter = (name: string) => ["x-ratelimit-remaining", "x-ratelimit-reset", "ratelimit", "content-length"].includes(name);

/** An answer's text without `extensions.cost`, which counts likewise. */
export const withoutCost = (text: string) => text.replaceAll(/"cost":\{[^{}]*\},|,?"cost":\{[^{}]*\}/g, "");

/** Opens a gateway on the project's database, and closes it after the tests of a file; within a test, after it. */
export async function openGateway(
  changes: Partial<Config> | ((config: Config) => Partial<Config> | Promise<Partial<Config>>) = {},
  options: AppOptions = {},
): Promise<TestGateway> {
  const statements: string[] = [];
  const { config: fresh, remove } = await freshDatabase();
  const config = { ...fresh, ...(typeof changes === "function" ? await changes(fresh) : changes) };
  const app = await buildApp(config, { ...options, onQuery: (sql) => void (isWork(sql) && statements.push(sql)) });
  (expect.getState().currentTestName === undefined ? afterAll : onTestFinished)(async () => {
    await app.close();
    await remove();
  });
  const send = (path: string, init?: RequestInit) => app.fetch(new Request(`http://gateway.test${path}`, init));
  return {
    app,
    config,
    statements,
    send,
    async key({ bank = "alpha", kind = "BANK", mode = "SANDBOX", audience = "INTERNAL", scopes = scopesOf(kind), client } = {}) {
      const { key } = await issueKey(app.services.db, { tenant: { id: bank, kind, name: bank }, mode, audience, scopes, client });
      return key;
    },
    async query(key, document, variables, headers) {
      const response = await send("/graphql", {
        method: "POST",
        headers: {
          "content-type": "application/json",
          accept: "application/json, text/event-stream",
          ...(key !== null && { authorization: `Bearer ${key}` }),
          ...headers,
        },
        body: JSON.stringify({ query: String(document), variables }),
      });
      const text = await response.text();
      // Of a stream: its first event.
      const json = response.headers.get("content-type")?.startsWith("text/event-stream") ? /^data: (.*)$/m.exec(text)![1]! : text;
      return { status: response.status, headers: response.headers, body: JSON.parse(json) as never };
    },
  };
}

const OTHERS_WORK =
  /set_config|^(BEGIN|COMMIT)|audit_(entry|link)|AS "isOlder"|pg_stat_user_tables|status = 'PROCESSING'|"last_used_at" = |UPDATE persisted_document d|"(blacklist_expires_at|blacklisted_identity"\."expires_at)" <= /;

/** Whether a statement does work for a request: not what row-level security puts around each, nor the audit's and the jobs', which come at any time. */
export function isWork(sql: string): boolean {
  return !OTHERS_WORK.test(sql);
}

/** A configuration with a database of its own, and how to remove it. */
export async function freshDatabase() {
  const dataDir = await mkdtemp(join(tmpdir(), "customer-gateway-test-"));
  const removeDir = () => rm(dataDir, { recursive: true, force: true });
  if (process.env["TEST_ON"] !== "postgres") {
    await cp(inject("templateDir"), dataDir, { recursive: true });
    return { config: testConfig({ dataDir }), remove: removeDir };
  }
  const url = TEST_DATABASE_URL!;
  const name = `customer_gateway_test_${crypto.randomUUID().replaceAll("-", "")}`;
  await administer(url, `CREATE DATABASE ${name} TEMPLATE ${inject("templateDatabase")}`);
  return {
    config: testConfig({ dataDir, databaseUrl: databaseUrl(url, name) }),
    async remove() {
      await administer(url, `DROP DATABASE ${name} WITH (FORCE)`);
      await removeDir();
    },
  };
}
