import pg from "pg";
import { asPostgres, CancellableClient, type Connection, withinDeadline } from "./deadline.ts";

/**
 * How long the line for a connection may stand still, in milliseconds: once its first has waited so long, who comes is refused
 * at once. A burst is let wait, since the line moves; behind statements that do not end, all would only wait for nothing.
 */
const STANDSTILL_MS = 2000;

type Callback = (...results: unknown[]) => void;

/**
 * A pool whose running statements a deadline can cancel, and whose line has an end. Who waits for a connection goes on as
 * the request that waited, not as the one that gave it back.
 */
export class GatewayPool extends pg.Pool {
  /** When each of those who wait began to, the first first. */
  readonly #line = new Map<symbol, number>();
  readonly #isBounded: boolean;

  constructor(config: Connection, Client: typeof CancellableClient = CancellableClient) {
    // The types forget that a client is given the pool's configuration.
    super({ ...config, Client: Client as unknown as new () => pg.Client });
    // The embedded database has one connection, for whose work all wait in turn, and nobody else to go to.
    this.#isBounded = !config.ignoresCancel;
  }

  override connect(callback?: any): any {
    const connected = this.#connect();
    if (callback === undefined) return connected;
    connected.then((client) => (callback as Callback)(undefined, client, (error?: Error) => client.release(error)), callback as Callback);
  }

  async #connect(): Promise<pg.PoolClient> {
    if (this.#isStandingStill()) throw asPostgres("53300", "FATAL", "all connections of the pool are in use");
    const place = Symbol();
    this.#line.set(place, performance.now());
    try {
      return await withinDeadline(super.connect(), (client) => client.release());
    } finally {
      this.#line.delete(place);
    }
  }

  #isStandingStill(): boolean {
    if (!this.#isBounded || this.waitingCount === 0) return false;
    const [first] = this.#line.values();
    return first !== undefined && performance.now() - first > STANDSTILL_MS;
  }
}
