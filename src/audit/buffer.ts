import type { AuditFacts } from "./entry.ts";

/** What is noted of one request: the facts, and whose customers, which are counted when the entry is written. */
export type Noted = Omit<AuditFacts, "customers" | "count"> & { readonly customers?: ReadonlySet<string> };

interface Sum {
  facts: Omit<AuditFacts, "customers" | "count">;
  customers: ReadonlySet<string> | undefined;
  count: number;
}

/** How many reads a second have an entry of their own; from then on, like ones are added up. */
const OWN_ENTRIES = 500;

/** How many sums are kept; from then on, all of one actor, action and outcome are one. */
const MAX_SUMS = 5000;

/**
 * What was noted since it was last taken: bounded, however much comes. Refusals of the same actor, operation
 * and field are one entry with their count. Nothing is left out of the counts.
 */
export class AuditBuffer {
  #sums = new Map<string, Sum>();
  #unique = 0;

  note({ customers, ...facts }: Noted): void {
    const key = this.#keyOf(facts);
    const sum = this.#sums.get(key);
    if (sum) add(sum, { facts, customers, count: 1 });
    else this.#sums.set(key, { facts, customers, count: 1 });
  }

  /** Everything noted so far, as facts of entries; the buffer is empty afterwards. `restore` puts it back. */
  take(): { facts: AuditFacts[]; restore: () => void } {
    const sums = this.#sums;
    this.#sums = new Map();
    const taken = [...sums.values()].map(({ facts, customers, count }) => ({ ...facts, customers: customers?.size ?? 0, count }));
    const restore = () => {
      for (const [key, sum] of sums) {
        const now = this.#sums.get(key);
        if (now) add(now, sum);
        else this.#sums.set(key, sum);
      }
    };
    return { facts: taken, restore };
  }

  #keyOf({ bankId, mode, actor, audience, action, operation, outcome, documentHash, fields, subjects }: Sum["facts"]): string {
    const who = [bankId, mode, actor, audience, action, outcome];
    if (this.#sums.size >= MAX_SUMS) return JSON.stringify(who);
    if (action === "REFUSAL") return JSON.stringify([...who, operation, fields]);
    if (this.#sums.size >= OWN_ENTRIES) return JSON.stringify([...who, operation, fields, documentHash, subjects]);
    return String(this.#unique++);
  }
}

/** Adds one sum to another: what differs between them is told of neither. */
function add(sum: Sum, other: Sum): void {
  const { facts } = sum;
  const same = <Value>(one: Value, two: Value) => (one === two ? one : null);
  sum.facts = {
    ...facts,
    requestId: null,
    operation: same(facts.operation, other.facts.operation),
    documentHash: same(facts.documentHash, other.facts.documentHash),
    fields: [...new Set([...facts.fields, ...other.facts.fields])],
    subjects: [...new Set([...facts.subjects, ...other.facts.subjects])],
  };
  // The first set is its request's own; what is added up needs one that may grow.
  if (sum.count === 1) sum.customers = new Set(sum.customers);
  for (const customer of other.customers ?? []) (sum.customers as Set<string>).add(customer);
  sum.count += other.count;
}
