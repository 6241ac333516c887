import { DateTimeResolver } from "graphql-scalars";
import type { Issue } from "../../graphql/issue.ts";
import { atMost, checkText, isBlank, Violation } from "../../rules/text.ts";

/** The parts of a consent, in the order in which violations are told. */
const CONSENT_PARTS = ["source", "at", "textVersion"] as const;
type ConsentPart = (typeof CONSENT_PARTS)[number];

/** A consent as it came. */
export type ConsentInput = { readonly [Part in ConsentPart]?: string | null };

/** A consent that passed: all its parts, the time in UTC. */
export type Consent = Record<ConsentPart, string>;

/** By how much a client's clock may be ahead of the gateway's. */
const CLOCK_TOLERANCE_MS = 60_000;
/** Before any consent that could be meant: a mistyped year. */
const EARLIEST_CONSENT = Date.UTC(1900, 0, 1);

/** The limit and the form of each part of a consent. */
const CONSENT_RULES: Record<ConsentPart, (value: string, now: Date) => string | Violation> = {
  source: atMost(100),
  at: (value, now) => {
    if (value.length > 40) return new Violation("must be at most 40 characters");
    const at = parseInstant(value);
    if (!at || at.getTime() < EARLIEST_CONSENT) {
      return new Violation("must be a time with its offset, from 1900 on, such as 2026-01-31T09:30:00+01:00");
    }
    return at.getTime() > now.getTime() + CLOCK_TOLERANCE_MS ? new Violation("must not be in the future") : at.toISOString();
  },
  textVersion: atMost(100),
};

const MISSING = new Violation("is required when consent is given");

/**
 * Normalises and checks a consent, which needs all its parts: one that does not say what was agreed to, where and
 * when proves nothing. All violations are told, each under the name of its part, e.g. `consent.at`.
 */
export function normaliseConsent(input: ConsentInput, now: Date): { values: Consent; issues: Issue[] } {
  const values = {} as Consent;
  const issues: Issue[] = [];
  for (const part of CONSENT_PARTS) {
    const raw = input[part];
    const result = isBlank(raw) ? MISSING : checkText(raw!, (text) => CONSENT_RULES[part](text, now));
    if (result instanceof Violation) issues.push({ field: `consent.${part}`, message: result.message });
    else values[part] = result;
  }
  return { values, issues };
}

/** An instant in the form of the schema's DateTime, or null. */
function parseInstant(value: string): Date | null {
  try {
    return DateTimeResolver.parseValue(value);
  } catch {
    return null;
  }
}
