import type { Scope } from "./scopes.ts";

/** Which fields of a customer a principal may see, lowest first. */
export const VISIBILITIES = ["STANDARD", "EXTENDED", "SENSITIVE"] as const;
export type Visibility = (typeof VISIBILITIES)[number];

/** The scope that grants each visibility. */
export const SCOPE_OF_VISIBILITY = {
  STANDARD: "customers:read",
  EXTENDED: "customers:read:extended",
  SENSITIVE: "customers:read:sensitive",
} as const satisfies Record<Visibility, Scope>;

/** What a customer has come to follows from these. */
const LIFECYCLE = ["consentAt", "deviceCount", "blacklisted", "blacklistExpiresAt"] as const;

/**
 * THE visibility table: every field of a customer, the tier it needs, and the columns it is made
 * of. The GraphQL type, filters, sort, column selection, redaction report, history and
 * documentation all read it; there is no second list. The order is the schema's order, which is the
 * order of `redactedFields`. Source: contract §2.
 */
export const CUSTOMER_FIELDS = {
  id: { tier: "STANDARD", columns: ["id"] },
  bankId: { tier: "STANDARD", columns: ["bankId"] },
  phrase: { tier: "STANDARD", columns: ["phrase"] },
  accountName: { tier: "STANDARD", columns: ["accountName"] },
  gender: { tier: "STANDARD", columns: ["gender"] },
  displayPicture: { tier: "STANDARD", columns: ["displayPicture"] },
  country: { tier: "STANDARD", columns: ["country"] },
  firstname: { tier: "EXTENDED", columns: ["firstname"] },
  lastname: { tier: "EXTENDED", columns: ["lastname"] },
  middlename: { tier: "EXTENDED", columns: ["middlename"] },
  email: { tier: "EXTENDED", columns: ["email"] },
  phone: { tier: "EXTENDED", columns: ["phone"] },
  dialCode: { tier: "EXTENDED", columns: ["dialCode"] },
  address: { tier: "EXTENDED", columns: ["address"] },
  state: { tier: "EXTENDED", columns: ["state"] },
  clientRef: { tier: "EXTENDED", columns: ["clientRef"] },
  reference: { tier: "EXTENDED", columns: ["reference"] },
  consent: { tier: "EXTENDED", columns: ["consentSource", "consentAt", "consentTextVersion"] },
  lifecycle: { tier: "EXTENDED", columns: LIFECYCLE },
  paymentsEnabled: { tier: "EXTENDED", columns: LIFECYCLE },
  blacklisted: { tier: "EXTENDED", columns: ["blacklisted", "blacklistExpiresAt"] },
  version: { tier: "EXTENDED", columns: ["version"] },
  createdAt: { tier: "EXTENDED", columns: ["createdAt"] },
  updatedAt: { tier: "EXTENDED", columns: ["updatedAt"] },
  accountNumber: { tier: "SENSITIVE", columns: ["id", "accountNumber"] },
  blacklist: { tier: "SENSITIVE", columns: ["id"] },
  history: { tier: "SENSITIVE", columns: ["id"] },
  devices: { tier: "SENSITIVE", columns: ["id"] },
} as const satisfies Record<string, { tier: Visibility; columns: readonly string[] }>;

/** The name of a field of a customer, e.g. `accountNumber`. */
export type CustomerFieldName = keyof typeof CUSTOMER_FIELDS;

/** All field names in schema order. */
export const CUSTOMER_FIELD_NAMES = Object.keys(CUSTOMER_FIELDS) as CustomerFieldName[];

/** The fields that each tier adds to the ones before it, in schema order. */
export const FIELDS_OF_TIER = Object.fromEntries(
  VISIBILITIES.map((tier) => [tier, CUSTOMER_FIELD_NAMES.filter((name) => CUSTOMER_FIELDS[name].tier === tier)]),
) as Record<Visibility, CustomerFieldName[]>;

/** The documentation's table of visibility: `node src/access/visibility.ts`. */
export function printVisibility(): string {
  const rows = VISIBILITIES.map((tier) => `| ${tier} | \`${SCOPE_OF_VISIBILITY[tier]}\` | ${FIELDS_OF_TIER[tier].join(", ")} |`);
  return ["| visibility | scope | fields of a customer |", "|---|---|---|", ...rows].join("\n");
}

/** Whether a visibility reaches a tier. */
export function reaches(visibility: Visibility, tier: Visibility): boolean {
  return VISIBILITIES.indexOf(visibility) >= VISIBILITIES.indexOf(tier);
}

/** The highest visibility that a set of scopes grants, or null when it grants none. */
export function visibilityOfScopes(scopes: ReadonlySet<Scope>): Visibility | null {
  return VISIBILITIES.findLast((tier) => scopes.has(SCOPE_OF_VISIBILITY[tier])) ?? null;
}

/** `accountNumber` as the enum value `ACCOUNT_NUMBER` of CustomerField. */
export function toEnumName(field: string): string {
  return field.replace(/[A-Z]/g, (capital) => `_${capital}`).toUpperCase();
}

if (import.meta.main) console.log(printVisibility());
