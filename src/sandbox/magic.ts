import type { Principal } from "../access/principal.ts";
import type { BatchErrorCode } from "../database/generated/enums.ts";
import { FAILURE_CODES, type FailureCode } from "../graphql/failure.ts";

/**
 * THE table of magic values: what an integrator sends in sandbox mode to have a thing happen that otherwise takes luck. Each has
 * an e-mail address, which is its name at a domain that is nobody's (RFC 6761), and most have an id besides, for what is given
 * nothing else. `node src/sandbox/magic.ts` prints it for docs/sandbox.md.
 */
const DOMAIN = "sandbox.test";
const IDS = "5a4db0c5-0000-4000-8000-";
/** As long as an e-mail address may be. */
const LONGEST = 254;

/** What happens to a whole request, with the last digits of the id. */
const REQUESTS = {
  RATE_LIMITED: [429, "429 `RATE_LIMITED` with `Retry-After`, as if the key had no points left; it pays for the request alone"],
  INTERNAL_SERVER_ERROR: [500, "500 `INTERNAL_SERVER_ERROR`"],
  UNAVAILABLE: [503, "503 `UNAVAILABLE` with `Retry-After`"],
  TIMEOUT: [504, "504 `TIMEOUT`, at once"],
  SLOW: [200, "the ordinary answer, three seconds late"],
  PROCESSING: [202, "a batch that is `PROCESSING` although `COMPLETE` was asked for; a worker completes it"],
} as const;

/** The last digits of the id of each failure that a mutation can answer. */
const FAILURES = {
  INVALID_CUSTOMER_DATA: 400,
  CUSTOMER_NOT_FOUND: 404,
  CUSTOMER_ALREADY_EXISTS: 409,
  VERSION_CONFLICT: 412,
  IDEMPOTENCY_CONFLICT: 422,
  INVALID_BATCH: 1001,
  INVALID_API_KEY: 1002,
  API_KEY_NOT_FOUND: 1003,
  CLIENT_NOT_FOUND: 1004,
  INVALID_DOCUMENTS: 1005,
  INVALID_CLIENT: 1006,
  PERSISTED_DOCUMENT_NOT_FOUND: 1007,
  WEBHOOK_ENDPOINT_NOT_FOUND: 1008,
  INVALID_WEBHOOK_ENDPOINT: 1009,
  DEVICE_REFUSED: 1010,
  MERCHANT_NOT_FOUND: 1011,
  MERCHANT_VERSION_CONFLICT: 1012,
} as const satisfies Record<FailureCode, number>;

/** What one row of a batch is refused with; the others go on. */
const ROWS = {
  INVALID_DATA: "`InvalidData`",
  VALIDATION_ERROR: "`ValidationError`",
  DUPLICATE_IN_BATCH: "`DuplicateInBatch`, of the row before it; in the first row, of itself",
  EXISTING_CUSTOMER: "`ExistingCustomer`, with the id of `customer-not-found`",
} as const satisfies Record<BatchErrorCode, string>;

/** What each try at a webhook comes to, and all further ones: a status or a kind of fault. Nothing is sent. */
const HOSTS = {
  ok: ["200"],
  "internal-server-error": ["500"],
  timeout: ["TIMEOUT"],
  "connection-refused": ["ECONNREFUSED"],
  gone: ["410"],
  recovering: ["503", "503", "200"],
} as const;

/** The name of something that magic brings about: a code, of a failure, of a row or of a request. */
export type MagicCode = keyof typeof REQUESTS | FailureCode | BatchErrorCode;

const NUMBERS: Partial<Record<MagicCode, number>> = {
  ...FAILURES,
  ...Object.fromEntries(Object.entries(REQUESTS).map(([code, [number]]) => [code, number])),
};
export const MAGIC_CODES = [...Object.keys(REQUESTS), ...Object.keys(FAILURES), ...Object.keys(ROWS)] as readonly MagicCode[];

/** `CUSTOMER_NOT_FOUND` as an address: `customer-not-found@sandbox.test`. */
export const magicEmail = (code: MagicCode) => `${code.toLowerCase().replaceAll("_", "-")}@${DOMAIN}`;

/** The same as an id; null: it has none. */
export function magicId(code: MagicCode): string | null {
  const number = NUMBERS[code];
  return number === undefined ? null : `${IDS}${String(number).padStart(12, "0")}`;
}

const CODES: ReadonlyMap<string | null, MagicCode> = new Map(
  MAGIC_CODES.flatMap((code): [string | null, MagicCode][] => [
    [magicEmail(code), code],
    [magicId(code), code],
  ]),
);

/**
 * What magic values bring about that stand anywhere in what is read, in their order. THE gate: of a principal that is not in the sandbox nothing is
 * read, so that no value means anything there.
 */
export function magicIn({ mode }: Pick<Principal, "mode">, read: () => unknown): ReadonlySet<MagicCode> {
  return new Set(mode === "SANDBOX" ? codesIn(read()) : []);
}

/** What a try at a webhook comes to whose host is a magic one, by how many went before; null: it is none. The gate holds here too. */
export function magicOutcome({ mode, url }: Pick<Principal, "mode"> & { readonly url: string }, triesBefore: number): string | null {
  const host = mode === "SANDBOX" ? new URL(url).hostname : "";
  const name = host.endsWith(`.${DOMAIN}`) ? host.slice(0, -DOMAIN.length - 1) : "";
  const outcomes = Object.hasOwn(HOSTS, name) ? HOSTS[name as keyof typeof HOSTS] : [];
  return outcomes[triesBefore] ?? outcomes.at(-1) ?? null;
}

/** Whether a text may be in the table; most are told from it so, at a fraction of the time. */
const isLikely = (text: string) => text.length <= LONGEST && /@sandbox\.test|5a4db0c5-/i.test(text);

function codesIn(value: unknown, found: MagicCode[] = []): MagicCode[] {
  if (typeof value === "string") {
    const code = isLikely(value) && CODES.get(plain(value));
    if (code) found.push(code);
  } else if (typeof value === "object" && value !== null) {
    for (const part of Object.values(value)) codesIn(part, found);
  }
  return found;
}

/** A text in the one form of the table: without case, `+` and what follows it in an address, and the type that leads an id. */
const plain = (text: string) =>
  text
    .trim()
    .toLowerCase()
    .replace(/\+[^@]*(?=@)|^[a-z]+_(?=5a4d)/, "");

/** The documentation's tables. */
export function printMagic(): string {
  const table = (title: string, rows: (string | null)[][]) =>
    [`| ${title} |`, `|${"---|".repeat(title.split("|").length)}`, ...rows.map((cells) => `| ${cells.join(" | ")} |`)].join("\n");
  const line = (code: MagicCode, brings: string) => {
    const id = magicId(code);
    return [`\`${magicEmail(code)}\``, ...(id ? [`\`${id}\``] : []), brings];
  };
  return [
    table(
      "address | id | what happens to the request",
      Object.entries(REQUESTS).map(([code, [, brings]]) => line(code as MagicCode, brings)),
    ),
    table(
      "address | id | what a mutation answers that can answer it",
      Object.keys(FAILURES).map((code) => line(code as FailureCode, FAILURE_CODES[code as FailureCode])),
    ),
    table(
      "address | what its row of a batch is refused with",
      Object.entries(ROWS).map(([code, brings]) => line(code as BatchErrorCode, brings)),
    ),
    table(
      "webhook endpoint | what its tries come to",
      Object.entries(HOSTS).map(([name, outcomes]) => [`\`https://${name}.${DOMAIN}/\``, outcomes.join(", ")]),
    ),
  ].join("\n\n");
}

if (import.meta.main) console.log(printMagic());
