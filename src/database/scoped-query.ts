import { AsyncLocalStorage } from "node:async_hooks";
import pg from "pg";

/** Whose rows a statement may touch. */
export interface Scope {
  readonly bank: string;
  readonly mode: string;
  readonly operator: "on" | "off";
}

/** Takes the tenants' role and names bank and mode, until the transaction ends; gives no row. Parameters: bank, mode, operator. */
const ENTER = `SELECT WHERE concat(set_config('role', 'customer_gateway_tenant', true), set_config('gateway.bank', $1, true),
  set_config('gateway.mode', $2, true), set_config('gateway.operator', $3, true)) IS NULL`;

/** The statement by which a transaction enters a scope. */
export interface Entry {
  readonly text: string;
  readonly values: readonly string[];
}

export function entryOf({ bank, mode, operator }: Scope): Entry {
  return { text: ENTER, values: [bank, mode, operator] };
}

const scopes = new AsyncLocalStorage<Scope>();

/** Runs `run`, whose statements outside of transactions each enter the scope first, in their own one message to PostgreSQL. */
export function withinScope<T>(scope: Scope, run: () => Promise<T>): Promise<T> {
  return scopes.run(scope, run);
}

/**
 * The arguments of pg's `query`, with its statement in the scope that this is called in, if there is one. Only of a statement
 * that a pool runs by itself, so with a callback: on the connection of a transaction it would throw, since that has no scope.
 */
export function scoped(parameters: any[]): any[] {
  const scope = scopes.getStore();
  if (!scope) return parameters;
  if (typeof parameters.at(-1) !== "function") throw new Error("a transaction in the scope of a statement");
  return [new ScopedQuery(scope, ...parameters)];
}

/** What pg's types do not tell of a query and of the connection that it is sent over. */
interface Wire {
  parse(statement: { text: string; name: string }): void;
  bind(portal: { values: readonly string[] }): void;
  execute(portal: object): void;
}
interface QueryParts {
  new (...parameters: any[]): {
    requiresPreparation(): boolean;
    prepare(connection: Wire): void;
    handleCommandComplete(message: unknown, connection: Wire): void;
  };
}

/**
 * A statement that enters a scope and then runs, all sent at once: what comes before one Sync is one transaction to PostgreSQL,
 * so that the scope ends with the statement. A transaction of its own would be three more round trips.
 */
class ScopedQuery extends (pg.Query as unknown as QueryParts) {
  /** What it sends first. */
  readonly enter: Entry;
  #isEntering = true;

  constructor(scope: Scope, ...parameters: unknown[]) {
    super(...parameters);
    this.enter = entryOf(scope);
  }

  override requiresPreparation(): boolean {
    return true;
  }

  override prepare(connection: Wire): void {
    const { text, values } = this.enter;
    connection.parse({ text, name: "" });
    connection.bind({ values });
    connection.execute({});
    super.prepare(connection);
  }

  override handleCommandComplete(message: unknown, connection: Wire): void {
    if (this.#isEntering) this.#isEntering = false;
    else super.handleCommandComplete(message, connection);
  }
}
