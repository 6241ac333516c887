import { builder } from "../../graphql/builder.ts";
import type { CustomerRow } from "./customer.loader.ts";

/** A customer's consent as it is stored. */
interface Consent {
  readonly source: string;
  readonly at: Date;
  readonly textVersion: string;
}

/** The consent in a customer's columns; null when there is none. */
export function consentOf({ consentSource, consentAt, consentTextVersion }: CustomerRow): Consent | null {
  return consentSource == null ? null : { source: consentSource, at: consentAt!, textVersion: consentTextVersion! };
}

export const ConsentType = builder.objectRef<Consent>("Consent").implement({
  description: "What a customer agreed to, as the bank recorded it.",
  fields: (t) => ({
    source: t.exposeString("source", {
      description: "Where consent was given, in the bank's own words, e.g. `branch`; at most 100 characters.",
    }),
    at: t.field({ type: "DateTime", description: "When consent was given.", resolve: ({ at }) => at }),
    textVersion: t.exposeString("textVersion", {
      description: "Which version of the bank's text was agreed to, in the bank's own words; at most 100 characters.",
    }),
  }),
});

export const ConsentInputType = builder.inputType("ConsentInput", {
  description: "What a customer agreed to. All three are required; plain nullable text, so that one bad row of a batch fails alone.",
  fields: (t) => ({
    source: t.string({ description: "Where consent was given, in the bank's own words, e.g. `branch`; at most 100 characters. Required." }),
    at: t.string({
      description:
        "When consent was given: a DateTime with its offset, e.g. `2026-01-31T09:30:00+01:00`, from 1900 on and not in the " +
        "future; the caller's clock may be a minute ahead. Required.",
    }),
    textVersion: t.string({
      description: "Which version of the bank's text was agreed to, in the bank's own words; at most 100 characters. Required.",
    }),
  }),
});
