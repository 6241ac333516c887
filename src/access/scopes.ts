import type { Audience, TenantKind } from "../database/generated/enums.ts";
import { levelFor } from "./trust.ts";

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
  "keys:manage":
    "Make, list, rotate and revoke keys of the own bank and mode, and of its merchants; a key grants only what its maker holds. Not for a PARTNER.",
  "audit:read": "Read the audit.",
  "banks:manage": "The operator's: make banks and providers, and their first keys. Goes with no other scope.",
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

/** What each kind of tenant can have. `banks:manage` is the operator's and goes with no other scope, so that who runs the gateway sees no customer by that alone. */
const IS_FOR_KIND: Record<TenantKind, (scope: Scope) => boolean> = {
  BANK: (scope) => scope !== "banks:manage",
  PROVIDER: (scope) => scope !== "banks:manage",
  MERCHANT: (scope) => levelFor(scope) !== null,
  OPERATOR: (scope) => scope === "banks:manage",
};

/** Whom a key is for. */
export interface Bearer {
  readonly audience: Audience;
  readonly tenantKind: TenantKind;
}

/**
 * For whom a scope is not, of those that a key is for; null: it is for both. A PARTNER runs the documents registered for its client and
 * nothing else: keys of its making would leave these bounds.
 */
function notFor({ audience, tenantKind }: Bearer, scope: Scope): Audience | TenantKind | null {
  if (!IS_FOR_KIND[tenantKind](scope)) return tenantKind;
  return audience === "PARTNER" && scope === "keys:manage" ? audience : null;
}

/** Whether a bearer can have a scope. */
export function isScopeFor(bearer: Bearer, scope: Scope): boolean {
  return notFor(bearer, scope) === null;
}

/** Why a list of scopes cannot be granted to a bearer, or null when it can. */
export function scopesProblem(bearer: Bearer, granted: readonly Scope[]): string | null {
  if (granted.length === 0) return "must name at least one scope";
  const refused = granted.filter((scope) => !isScopeFor(bearer, scope));
  return refused.length > 0 ? `names what no ${notFor(bearer, refused[0]!)} has: ${refused.join(", ")}` : null;
}

if (import.meta.main) console.log(printScopes());
