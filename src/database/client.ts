import { setTimeout as sleep } from "node:timers/promises";
import { PrismaPg } from "@prisma/adapter-pg";
import type pg from "pg";
import type { Connection } from "./deadline.ts";
import { isConflict } from "./fault.ts";
import { type Prisma, PrismaClient } from "./generated/client.ts";
import { keepWasmCode } from "./keep-wasm-code.ts";
import { GatewayPool } from "./pool.ts";
import { setReader } from "./read-rows.ts";
import { type StatementWatch, watchedClient } from "./statement-watch.ts";

/** The whole database: what a request reads with. Every call may use another connection. */
export type Database = PrismaClient;

/** The database within one transaction; dead as soon as the function it was given to is over. */
export type Transaction = Prisma.TransactionClient;

/** Limits on every connection; times in milliseconds. */
export interface ClientOptions {
  /** Connections at most, unless the connection itself says (the embedded database does, an address may by `?connection_limit=2`): 10. */
  max?: number;
  /**
   * How long a query waits for a connection, which is both for a free one and for a new one to open: 5,000. Not at all once another
   * has waited for 2,000. On the embedded database, whose one connection all wait for in turn: 15,000, less than a request may take.
   */
  connectionTimeoutMs?: number;
  /** When PostgreSQL cancels a statement: 10,000. The embedded database ignores it. */
  statementTimeoutMs?: number;
  /** When PostgreSQL ends a connection whose transaction does nothing, as after a lost network: 30,000. Ignored likewise. */
  idleInTransactionTimeoutMs?: number;
  /** Sees the text of every SQL statement, never the values; of a transaction also COMMIT and ROLLBACK, but not BEGIN. For tests: it slows each query. */
  onQuery?: (sql: string) => void;
  /** Sees each statement begin and end, BEGIN too, within the request that runs it. */
  watch?: StatementWatch;
}

/**
 * A client with a pool of its own; it connects at the first query, so this neither waits nor throws.
 * End it with `$disconnect()`.
 */
export function createClient(connection: Connection, options: ClientOptions = {}): Database {
  keepWasmCode();
  const limits = {
    application_name: "customer-gateway",
    keepAlive: true,
    ...connection,
    max: connection.max ?? connectionLimit(connection.connectionString) ?? options.max ?? CONNECTIONS.pool,
    // pg's own defaults are to wait for ever, in all three.
    connectionTimeoutMillis: options.connectionTimeoutMs ?? (connection.ignoresCancel ? 15_000 : 5_000),
    ...timeLimits(connection, {
      statement_timeout: options.statementTimeoutMs ?? 10_000,
      idle_in_transaction_session_timeout: options.idleInTransactionTimeoutMs ?? 30_000,
    }),
  };
  const pool = new GatewayPool(limits, options.watch && watchedClient(options.watch));
  const adapter = new PrismaPg(pool, { disposeExternalPool: true });
  const { onQuery } = options;
  // Also of a read under row-level security, which is a transaction; Prisma's own would give up a busy pool after 2,000.
  const transactionOptions = { maxWait: MAX_WAIT_MS, timeout: TRANSACTION_TIMEOUT_MS };
  // Else each call takes a stack trace, to quote its own source should it fail; errors are logged by class and code.
  const shared = { adapter, transactionOptions, errorFormat: "minimal" } as const;
  const client = onQuery ? new PrismaClient({ ...shared, log: [{ emit: "event", level: "query" }] }) : new PrismaClient(shared);
  if (onQuery) (client as PrismaClient<"query">).$on("query", (event) => onQuery(event.query));
  pools.set(client, pool);
  setReader(client, async ({ text, values }) => {
    onQuery?.(text);
    return (await pool.query({ text, values: [...values], rowMode: "array" })).rows;
  });
  return client;
}

/** How many connections one process may open, where nothing else is said. */
export const CONNECTIONS = { pool: 10, queue: 2, readiness: 3 };

const pools = new WeakMap<Database, GatewayPool>();

/** How a client's pool stands: connections that are open, those of them that nobody uses, and those who wait for one. */
export interface PoolState {
  readonly open: number;
  readonly idle: number;
  readonly waiting: number;
}

/** Of a client that `createClient` made. */
export function poolState(client: Database): PoolState {
  const { totalCount, idleCount, waitingCount } = pools.get(client)!;
  return { open: totalCount, idle: idleCount, waiting: waitingCount };
}

/** How many connections one process may open to this address, for whatever purpose. */
export function connectionsOf(address: string): number {
  return (connectionLimit(address) ?? CONNECTIONS.pool) + CONNECTIONS.queue + CONNECTIONS.readiness;
}

/** What an address says of the connections at most, by Prisma's name for it. */
function connectionLimit(address: string | undefined): number | undefined {
  const limit = Number(/[?&]connection_limit=(\d+)/.exec(address ?? "")?.[1]);
  return limit > 0 ? limit : undefined;
}

/**
 * Whether an address says `?pgbouncer=true`, Prisma's name for it. PgBouncer refuses a connection that asks for time
 * limits, and in transaction mode could not keep them: they are then the role's own, which `doctor` looks at.
 */
export function isBehindPgBouncer(address: string | undefined): boolean {
  return /[?&]pgbouncer=true(&|$)/.test(address ?? "");
}

/** The time limits that a connection may ask for, in milliseconds: those given, or none behind PgBouncer. */
export function timeLimits<Limits extends pg.ClientConfig>({ connectionString }: Connection, limits: Limits): Limits | undefined {
  return isBehindPgBouncer(connectionString) ? undefined : limits;
}

/** What a client that is bound to a tenant begins each transaction with, and the pool's own client. */
interface Scope {
  readonly db: Database;
  readonly enter: (tx: Transaction) => Promise<unknown>;
}

const scopes = new WeakMap<Database, Scope>();

/** Binds a client: `transaction` will enter its scope first. */
export function setScope(client: Database, scope: Scope): void {
  scopes.set(client, scope);
}

/** A transaction's limits; times in milliseconds. */
export interface TransactionOptions {
  /** How long to wait for it to begin: 5,000, as long as for a connection (Prisma's own 2,000 is less than that). */
  maxWaitMs?: number;
  /** How long it may take before it is rolled back: 15,000, more than one statement may take (Prisma: 5,000). */
  timeoutMs?: number;
  /** Whether all its reads see one moment (REPEATABLE READ), instead of each its own. */
  oneMoment?: boolean;
}

const MAX_WAIT_MS = 5_000;
const TRANSACTION_TIMEOUT_MS = 15_000;

const ATTEMPTS = 3;

const retries = new WeakSet<Transaction>();

/** Whether a transaction runs because the one before it met a conflict: it may then keep others out, to meet none. */
export function isRetry(tx: Transaction): boolean {
  return retries.has(tx);
}

/**
 * Runs `fn` in one transaction, at READ COMMITTED unless told otherwise, and returns what it returns; if it throws, everything is
 * rolled back and the error comes out unchanged.
 *
 * A deadlock or a serialization failure rolls back and runs `fn` again, 3 times in all: so `fn` must have
 * no effects outside the transaction. `fn` must not use the outer `db`, which would wait for the connection
 * that this transaction holds; and it must not swallow a failed statement, since PostgreSQL answers the
 * COMMIT that follows with a silent ROLLBACK.
 */
export async function transaction<T>(
  db: Database,
  fn: (tx: Transaction) => Promise<T>,
  { maxWaitMs = MAX_WAIT_MS, timeoutMs = TRANSACTION_TIMEOUT_MS, oneMoment = false }: TransactionOptions = {},
): Promise<T> {
  const scope = scopes.get(db);
  for (let attempt = 1; ; attempt += 1) {
    const run = async (tx: Transaction) => {
      if (attempt > 1) retries.add(tx);
      await scope?.enter(tx);
      return fn(tx);
    };
    try {
      return await (scope?.db ?? db).$transaction(run, {
        isolationLevel: oneMoment ? "RepeatableRead" : "ReadCommitted",
        maxWait: maxWaitMs,
        timeout: timeoutMs,
      });
    } catch (error) {
      if (attempt === ATTEMPTS || !isConflict(error)) throw error;
      // Apart at random, or the two that met would meet again.
      await sleep(Math.random() * 20 * attempt);
    }
  }
}
