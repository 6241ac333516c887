import { domainToASCII } from "node:url";
import countries from "i18n-iso-countries/index.js";
import { type CountryCode, parsePhoneNumberFromString } from "libphonenumber-js";
import type { Gender } from "../../database/generated/enums.ts";
import type { Issue } from "../../graphql/issue.ts";
import { type Consent, type ConsentInput, normaliseConsent } from "./customer.consent.rules.ts";
import { atMost, checkText, isBlank, Violation } from "./customer.text.ts";

/**
 * THE validator of customer data. Single create, update, batch rows and imports all come through
 * here, so they refuse the same input with the same words. Messages name the rule, never the value.
 */

/** The fields of a customer that input can set, in the order in which violations are told. */
export const CUSTOMER_INPUT_FIELDS = [
  "clientRef",
  "firstname",
  "middlename",
  "lastname",
  "accountName",
  // Before the phone, whose national form it decides.
  "country",
  "email",
  "phone",
  "address",
  "state",
  "gender",
  "displayPicture",
  "accountNumber",
  "reference",
] as const;
export type CustomerInputField = (typeof CUSTOMER_INPUT_FIELDS)[number];

/** What a caller may set of a customer, as it came. Undefined: left out. Null: cleared. */
export type CustomerInput = { readonly [Field in CustomerInputField]?: string | null } & { readonly consent?: ConsentInput | null };

/** Customer data that passed: normalised, and fit to be stored. */
export type CustomerValues = { [Field in Exclude<CustomerInputField, "gender">]?: string | null } & {
  gender?: Gender | null;
  consent?: Consent | null;
  /** Derived from the phone: `+234`. Set and cleared with it. */
  dialCode?: string | null;
};

type Rule = (text: string, values: CustomerValues, defaultCountry: string | undefined) => string | Violation;

/** The HTML living standard's e-mail address, which is what the EmailAddress scalar prints. */
const EMAIL = /^[a-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)+$/;

/** Of ASCII only what a domain may have: domainToASCII reads a URL's host, and drops what follows a `/` or `?`. */
const DOMAIN = /^[^\0-,/:-@[-`{-\x7f]{1,254}$/;

const matching =
  (max: number, pattern: RegExp, expected: string): Rule =>
  (value) =>
    value.length > max ? new Violation(`must be at most ${max} characters`) : pattern.test(value) ? value : new Violation(expected);

/** The limit and the form of each field. */
const RULES: Record<CustomerInputField, Rule> = {
  clientRef: atMost(100),
  firstname: atMost(100),
  middlename: atMost(100),
  lastname: atMost(100),
  accountName: atMost(200),
  country: (value) => {
    const code = value.toUpperCase();
    return value.length === 2 && countries.isValid(code) ? code : new Violation("must be an ISO 3166-1 alpha-2 country code, such as NG");
  },
  email: (value) => {
    if (value.length > 254) return new Violation("must be at most 254 characters");
    const email = normaliseEmail(value);
    return email !== null ? email : new Violation("must be an e-mail address, such as name@example.com");
  },
  phone: (value, values, defaultCountry) => {
    if (value.length > 32) return new Violation("must be at most 32 characters");
    const region = (values.country ?? defaultCountry) as CountryCode | undefined;
    const phone = parsePhoneNumberFromString(value, { defaultCountry: region, extract: false });
    if (!phone?.isPossible() || phone.ext) return new Violation("must be a phone number, such as +2348012345678");
    values.dialCode = `+${phone.countryCallingCode}`;
    return phone.number;
  },
  address: atMost(500),
  state: atMost(100),
  gender: (value) => (/^(male|female|other)$/i.test(value) ? value.toUpperCase() : new Violation("must be MALE, FEMALE or OTHER")),
  displayPicture: (value) => {
    if (value.length > 2048) return new Violation("must be at most 2048 characters");
    return isWebAddress(value) ? value : new Violation("must be an http or https address");
  },
  accountNumber: matching(34, /^[A-Za-z0-9][A-Za-z0-9 ./-]*$/, "must be letters and digits, with single signs between"),
  reference: atMost(100),
};

/** An issue for each required field that is missing or blank, in schema order. */
export function missingFields(input: CustomerInput, required: readonly CustomerInputField[]): Issue[] {
  return CUSTOMER_INPUT_FIELDS.filter((field) => required.includes(field) && isBlank(input[field])).map((field) => ({
    field,
    message: "is required",
  }));
}

/**
 * Normalises and checks every field that is given: Unicode NFC, trimmed, e-mail and country in their
 * one case, phone in E.164 with the country as the default region. A blank optional field is null.
 * Fields left out stay out. All violations are told, one a field.
 */
export function normaliseCustomer(
  input: CustomerInput,
  defaultCountry?: string,
  now = new Date(),
): { values: CustomerValues; issues: Issue[] } {
  const values: CustomerValues = {};
  const issues: Issue[] = [];
  for (const field of CUSTOMER_INPUT_FIELDS) {
    const raw = input[field];
    if (raw === undefined) continue;
    if (isBlank(raw)) {
      values[field] = null;
      if (field === "phone") values.dialCode = null;
      continue;
    }
    const rule = (value: string) => RULES[field](value, values, defaultCountry);
    const result = checkText(raw!, rule, { multiline: field === "address" });
    if (result instanceof Violation) issues.push({ field, message: result.message });
    else (values as Record<string, string>)[field] = result;
  }
  if (input.consent) {
    const consent = normaliseConsent(input.consent, now);
    values.consent = consent.values;
    issues.push(...consent.issues);
  }
  return { values, issues };
}

/** The one form of an e-mail address: lower case, its domain in ASCII. Null when it is none. */
export function normaliseEmail(value: string): string | null {
  const [, local, domain] = /^([^@]+)@([^@]+)$/.exec(value.trim()) ?? [];
  if (local === undefined || domain === undefined || !DOMAIN.test(domain)) return null;
  // domainToASCII also reads numbers as addresses of hosts: an ASCII domain is taken as it stands.
  const ascii = /^[\x21-\x7e]*$/.test(domain) ? domain : domainToASCII(domain.normalize("NFC"));
  const email = `${local}@${ascii}`.toLowerCase();
  return email.length <= 254 && EMAIL.test(email) ? email : null;
}

/** The country that an E.164 phone number tells by itself, or null: some codes serve several. */
export function countryOfPhone(phone: string): string | null {
  return parsePhoneNumberFromString(phone)?.country ?? null;
}

function isWebAddress(value: string): boolean {
  const url = URL.parse(value);
  return url !== null && (url.protocol === "https:" || url.protocol === "http:") && !url.username && !url.password;
}
