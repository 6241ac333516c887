import type { Transaction } from "../database/client.ts";

/** What a transaction has changed so far, as the audit tells it. */
export class Tally {
  readonly customers = new Set<string>();
  readonly fields = new Set<string>();
  /** Global ids of merchants. */
  readonly merchants = new Set<string>();
  /** Ids of keys and batches. */
  readonly subjects = new Set<string>();

  add(changes: readonly { readonly customerId: string; readonly changed?: readonly string[] }[]): void {
    for (const { customerId, changed } of changes) {
      this.customers.add(customerId);
      for (const field of changed ?? []) this.fields.add(`Customer.${field}`);
    }
  }

  /** What was changed is undone by a savepoint. */
  clearChanges(): void {
    this.customers.clear();
    this.fields.clear();
    this.merchants.clear();
  }

  get isEmpty(): boolean {
    return this.customers.size + this.merchants.size + this.subjects.size === 0;
  }
}

const tallies = new WeakMap<Transaction, Tally>();

/** Begins to count what a transaction changes. */
export function beginTally(tx: Transaction): Tally {
  const tally = new Tally();
  tallies.set(tx, tally);
  return tally;
}

/** The tally of a transaction that `write` began. Throws for any other, so that no write goes without its audit. */
export function tallyOf(tx: Transaction): Tally {
  const tally = tallies.get(tx);
  if (!tally) throw new Error("a write outside of write(): it would leave no audit entry");
  return tally;
}
