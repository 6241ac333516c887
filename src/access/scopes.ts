import type { Audience } from "../database/generated/enums.ts";

/**
 * Scopes: the capabilities that a key can grant, each within the key's own bank and mode.
 * Source: contract §2.
 */
export const SCOPES = [
  "customers:read",
  "customers:read:extended",
  "customers:read:sensitive",
  "customers:write",
  "customers:blacklist",
  "customers:erase",
  "batches:write",
  "devices:write",
  "devices:lookup",
  "discovery:read",
  "merchants:write",
  "webhooks:manage",
  "documents:publish",
  "keys:manage",
  "audit:read",
  "banks:manage",
] as const;

export type Scope = (typeof SCOPES)[number];

/** What each scope grants, as the documentation says it. */
const GRANTS: Record<Scope, string> = {
  "customers:read": "Read customers' STANDARD fields. Every other customer scope implies it.",
  "customers:read:extended": "Read EXTENDED fields too, batches, and filter and sort by them.",
  "customers:read:sensitive": "Read SENSITIVE fields too. Implies `customers:read:extended`.",
  "customers:write": "Create and update customers.",
  "customers:blacklist": "Put customers on the blacklist and take them off.",
  "customers:erase": "Erase customers.",
  "batches:write": "Create customers in batches and read the batches; bodies up to 1 MB.",
  "devices:write": "Link devices to customers and take them off. Implies `customers:read`.",
  "devices:lookup": "For merchants, and who acts for one: find the customer of a device.",
  "discovery:read": "For merchants, and who acts for one: find at which banks a person is a customer.",
  "merchants:write": "Register merchants, read them and set their trust level; bodies up to 1 MB.",
  "webhooks:manage": "Say where events are sent.",
  "documents:publish": "Register persisted documents.",
  "keys:manage": "Make, list, rotate and revoke keys of the own bank and mode; a key grants only what its maker holds. Not for a PARTNER.",
  "audit:read": "Read the audit.",
  "banks:manage": "The operator's: make banks and their first keys. Goes with no other scope.",
};

/** The documentation's table of scopes: `node src/access/scopes.ts`. */
export function printScopes(): string {
  return ["| scope | grants |", "|---|---|", ...SCOPES.map((scope) => `| \`${scope}\` | ${GRANTS[scope]} |`)].join("\n");
}

/** Whether a text names a scope. Case matters. */
export function isScope(text: string): text is Scope {
  return (SCOPES as readonly string[]).includes(text);
}

/**
 * All that a list of granted scopes allows: a tier of visibility implies the lower ones, and every
 * customer scope implies `customers:read`, and so does linking devices to customers.
 */
export function expandScopes(granted: Iterable<Scope>): ReadonlySet<Scope> {
  const all = new Set(granted);
  if (all.has("customers:read:sensitive")) all.add("customers:read:extended");
  if ([...all].some((scope) => scope.startsWith("customers:") || scope === "devices:write")) all.add("customers:read");
  return all;
}

/**
 * Whether an audience can have a scope. A PARTNER runs the documents registered for its client and nothing else:
 * keys of its making would leave these bounds.
 */
export function isScopeFor(audience: Audience, scope: Scope): boolean {
  return audience !== "PARTNER" || scope !== "keys:manage";
}

/**
 * Why a list of scopes cannot be granted together to an audience, or null when it can: `banks:manage` goes with no
 * other scope, so that who runs the gateway sees no customer by that alone.
 */
export function scopesProblem(audience: Audience, granted: readonly Scope[]): string | null {
  if (granted.length === 0) return "must name at least one scope";
  if (granted.includes("banks:manage") && granted.some((scope) => scope !== "banks:manage")) {
    return "must name banks:manage alone, or not at all";
  }
  const refused = granted.filter((scope) => !isScopeFor(audience, scope));
  return refused.length > 0 ? `names what is not for a ${audience}: ${refused.join(", ")}` : null;
}

if (import.meta.main) console.log(printScopes());
