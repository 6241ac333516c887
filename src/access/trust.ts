import type { Mode, TrustLevel } from "../database/generated/enums.ts";
import type { Scope } from "./scopes.ts";

/** What a level of trust adds to the ones before it. */
interface Trusted {
  readonly scopes: readonly Scope[];
  /** How many times the usual limits: points a minute, and discovery's hourly look-ups. */
  readonly limitFactor: number;
  /** What it is for, as the documentation says it. */
  readonly summary: string;
}

/**
 * THE table of trust: what merchants may have at all, and from which level on; lowest level first. Making keys, principals, who acts for a
 * merchant, limits and documentation all read it; there is no second list. Source: the source documents, "Trust Level Configuration".
 */
export const TRUST = {
  BASIC: { scopes: ["discovery:read", "documents:publish", "audit:read"], limitFactor: 1, summary: "Standard operations." },
  ENHANCED: { scopes: ["devices:lookup"], limitFactor: 1, summary: "Device look-up too." },
  PREMIUM: { scopes: [], limitFactor: 10, summary: "Higher limits too." },
} as const satisfies Record<TrustLevel, Trusted>;

/** All levels, lowest first. */
export const TRUST_LEVELS = Object.keys(TRUST) as TrustLevel[];

/** The lowest level that has a scope; null: no merchant has it. */
export function levelFor(scope: Scope): TrustLevel | null {
  return TRUST_LEVELS.find((level) => (TRUST[level].scopes as readonly Scope[]).includes(scope)) ?? null;
}

/** What a merchant's level is too low for a scope, as refusals say it; null: it is high enough, or no merchant has it at all. */
export function lackingTrust(level: TrustLevel, scope: Scope): string | null {
  const needed = levelFor(scope);
  return needed !== null && TRUST_LEVELS.indexOf(level) < TRUST_LEVELS.indexOf(needed) ? `the trust level ${needed}` : null;
}

/** How many times the usual limits a caller has; null: who is no merchant. */
export function limitFactorOf(level: TrustLevel | null): number {
  return level === null ? 1 : TRUST[level].limitFactor;
}

/** A merchant as the owner of limits. */
export function merchantOwner(id: string, level: TrustLevel) {
  return { id, factor: limitFactorOf(level) };
}

/** All merchants of a provider and mode together, as the owner of limits: of the tenant's own merchants, or of the one that it is. */
export function providerOwner({ tenantId, providerId, mode }: { tenantId: string; providerId: string | null; mode: Mode }) {
  return { id: `${providerId ?? tenantId} ${mode}`, factor: 1 };
}

/** The documentation's table of trust: `node src/access/trust.ts`. */
export function printTrust(): string {
  const rows = TRUST_LEVELS.map((level) => {
    const { scopes, limitFactor, summary } = TRUST[level];
    return `| ${level} | ${summary} | ${scopes.map((scope) => `\`${scope}\``).join(", ") || "none"} | ${limitFactor} |`;
  });
  return ["| trust level | is for | adds the scopes | times the usual limits |", "|---|---|---|---|", ...rows].join("\n");
}

if (import.meta.main) console.log(printTrust());
