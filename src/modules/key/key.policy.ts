import { BANK_ID_RULE, isBankId } from "../../access/bank-id.ts";
import { clientProblem } from "../../access/client-name.ts";
import { mayReach, type Principal } from "../../access/principal.ts";
import { isScope, type Scope, scopesProblem } from "../../access/scopes.ts";
import { visibilityOfScopes } from "../../access/visibility.ts";
import type { Audience, Mode, TenantKind } from "../../database/generated/enums.ts";
import type { Issue } from "../../graphql/issue.ts";

/** A key that someone asks for, as it came. */
export interface KeyRequest {
  readonly bank?: string | null;
  readonly kind?: TenantKind | null;
  readonly merchant?: string | null;
  readonly mode?: Mode | null;
  readonly audience: Audience;
  readonly scopes: readonly string[];
  readonly client?: string | null;
  readonly expiresAt?: Date | null;
}

/** The longest a rotated key goes on: 30 days, in seconds. */
export const MAX_OVERLAP_SECONDS = 30 * 24 * 60 * 60;

/** For which audiences a key makes keys: those held to at least as much as its own. A PARTNER holds no `keys:manage`. */
const MAKES_FOR: Record<Audience, readonly Audience[]> = { INTERNAL: ["INTERNAL", "APP", "PARTNER"], APP: ["APP", "PARTNER"], PARTNER: [] };

/** Whether the principal runs the gateway. */
export function isOperator(principal: Principal): boolean {
  return principal.tenantKind === "OPERATOR" && principal.scopes.has("banks:manage");
}

/** For whom a key is asked: the bank or one of its merchants, as `kind` says, and the mode. */
export interface KeyPlace {
  readonly bank: string | null;
  readonly kind: TenantKind;
  readonly mode: Mode;
}

/** For which tenant and mode a principal asks: its own or its merchant's, unless it is the operator, who names them. */
export function placeOf(principal: Principal, { bank, kind, merchant, mode }: KeyRequest): KeyPlace {
  const operator = isOperator(principal);
  return {
    bank: bank ?? (operator ? null : principal.tenantId),
    kind: merchant != null ? "MERCHANT" : (kind ?? (operator ? "BANK" : principal.tenantKind)),
    mode: mode ?? principal.mode,
  };
}

/** What a key hands on: to whom, what, and until when; null: for ever. */
export interface Grants {
  readonly audience: Audience;
  readonly scopes: readonly Scope[];
  readonly expiresAt: Date | null;
}

/**
 * What goes beyond the asking principal: keys that are made anew and keys that are rotated answer to this alike. A
 * request that lowers itself by X-Visibility hands on no more than it may see; a key that ends makes none that outlives it.
 */
export function beyond(principal: Principal, { audience, scopes, expiresAt }: Grants): Issue[] {
  const issues: Issue[] = [];
  const audiences = MAKES_FOR[principal.audience];
  if (!audiences.includes(audience)) {
    issues.push({
      field: "audience",
      message: `goes beyond the asking key's, which makes keys for ${audiences.join(" and ") || "nobody"}`,
    });
  }
  const more = scopes.filter((scope) => !mayGrant(principal, scope));
  if (more.length > 0) issues.push({ field: "scopes", message: `goes beyond what the asking key holds: ${more.join(", ")}` });
  if (principal.expiresAt !== null && (expiresAt === null || expiresAt > principal.expiresAt)) {
    issues.push({ field: "expiresAt", message: "must be given, and no later than the asking key's own end" });
  }
  return issues;
}

function mayGrant(principal: Principal, scope: Scope): boolean {
  const tier = visibilityOfScopes(new Set([scope]));
  return principal.scopes.has(scope) && (tier === null || mayReach(principal, tier));
}

/**
 * Why a principal may not have the key that it asks for; empty when it may, as far as the request alone
 * tells. A bank's own keys make keys of their bank and mode that grant no more than they do; a LIVE one makes SANDBOX
 * keys too, since a bank has only one key from the operator, and never the other way round. What holds of a bank holds of a
 * provider, which makes keys for merchants of its own too, in the merchant's mode. The operator
 * makes a bank's first key, which may grant anything but the operator's own scope. Source: contract §2.
 */
export function requestIssues(principal: Principal, request: KeyRequest, now: Date): Issue[] {
  const issues: Issue[] = [];
  const refuse = (field: string, message: string) => issues.push({ field, message });
  const { bank, kind, mode } = placeOf(principal, request);
  const forMerchant = request.merchant != null;
  if (isOperator(principal)) {
    if (bank === null) refuse("bank", "is required");
    else if (!isBankId(bank)) refuse("bank", BANK_ID_RULE);
    if (forMerchant) refuse("merchant", "is for whose merchant it is");
    else if (kind !== "BANK" && kind !== "PROVIDER") refuse("kind", "must be BANK or PROVIDER");
  } else {
    if (forMerchant && principal.tenantKind !== "PROVIDER") refuse("merchant", "is for a provider's keys: a bank's merchants have none");
    if (bank !== principal.tenantId) refuse("bank", "must be the key's own");
    if (request.kind != null && request.kind !== principal.tenantKind) refuse("kind", "must be the key's own tenant's");
    if (mode !== principal.mode && (forMerchant || principal.mode !== "LIVE")) refuse("mode", "must be the key's own");
  }

  const unknown = request.scopes.filter((scope) => !isScope(scope));
  if (unknown.length > 0) refuse("scopes", "names a scope that there is not");
  else {
    const scopes = request.scopes as readonly Scope[];
    const problem = scopesProblem({ audience: request.audience, tenantKind: kind }, scopes);
    if (problem) refuse("scopes", problem);
    if (!isOperator(principal)) issues.push(...beyond(principal, { ...request, scopes, expiresAt: request.expiresAt ?? null }));
  }

  const clientIssue = clientProblem(request.audience, request.client);
  if (clientIssue) refuse("client", clientIssue);
  if (request.expiresAt != null && request.expiresAt <= now) refuse("expiresAt", "must be in the future");
  return issues;
}
