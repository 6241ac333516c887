import { builder } from "./builder.ts";

/** One violation in input: the field, or null when it is of the whole input, and the rule, never the value. */
export interface Issue {
  readonly field: string | null;
  readonly message: string;
}

export const IssueType = builder.objectRef<Issue>("InputIssue").implement({
  description: "One violation in input. It names the field and the rule, never the value.",
  fields: (t) => ({
    field: t.exposeString("field", { nullable: true, description: "The input field; null when it is of the whole input." }),
    message: t.exposeString("message", { description: "What is wrong, e.g. `is required`." }),
  }),
});
