import type { CustomerFieldName } from "../access/visibility.ts";
import { CUSTOMER_FIELDS } from "../access/visibility.ts";

/** Collects what a request was shown, or asked about, above STANDARD: which fields, of whose customers; no value. */
export class Disclosed {
  readonly #fields = new Set<CustomerFieldName>();
  readonly #customers = new Set<string>();
  #last: string | undefined;

  /** A field of a customer was shown. */
  show(field: CustomerFieldName, customerId: string): void {
    this.#fields.add(field);
    // The fields of one customer mostly come one after the other.
    if (customerId === this.#last) return;
    this.#customers.add((this.#last = customerId));
  }

  /** The caller looked up, filtered or sorted by fields: the answer tells something of them, even when it is empty. */
  ask(fields: readonly CustomerFieldName[]): void {
    for (const field of fields) if (CUSTOMER_FIELDS[field].tier !== "STANDARD") this.#fields.add(field);
  }

  /** As the schema names them, sorted; empty when nothing above STANDARD was read. */
  get fields(): string[] {
    return [...this.#fields].sort().map((field) => `Customer.${field}`);
  }

  get customers(): ReadonlySet<string> {
    return this.#customers;
  }
}
