import type { Audience } from "../database/generated/enums.ts";
import { mayReach, type Principal, requirementOfTier } from "./principal.ts";
import type { Scope } from "./scopes.ts";
import { lackingTrust } from "./trust.ts";
import type { Visibility } from "./visibility.ts";

/** What each part of a requirement asks for. */
export interface Grants {
  /** The principal holds the scope. */
  scope: Scope;
  /** The principal runs the gateway: its tenant is the OPERATOR, and it holds the scope. */
  operator: "banks:manage";
  /** The principal's visibility reaches the tier. */
  visibility: Visibility;
  /** The principal's key was made for this audience. */
  audience: Audience;
  /** The principal's key was made for any audience but this. */
  notFor: Audience;
}

/** What a field of the schema needs: its `authScopes`. Of `$any`, one part suffices. */
export type Requirement = Partial<Grants> | { readonly $any: Partial<Grants> };

/** What it takes to be shown the schema. Source: contract §5. */
export const INTROSPECTION: Requirement = { notFor: "PARTNER" };

/** Whether a principal has each kind of grant, and how a refusal to it names it. The schema and its explanation both ask here. */
const GRANTS: {
  [Kind in keyof Grants]: {
    has: (principal: Principal, grant: Grants[Kind]) => boolean;
    name: (grant: Grants[Kind], principal: Principal) => string;
  };
} = {
  scope: {
    has: ({ scopes }, scope) => scopes.has(scope),
    name: (scope, { trustLevel }) => (trustLevel && lackingTrust(trustLevel, scope)) ?? scope,
  },
  operator: { has: ({ tenantKind, scopes }, scope) => tenantKind === "OPERATOR" && scopes.has(scope), name: (scope) => scope },
  visibility: { has: mayReach, name: (tier, principal) => requirementOfTier(principal, tier) },
  audience: { has: (principal, audience) => principal.audience === audience, name: (audience) => `an ${audience} key` },
  notFor: { has: (principal, audience) => principal.audience !== audience, name: (audience) => `a key that is not for a ${audience}` },
};

/** Whether a principal has one grant. */
export function hasGrant<Kind extends keyof Grants>(principal: Principal, kind: Kind, grant: Grants[Kind]): boolean {
  return GRANTS[kind].has(principal, grant);
}

/** What a principal lacks of a requirement, e.g. `batches:write or customers:read:extended`; null when it meets it. */
export function lacking(principal: Principal, requirement: Requirement | undefined): string | null {
  if (!requirement) return null;
  const parts = Object.entries("$any" in requirement ? requirement.$any : requirement) as [keyof Grants, never][];
  if (parts.some(([kind, grant]) => GRANTS[kind].has(principal, grant))) return null;
  return parts.map(([kind, grant]) => GRANTS[kind].name(grant, principal)).join(" or ");
}
