import type { Principal } from "../../access/principal.ts";
import { maySee, requirementOf, within } from "../../access/principal.ts";
import type { CustomerFieldName } from "../../access/visibility.ts";
import type { Customer, Prisma } from "../../database/generated/client.ts";
import type { Gender } from "../../database/generated/enums.ts";
import { gatewayError } from "../../graphql/errors.ts";
import { fromGlobalId } from "../../graphql/global-id.ts";
import { normaliseEmail } from "../../rules/contact.ts";
import { isStorable } from "../../rules/text.ts";
import { wordsOf } from "./customer.columns.ts";

/** A filter as the schema has it. Null and left out mean the same: no restriction. */
export interface CustomerFilter {
  ids?: readonly string[] | null;
  phrases?: readonly string[] | null;
  references?: readonly string[] | null;
  clientRefs?: readonly string[] | null;
  emails?: readonly string[] | null;
  countries?: readonly string[] | null;
  genders?: readonly Gender[] | null;
  blacklisted?: boolean | null;
  createdAt?: DateTimeRange | null;
  updatedAt?: DateTimeRange | null;
  search?: string | null;
}

export interface DateTimeRange {
  from?: Date | null;
  to?: Date | null;
}

type Where = Prisma.CustomerWhereInput;

/** No row meets it. */
const NOTHING: Where = { id: { in: [] } };

/** More words than a name of 200 characters can have, of which the widest folds into four. */
const MAX_NAME_WORDS = 800;

/** Each filter: the field it asks about, and the condition it makes. One table, read by both below. */
const FILTERS: {
  readonly [Key in keyof CustomerFilter]-?: {
    readonly field: CustomerFieldName;
    readonly where: (value: NonNullable<CustomerFilter[Key]>, now: Date) => Where;
  };
} = {
  ids: { field: "id", where: (ids) => ({ id: { in: ids.flatMap((id) => fromGlobalId("", id) ?? []) } }) },
  phrases: { field: "phrase", where: (phrases) => ({ phrase: { in: phrases.flatMap(lookupText) } }) },
  references: { field: "reference", where: (values) => ({ reference: { in: values.flatMap(lookupText) } }) },
  clientRefs: { field: "clientRef", where: (values) => ({ clientRef: { in: values.flatMap(lookupText) } }) },
  emails: { field: "email", where: (emails) => ({ email: { in: emails.flatMap((email) => normaliseEmail(email) ?? []) } }) },
  countries: { field: "country", where: (codes) => ({ country: { in: codes.flatMap(countryCode) } }) },
  genders: { field: "gender", where: (genders) => ({ gender: { in: [...genders] } }) },
  blacklisted: {
    field: "blacklisted",
    where: (value, now) => (value ? inForce(now) : { NOT: inForce(now) }),
  },
  createdAt: { field: "createdAt", where: (range) => ({ createdAt: toRange(range) }) },
  updatedAt: { field: "updatedAt", where: (range) => ({ updatedAt: toRange(range) }) },
  search: {
    field: "accountName",
    where: (text) => {
      const words = wordsSearched(text);
      return words ? { AND: words.map((word) => ({ searchKey: { contains: ` ${word}` } })) } : NOTHING;
    },
  },
};

/** The filters that are given: null restricts nothing. */
function given(filter: CustomerFilter): (keyof CustomerFilter)[] {
  return (Object.keys(FILTERS) as (keyof CustomerFilter)[]).filter((key) => filter[key] != null);
}

/**
 * The fields that a filter asks about. Filtering by a field that the principal may not see is FORBIDDEN_FIELD,
 * since the answer would tell the field's value.
 */
export function fieldsFiltered(filter: CustomerFilter): CustomerFieldName[] {
  return given(filter).map((key) => FILTERS[key].field);
}

/** The conditions that a filter makes, for a principal that may see every field it asks about. */
export function filterConditions(filter: CustomerFilter, now: Date): Where[] {
  return given(filter).map((key) => (FILTERS[key].where as (value: unknown, now: Date) => Where)(filter[key], now));
}

/** Throws FORBIDDEN_FIELD unless the principal may see the field. */
export function requireVisible(principal: Principal, field: CustomerFieldName): void {
  if (maySee(principal, field)) return;
  const requires = requirementOf(principal, field);
  throw gatewayError("FORBIDDEN_FIELD", `Customer.${field} cannot be used here: it needs ${requires}.`, {
    field: `Customer.${field}`,
    requires,
  });
}

/** Rows of the principal's bank and mode that meet all the conditions. */
export function customersWhere(principal: Principal, conditions: readonly object[]): Where {
  return { ...within(principal), AND: conditions as Where[] };
}

/** Whether a customer's blacklist entry is in force at a moment. Expiry counts when it is read. */
export function isBlacklisted(row: Pick<Customer, "blacklisted" | "blacklistExpiresAt">, now: Date): boolean {
  return row.blacklisted && (row.blacklistExpiresAt === null || row.blacklistExpiresAt > now);
}

/** The same, as a condition. */
function inForce(now: Date): Where {
  return { blacklisted: true, OR: [{ blacklistExpiresAt: null }, { blacklistExpiresAt: { gt: now } }] };
}

/** A text as stored values are normalised; nothing when no stored value can equal it. */
function lookupText(value: string): string[] {
  return isStorable(value) ? [value.normalize("NFC").trim()] : [];
}

/** A country as it is stored. By its letters first: some single signs have two letters for their capital. */
function countryCode(value: string): string[] {
  const code = value.trim();
  return /^[A-Za-z]{2}$/.test(code) ? [code.toUpperCase()] : [];
}

/**
 * The words of a text that no other word of it begins with: what matches those matches all, and each is another word of a name. Letters and
 * digits alone. Null: more than a name can have.
 */
export function wordsSearched(text: string): string[] | null {
  const sorted = [...new Set(wordsOf(text))].sort();
  const words = sorted.filter((word, index) => !sorted[index + 1]?.startsWith(word));
  return words.length > MAX_NAME_WORDS ? null : words;
}

/** What PostgreSQL reads as Prisma writes it: four digits of a year. No customer is older or newer. */
const EARLIEST = new Date("0001-01-01T00:00:00Z");
const LATEST = new Date("9999-12-31T23:59:59.999Z");

function toRange({ from, to }: DateTimeRange): { gte?: Date; lt?: Date } {
  const clamp = (date: Date) => (date < EARLIEST ? EARLIEST : date > LATEST ? LATEST : date);
  return { ...(from && { gte: clamp(from) }), ...(to && { lt: clamp(to) }) };
}

/** The value that a look-up by a unique column compares with, or null when no customer can have it. */
export function lookupValue(by: "id" | "email" | "phrase" | "reference" | "clientRef", value: string): string | null {
  if (by === "id") return fromGlobalId("", value);
  if (by === "email") return normaliseEmail(value);
  return lookupText(value)[0] || null;
}
