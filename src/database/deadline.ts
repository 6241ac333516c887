import { AsyncLocalStorage } from "node:async_hooks";
import type { Socket } from "node:net";
import pg from "pg";
import { scoped } from "./scoped-query.ts";

/** What one run with a deadline asks of the database. */
class Span {
  #over = false;
  readonly #running = new Set<CancellableClient>();
  readonly #waiting = new Set<() => void>();

  /** Null, or why a statement is refused: it comes after the deadline. What undoes or ends a transaction still goes through. */
  begin(client: CancellableClient, sql: string): Error | null {
    if (this.#over && !/^(ROLLBACK|COMMIT)\b/i.test(sql)) return tooLate();
    this.#running.add(client);
    return null;
  }

  end(client: CancellableClient): void {
    this.#running.delete(client);
  }

  /** Waits no longer than to the deadline; what comes later goes to `giveBack`. */
  wait<T>(coming: Promise<T>, giveBack: (late: T) => void): Promise<T> {
    return new Promise((resolve, reject) => {
      let isLate = false;
      const stop = () => {
        isLate = true;
        reject(tooLate());
      };
      this.#waiting.add(stop);
      if (this.#over) stop();
      coming.then((come) => (isLate ? giveBack(come) : resolve(come)), reject).finally(() => this.#waiting.delete(stop));
    });
  }

  /** The deadline: whatever runs is cancelled, and whoever waits is refused. */
  close(): void {
    this.#over = true;
    for (const client of this.#running) client.cancelRunning();
    for (const stop of this.#waiting) stop();
  }
}

const spans = new AsyncLocalStorage<Span>();

/** An error as PostgreSQL itself says it, by its code: it is one kind of fault, whoever saw to it. */
export function asPostgres(code: string, severity: "ERROR" | "FATAL", message: string): Error {
  return Object.assign(new pg.DatabaseError(message, 0, "error"), { code, severity });
}

/** Of a statement that took too long. */
const tooLate = () => asPostgres("57014", "ERROR", "the time of the request is over");

/**
 * Runs `run` and gives what it gives. After `ms` milliseconds each statement that it still runs is cancelled in
 * PostgreSQL, and a new one is refused: both fail as a statement over its own time limit does, so a transaction is
 * rolled back. The embedded database ignores a cancel; there only new statements are refused.
 */
async function withDeadline<T>(ms: number, run: () => Promise<T> | T): Promise<T> {
  const span = new Span();
  const timer = setTimeout(() => span.close(), ms);
  try {
    // Awaited within: a call of Prisma's begins only then.
    return await spans.run(span, async () => await run());
  } finally {
    clearTimeout(timer);
  }
}

/** What comes within the deadline of the run that this is called in, if it has one; what comes later goes to `giveBack`. */
export function withinDeadline<T>(coming: Promise<T>, giveBack: (late: T) => void): Promise<T> {
  return spans.getStore()?.wait(coming, giveBack) ?? coming;
}

/** The time that one request has of the database, over all that it does there one after the other. */
export class TimeBudget {
  #leftMs: number;

  constructor(ms: number) {
    this.#leftMs = ms;
  }

  /** In milliseconds. */
  get leftMs(): number {
    return Math.max(this.#leftMs, 0);
  }

  /** Runs `work` with what is left as its deadline. */
  async run<T>(work: () => Promise<T> | T): Promise<T> {
    const begun = performance.now();
    try {
      return await withDeadline(this.leftMs, work);
    } finally {
      this.#leftMs -= performance.now() - begun;
    }
  }
}

/** How to connect. */
export interface Connection extends pg.PoolConfig {
  /** Whether the server leaves a cancel unanswered, as the embedded database does: none is sent then. */
  readonly ignoresCancel?: boolean;
}

/** How long PostgreSQL has to take a cancel. */
const CANCEL_TIMEOUT_MS = 1000;

type Callback = (...results: unknown[]) => void;

/** What pg's types do not tell of a client, and of the connection that it speaks over. */
interface Backend {
  readonly ssl: unknown;
  readonly processID: number;
  readonly secretKey: number;
}
interface Wire {
  readonly stream: Socket;
  connect(port: number | string, host?: string): void;
  cancel(processID: number, secretKey: number): void;
}

/** A connection whose running statement a deadline can cancel. */
export class CancellableClient extends pg.Client {
  #cancelled: Promise<void> | undefined;
  readonly #ignoresCancel: boolean;

  constructor(config: Connection) {
    super(config);
    this.#ignoresCancel = config.ignoresCancel ?? false;
    // One that is ended while it goes from one user to the next has neither's listener, nor the pool's, for a moment: without
    // this the process would end. Whoever uses it next is told, and the pool takes it out.
    this.on("error", () => {});
  }

  // pg's `query` has many forms; Prisma and pg's own pool use these two: a promise, and a callback as the last argument.
  override query(...parameters: any[]): any {
    const span = spans.getStore();
    const query = (...all: any[]) => super.query(...(scoped(all) as [string])) as unknown;
    if (!span) return query(...parameters);
    const [statement] = parameters as [string | { text: string }];
    const callback = parameters.at(-1) as Callback | undefined;
    const refusal = span.begin(this, typeof statement === "string" ? statement : statement.text);
    if (refusal) return typeof callback === "function" ? process.nextTick(callback, refusal) : Promise.reject(refusal);
    if (typeof callback !== "function") return (query(...parameters) as Promise<unknown>).finally(() => this.#ended(span));
    const done: Callback = (...results) => void this.#ended(span).then(() => callback(...results));
    return query(...parameters.slice(0, -1), done);
  }

  /**
   * Asks PostgreSQL to cancel what runs here, over a connection of its own and by the secret that was given for this
   * one, which PgBouncer passes on. A cancel that does not arrive is no fault: the statement's own time limit stands.
   */
  cancelRunning(): void {
    if (this.#ignoresCancel) return;
    const { ssl, processID, secretKey } = this as unknown as Backend;
    const { host, port } = this;
    this.#cancelled ??= new Promise((resolve) => {
      const connection = new pg.Connection({ ssl } as never) as pg.Connection & Wire;
      connection.once(ssl ? "sslconnect" : "connect", () => connection.cancel(processID, secretKey));
      connection.on("error", () => resolve());
      connection.on("end", () => resolve());
      setTimeout(() => connection.stream.destroy(), CANCEL_TIMEOUT_MS).unref();
      if (host.startsWith("/")) connection.connect(`${host}/.s.PGSQL.${port}`);
      else connection.connect(port, host);
    });
  }

  /** A cancel that is under way is waited for: else it would meet the next statement, of somebody else's request. */
  async #ended(span: Span): Promise<void> {
    span.end(this);
    await this.#cancelled;
    this.#cancelled = undefined;
  }
}
