/**
 * The five steps of a batch as the contract tells them (§4), written for the small world of values below and
 * apart from the gateway's own code: what a value's normal form is stands in tables, not in rules.
 */

/** A field's values in the model's world: as sent, and its normal form; null for one that is refused. */
type World = Record<string, Map<string, string | null>>;

const LONG = "x".repeat(101);

/** Values that are in their normal form as they are. */
const plain = (...values: string[]) => values.map((value): [string, string] => [value, value]);

/** Texts that say nothing, for any field. */
export const BLANKS = ["", "  ", "\t", "\u200b", "\ufeff \u00a0"];

export const WORLD: World = {
  clientRef: new Map([
    ["c1", "c1"],
    [" c1", "c1"],
    ["c2", "c2"],
    ["C2", "C2"],
    ["e\u0301", "é"],
    ["é", "é"],
    ...plain("c3", "c4", "c5", "c6", "c7", "c8", "c9"),
    [LONG, null],
  ]),
  firstname: new Map([
    ["Ada", "Ada"],
    [" Ada ", "Ada"],
    ["a\0b", null],
    [LONG, null],
  ]),
  lastname: new Map([
    ["O\u0308z", "Öz"],
    ["محمد", "محمد"],
    ["\u202eevil", null],
  ]),
  accountName: new Map([
    ["Ada Öz", "Ada Öz"],
    ["y".repeat(200), "y".repeat(200)],
    ["y".repeat(201), null],
  ]),
  email: new Map([
    ["a@example.com", "a@example.com"],
    ["A@Example.COM", "a@example.com"],
    [" b@example.com", "b@example.com"],
    ["b@example.com", "b@example.com"],
    ["c@bücher.example", "c@xn--bcher-kva.example"],
    ["c@XN--bcher-kva.example", "c@xn--bcher-kva.example"],
    ...plain("d@example.com", "e@example.com", "f@example.com", "g@example.com", "h@example.com", "i@example.com"),
    ["a.example.com", null],
    ["a b@example.com", null],
    ["а@example.com", null], // Cyrillic а
  ]),
  country: new Map([
    ["NG", "NG"],
    ["ng", "NG"],
    [" gh ", "GH"],
    ["ZZ", null],
    ["NGA", null],
  ]),
  accountNumber: new Map([
    ["0123456789", "0123456789"],
    ["GB82 WEST 1234", "GB82 WEST 1234"],
    ["12#4", null],
  ]),
  reference: new Map([["r1", "r1"], ["r1 ", "r1"], ["r2", "r2"], ...plain("r3", "r4", "r5", "r6", "r7", "r8", "r9"), ["r\ud800", null]]),
  middlename: new Map([
    ["Grace", "Grace"],
    [LONG, null],
  ]),
  address: new Map([
    ["1 Road\nTown", "1 Road\nTown"],
    ["z".repeat(501), null],
  ]),
  state: new Map([
    ["Lagos", "Lagos"],
    [LONG, null],
  ]),
  gender: new Map([
    ["male", "MALE"],
    ["Female", "FEMALE"],
    ["OTHER", "OTHER"],
    ["x", null],
  ]),
};

/** Phones depend on the country: as sent, and E.164 in Nigeria, in Ghana and without a country. */
export const PHONES = new Map<string, Record<"NG" | "GH" | "none", string | null>>([
  ["+2348012345678", { NG: "+2348012345678", GH: "+2348012345678", none: "+2348012345678" }],
  ["+234 801 234 5678", { NG: "+2348012345678", GH: "+2348012345678", none: "+2348012345678" }],
  ["08012345678", { NG: "+2348012345678", GH: null, none: null }],
  ["+233 (0)24 123 4567", { NG: "+233241234567", GH: "+233241234567", none: "+233241234567" }],
  ["call me", { NG: null, GH: null, none: null }],
]);

const REQUIRED = ["clientRef", "firstname", "lastname", "accountName", "email", "country", "accountNumber", "reference"];
const KEYS = [
  ["email", "EMAIL"],
  ["clientRef", "CLIENT_REF"],
  ["reference", "REFERENCE"],
] as const;

export type Row = Record<string, string | null> | null;
export type Stored = Record<string, string | null>;

/** A failure, as far as it follows from the contract. `customer` is the one of the model that was matched. */
export interface Failure {
  index: number;
  code: string;
  fields?: (string | null)[];
  key?: string;
  firstIndex?: number;
  customer?: Stored;
}

/** One bank in one mode. */
export class Model {
  readonly customers: Stored[] = [];
  readonly blacklisted = { email: new Set<string>(), phone: new Set<string>() };

  blacklist({ email, phone }: Stored): void {
    this.blacklisted.email.add(email!);
    if (phone) this.blacklisted.phone.add(phone);
  }

  /** What a batch comes to; its good rows are then there, unless it was dry or failed whole. */
  run(rows: Row[], { atomic, dry }: { atomic: boolean; dry: boolean }) {
    const failures: Failure[] = [];
    const passed: { index: number; values: Stored }[] = [];
    const created: Stored[] = [];
    rows.forEach((row, index) => {
      const failure = this.#judge(row, index, passed);
      if (failure) failures.push({ index, ...failure });
      else created.push(passed.at(-1)!.values);
    });
    const failed = atomic && failures.length > 0;
    const written = failed || dry ? [] : created;
    this.customers.push(...written);
    const count = (...codes: string[]) => failures.filter(({ code }) => codes.includes(code)).length;
    const summary = {
      total: rows.length,
      successful: failed ? 0 : created.length,
      failed: failures.length,
      duplicates: count("DUPLICATE_IN_BATCH", "EXISTING_CUSTOMER"),
      invalidData: count("INVALID_DATA", "VALIDATION_ERROR"),
      pending: 0,
      rolledBack: failed ? created.length : 0,
    };
    return { status: failed ? "FAILED" : "COMPLETED", summary, failures, written };
  }

  /** The first check that a row does not pass. One that passes 1 to 3 joins `passed`. */
  #judge(row: Row, index: number, passed: { index: number; values: Stored }[]): Omit<Failure, "index"> | null {
    if (row === null) return { code: "INVALID_DATA", fields: [null] };
    const blank = (field: string) => row[field] == null || BLANKS.includes(row[field]);
    const missing = REQUIRED.filter(blank);
    if (missing.length > 0) return { code: "INVALID_DATA", fields: missing };

    const values: Stored = {};
    for (const field of Object.keys(WORLD)) values[field] = blank(field) ? null : WORLD[field]!.get(row[field]!)!;
    values["phone"] = blank("phone") ? null : PHONES.get(row["phone"]!)![(values["country"] ?? "none") as "NG"];
    const wrong = Object.keys(values).filter((field) => !blank(field) && values[field] === null);
    if (wrong.length > 0) return { code: "VALIDATION_ERROR", fields: wrong };

    const earlier = [...passed];
    passed.push({ index, values });
    for (const [field, key] of KEYS) {
      const first = earlier.find((other) => other.values[field] === values[field]);
      if (first) return { code: "DUPLICATE_IN_BATCH", key, firstIndex: first.index };
    }
    for (const [field, key] of KEYS) {
      const customer = this.customers.find((other) => other[field] === values[field]);
      if (customer) return { code: "EXISTING_CUSTOMER", key, customer };
    }
    const refused = this.blacklisted.email.has(values["email"]!) || this.blacklisted.phone.has(values["phone"] ?? "");
    return refused ? { code: "VALIDATION_ERROR", fields: [null] } : null;
  }
}
