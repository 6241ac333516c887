import type { Gender } from "../../database/generated/enums.ts";
import type { Issue } from "../../graphql/issue.ts";
import { country, email, phone, webAddress } from "../../rules/contact.ts";
import { applyRules, type Rule, type TextInput } from "../../rules/fields.ts";
import { atMost, Violation } from "../../rules/text.ts";
import { type Consent, type ConsentInput, normaliseConsent } from "./customer.consent.rules.ts";

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
export type CustomerInput = TextInput<CustomerInputField> & { readonly consent?: ConsentInput | null };

/** Customer data that passed: normalised, and fit to be stored. */
export type CustomerValues = { [Field in Exclude<CustomerInputField, "gender">]?: string | null } & {
  gender?: Gender | null;
  consent?: Consent | null;
  /** Derived from the phone: `+234`. Set and cleared with it. */
  dialCode?: string | null;
};

const ACCOUNT_NUMBER = /^[A-Za-z0-9][A-Za-z0-9 ./-]*$/;

/** The limit and the form of each field. */
const RULES: Record<CustomerInputField, Rule<CustomerValues>> = {
  clientRef: atMost(100),
  firstname: atMost(100),
  middlename: atMost(100),
  lastname: atMost(100),
  accountName: atMost(200),
  country,
  email,
  phone: phoneOf(undefined),
  address: atMost(500),
  state: atMost(100),
  gender: (value) => (/^(male|female|other)$/i.test(value) ? value.toUpperCase() : new Violation("must be MALE, FEMALE or OTHER")),
  displayPicture: webAddress,
  accountNumber: (value) => {
    if (value.length > 34) return new Violation("must be at most 34 characters");
    return ACCOUNT_NUMBER.test(value) ? value : new Violation("must be letters and digits, with single signs between");
  },
  reference: atMost(100),
};

/** The rule of a phone, whose national form is of the customer's country, or else of this one. */
function phoneOf(defaultCountry: string | undefined): Rule<CustomerValues> {
  return (value, values) => {
    const result = phone(value, values.country ?? defaultCountry);
    if (result instanceof Violation) return result;
    values.dialCode = result.dialCode;
    return result.number;
  };
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
  const rules = defaultCountry === undefined ? RULES : { ...RULES, phone: phoneOf(defaultCountry) };
  const { values, issues } = applyRules(CUSTOMER_INPUT_FIELDS, rules, input);
  if (values.phone === null) values.dialCode = null;
  if (input.consent) {
    const consent = normaliseConsent(input.consent, now);
    values.consent = consent.values;
    issues.push(...consent.issues);
  }
  return { values, issues };
}
