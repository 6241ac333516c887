import { domainToASCII } from "node:url";
import countries from "i18n-iso-countries/index.js";
import { type CountryCode, parsePhoneNumberFromString } from "libphonenumber-js";
import { Violation } from "./text.ts";

/** The rules of how somebody is reached: what a text comes to in its one form, or the rule that it breaks. */

/** The HTML living standard's e-mail address, which is what the EmailAddress scalar prints. */
const EMAIL = /^[a-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)+$/;

/** Of ASCII only what a domain may have: domainToASCII reads a URL's host, and drops what follows a `/` or `?`. */
const DOMAIN = /^[^\0-,/:-@[-`{-\x7f]{1,254}$/;

/** A country's code, in capitals. */
export function country(value: string): string | Violation {
  const code = value.toUpperCase();
  return value.length === 2 && countries.isValid(code) ? code : new Violation("must be an ISO 3166-1 alpha-2 country code, such as NG");
}

/** An e-mail address, in lower case, its domain in ASCII. */
export function email(value: string): string | Violation {
  if (value.length > 254) return new Violation("must be at most 254 characters");
  return normaliseEmail(value) ?? new Violation("must be an e-mail address, such as name@example.com");
}

/** The one form of an e-mail address: lower case, its domain in ASCII. Null when it is none. */
export function normaliseEmail(value: string): string | null {
  const [, local, domain] = /^([^@]+)@([^@]+)$/.exec(value.trim()) ?? [];
  if (local === undefined || domain === undefined || !DOMAIN.test(domain)) return null;
  // domainToASCII also reads numbers as addresses of hosts: an ASCII domain is taken as it stands.
  const ascii = /^[\x21-\x7e]*$/.test(domain) ? domain : domainToASCII(domain.normalize("NFC"));
  const address = `${local}@${ascii}`.toLowerCase();
  return address.length <= 254 && EMAIL.test(address) ? address : null;
}

/** A phone number in E.164, and its country's calling code: `+234`. In national form it is of the region. */
export function phone(value: string, region: string | null | undefined): { number: string; dialCode: string } | Violation {
  if (value.length > 32) return new Violation("must be at most 32 characters");
  const parsed = parsePhoneNumberFromString(value, { defaultCountry: (region ?? undefined) as CountryCode | undefined, extract: false });
  if (!parsed?.isPossible() || parsed.ext) return new Violation("must be a phone number, such as +2348012345678");
  return { number: parsed.number, dialCode: `+${parsed.countryCallingCode}` };
}

/** The country that an E.164 phone number tells by itself, or null: some codes serve several. */
export function countryOfPhone(number: string): string | null {
  return parsePhoneNumberFromString(number)?.country ?? null;
}

/** An http or https address, as it was given. */
export function webAddress(value: string): string | Violation {
  if (value.length > 2048) return new Violation("must be at most 2048 characters");
  const url = URL.parse(value);
  const isWeb = url !== null && (url.protocol === "https:" || url.protocol === "http:") && !url.username && !url.password;
  return isWeb ? value : new Violation("must be an http or https address");
}
