import type { Issue } from "../graphql/issue.ts";
import { checkText, isBlank, Violation } from "./text.ts";

/** Texts as they came, by field. Undefined: left out. Null: cleared. */
export type TextInput<Field extends string> = { readonly [Name in Field]?: string | null };

/** What a field's text comes to, or the rule that it breaks. `values` are those of the fields before it. */
export type Rule<Values> = (text: string, values: Values) => string | Violation;

/** An issue for each required field that is missing or blank, in their order. */
export function missingFields<Field extends string>(input: TextInput<Field>, required: readonly Field[]): Issue[] {
  return required.filter((field) => isBlank(input[field])).map((field) => ({ field, message: "is required" }));
}

/**
 * Normalises and checks every field that is given: Unicode NFC, trimmed, and by its rule. A blank field is null, one left out
 * stays out. All violations are told, one a field, in the fields' order.
 */
export function applyRules<Field extends string, Values extends { [Name in Field]?: string | null }>(
  fields: readonly Field[],
  rules: Readonly<Record<Field, Rule<Values>>>,
  input: TextInput<Field>,
): { values: Values; issues: Issue[] } {
  const values = {} as Values;
  const issues: Issue[] = [];
  for (const field of fields) {
    const raw = input[field];
    if (raw === undefined) continue;
    const result = isBlank(raw) ? null : checkText(raw!, (text) => rules[field](text, values), { multiline: field === "address" });
    if (result instanceof Violation) issues.push({ field, message: result.message });
    else values[field] = result as Values[Field];
  }
  return { values, issues };
}
