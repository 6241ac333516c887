import type { Issue } from "../../graphql/issue.ts";
import { country, email, phone, webAddress } from "../../rules/contact.ts";
import { applyRules, type Rule, type TextInput } from "../../rules/fields.ts";
import { atMost, Violation } from "../../rules/text.ts";

/** The fields of a merchant that input can set, in the order in which violations are told. */
const FIELDS = ["clientRef", "name", "country", "email", "phone", "address", "state", "website", "reference"] as const;
type Field = (typeof FIELDS)[number];

/** A merchant as it came. */
export type MerchantInput = TextInput<Field>;

/** A merchant that passed: normalised, and fit to be stored. */
export type MerchantValues = { [Name in Field]?: string | null };

/** What a merchant must have, in the order in which it is told. */
export const REQUIRED_FIELDS: readonly Field[] = ["clientRef", "name", "country", "email", "reference"];

/** The limit and the form of each field: those of a customer's of the same name. */
const RULES: Record<Field, Rule<MerchantValues>> = {
  clientRef: atMost(100),
  name: atMost(200),
  country,
  email,
  phone: (value, values) => {
    const result = phone(value, values.country);
    return result instanceof Violation ? result : result.number;
  },
  address: atMost(500),
  state: atMost(100),
  website: webAddress,
  reference: atMost(100),
};

/** Normalises and checks every field that is given, as `applyRules` does. */
export function normaliseMerchant(input: MerchantInput): { values: MerchantValues; issues: Issue[] } {
  return applyRules(FIELDS, RULES, input);
}
