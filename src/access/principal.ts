import type { Audience, ClientAccess, Mode, TenantKind, TrustLevel } from "../database/generated/enums.ts";
import { expandScopes, heldScopes, type Scope } from "./scopes.ts";
import { lackingTrust } from "./trust.ts";
import {
  CUSTOMER_FIELDS,
  type CustomerFieldName,
  reaches,
  SCOPE_OF_VISIBILITY,
  type Visibility,
  visibilityOfScopes,
} from "./visibility.ts";

/**
 * Who is calling: one API key, with the tenant, mode, audience and scopes that it stands for.
 * A principal is made once per request and never changes.
 */
export interface Principal {
  /** The public id of the key; what history and logs name. */
  readonly keyId: string;
  readonly tenantId: string;
  readonly tenantKind: TenantKind;
  /** What a merchant's provider trusts it with; null: the tenant is no merchant. */
  readonly trustLevel: TrustLevel | null;
  /** Whose merchant the tenant is; null: it is none. */
  readonly providerId: string | null;
  readonly mode: Mode;
  readonly audience: Audience;
  /** The client that the key belongs to, or null; persisted documents are registered for it. */
  readonly clientId: string | null;
  /** Whether an APP runs its client's registered documents only. A PARTNER does in any case. */
  readonly clientAccess: ClientAccess;
  /** The most points that one request may cost by its client's limit; null: by the gateway's. */
  readonly clientCostLimit: number | null;
  /** When the key ends by itself; null: never, and for a token, whose own end is its session's and not its bearer's. */
  readonly expiresAt: Date | null;
  /** Granted scopes with all that they imply. */
  readonly scopes: ReadonlySet<Scope>;
  /** What the request may see: the scopes' visibility, or lower by X-Visibility. Null: no customer. */
  readonly visibility: Visibility | null;
  /** What the scopes alone would allow. */
  readonly grantedVisibility: Visibility | null;
}

/** What a key's row says of its bearer. */
export type Identity = Omit<Principal, "scopes" | "visibility" | "grantedVisibility"> & {
  readonly scopes: readonly Scope[];
};

/**
 * The principal of one request. `lowerTo` is the X-Visibility header's tier: it can lower the
 * visibility that the scopes grant and never raise it.
 */
export function createPrincipal(identity: Identity, lowerTo: Visibility | null): Principal {
  const { trustLevel } = identity;
  const isTrusted = (scope: Scope) => trustLevel === null || lackingTrust(trustLevel, scope) === null;
  const scopes = expandScopes(heldScopes(identity, identity.scopes).filter(isTrusted));
  const granted = visibilityOfScopes(scopes);
  const visibility = granted && lowerTo && reaches(granted, lowerTo) ? lowerTo : granted;
  return { ...identity, scopes, visibility, grantedVisibility: granted };
}

/** Whether the principal sends no text of documents and runs those registered for its client. Source: contract §1. */
export function runsRegisteredOnly({ audience, clientAccess }: Principal): boolean {
  return audience === "PARTNER" || (audience === "APP" && clientAccess === "TRUSTED");
}

/** Whether the principal may see a field of a customer. */
export function maySee(principal: Principal, field: CustomerFieldName): boolean {
  return mayReach(principal, CUSTOMER_FIELDS[field].tier);
}

/** Whether the principal's visibility reaches a tier. */
export function mayReach(principal: Principal, tier: Visibility): boolean {
  return principal.visibility !== null && reaches(principal.visibility, tier);
}

/** What a withheld field would need: the scope, or `X-Visibility` when the request lowered itself. */
export function requirementOf(principal: Principal, field: CustomerFieldName): string {
  return requirementOfTier(principal, CUSTOMER_FIELDS[field].tier);
}

/** What a tier that is not reached would need, likewise. */
export function requirementOfTier({ grantedVisibility }: Principal, tier: Visibility): string {
  return grantedVisibility && reaches(grantedVisibility, tier) ? "X-Visibility" : SCOPE_OF_VISIBILITY[tier];
}

/**
 * The one condition for "rows this principal may touch". Every read and every write's own `where`
 * spreads it. It fails closed: Prisma drops `undefined` from a condition, which would mean every
 * bank, so an incomplete principal throws.
 */
export function within(principal: Pick<Principal, "tenantId" | "mode">): { bankId: string; mode: Mode } {
  if (!principal.tenantId || !principal.mode) throw new Error("a principal without tenant or mode");
  return { bankId: principal.tenantId, mode: principal.mode };
}
