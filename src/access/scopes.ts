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

/** Who can hold a scope: whoever has customers, whoever has merchants, either, or who runs the gateway. */
type Holders = "banks" | "providers" | "both" | "operator";

/**
 * THE table of scopes: who can hold each, and what it grants, as the documentation says it. Only banks have customers: a provider that wrote
 * some would have merchants find them as a bank's. Only providers ask for merchants: a bank would learn of other banks' customers.
 */
const GRANTS: Record<Scope, readonly [Holders, string]> = {
  "customers:read": ["both", "Read customers' STANDARD fields. Every other customer scope implies it."],
  "customers:read:extended": ["both", "Read EXTENDED fields too, batches, and filter and sort by them."],
  "customers:read:sensitive": ["both", "Read SENSITIVE fields too. Implies `customers:read:extended`."],
  "customers:write": ["banks", "Create and update customers."],
  "customers:blacklist": ["banks", "Put customers on the blacklist and take them off."],
  "customers:erase": ["banks", "Erase customers."],
  "batches:write": ["banks", "Create customers in batches and read the batches; bodies up to 1 MB."],
  "devices:write": ["banks", "Link devices to customers and take them off. Implies `customers:read`."],
  "devices:lookup": ["providers", "For merchants, and who acts for one: find the customer of a device."],
  "discovery:read": ["providers", "For merchants, and who acts for one: find at which banks a person is a customer."],
  "merchants:write": ["both", "Register merchants, read them and set their trust level; bodies up to 1 MB."],
  "webhooks:manage": ["both", "Say where events are sent."],
  "documents:publish": ["both", "Register persisted documents."],
  "keys:manage": [
    "both",
    "Make, list, rotate and revoke keys of the own bank and mode, and of its merchants; a key grants only what its maker holds. Not for a PARTNER.",
  ],
  "audit:read": ["both", "Read the audit."],
  "banks:manage": ["operator", "The operator's: make banks and providers, and their first keys. Goes with no other scope."],
};

const HOLDERS: Record<Holders, string> = { banks: "banks", providers: "providers", both: "banks, providers", operator: "the operator" };

/** The documentation's table of scopes: `node src/access/scopes.ts`. */
export function printScopes(): string {
  const rows = SCOPES.map((scope) => {
    const [holders, grants] = GRANTS[scope];
    return `| \`${scope}\` | ${HOLDERS[holders]} | ${grants} |`;
  });
  return ["| scope | for | grants |", "|---|---|---|", ...rows].join("\n");
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

const isHeldBy = (scope: Scope, ...holders: readonly Holders[]) => holders.includes(GRANTS[scope][0]);

/** What each kind of tenant can have. `banks:manage` is the operator's and goes with no other scope, so that who runs the gateway sees no customer by that alone. */
const IS_FOR_KIND: Record<TenantKind, (scope: Scope) => boolean> = {
  BANK: (scope) => isHeldBy(scope, "banks", "both"),
  PROVIDER: (scope) => isHeldBy(scope, "providers", "both"),
  MERCHANT: (scope) => levelFor(scope) !== null,
  OPERATOR: (scope) => isHeldBy(scope, "operator"),
};

/** All scopes that a kind of tenant can have. */
export function scopesOf(kind: TenantKind): Scope[] {
  return SCOPES.filter(IS_FOR_KIND[kind]);
}

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
function isScopeFor(bearer: Bearer, scope: Scope): boolean {
  return notFor(bearer, scope) === null;
}

/** What a bearer has of the scopes that a key's row names. */
export function heldScopes(bearer: Bearer, granted: readonly string[]): Scope[] {
  return granted.filter(isScope).filter((scope) => isScopeFor(bearer, scope));
}

/** Why a list of scopes cannot be granted to a bearer, or null when it can. */
export function scopesProblem(bearer: Bearer, granted: readonly Scope[]): string | null {
  if (granted.length === 0) return "must name at least one scope";
  const refused = granted.filter((scope) => !isScopeFor(bearer, scope));
  return refused.length > 0 ? `names what no ${notFor(bearer, refused[0]!)} has: ${refused.join(", ")}` : null;
}

if (import.meta.main) console.log(printScopes());
