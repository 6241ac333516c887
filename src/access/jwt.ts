import { createHash } from "node:crypto";
import { createRemoteJWKSet, errors, type JWTPayload, jwtVerify, type JWTVerifyGetKey, type JWTVerifyOptions } from "jose";
import type { Database } from "../database/client.ts";
import { Audience, Mode } from "../database/generated/enums.ts";
import { isBankId } from "./bank-id.ts";
import type { JwtIssuer, Source } from "./jwt-issuers.ts";
import type { Identity } from "./principal.ts";
import { isScope, type Scope } from "./scopes.ts";
import { gatewayError } from "../graphql/errors.ts";

/** Tells who bears a JWT, or null. Throws UNAVAILABLE when the issuer's keys cannot be had. */
export type VerifyToken = (token: string) => Promise<Identity | null>;

/** Seconds by which clocks may differ. */
const CLOCK_TOLERANCE = 5;

/**
 * Verifies tokens of configured issuers by their published keys, which are fetched when needed and again when
 * an unknown key id appears, at most every second. A token must have `exp` and a `sub` that is a text and not blank,
 * name the issuer and the audience, and be signed by a listed algorithm. A bank that the gateway does not know is refused.
 */
export function createVerifyToken(issuers: readonly JwtIssuer[], db: Database): VerifyToken {
  const trusted = new Map(issuers.map((issuer) => [issuer.issuer, { issuer, keys: keysOf(issuer) }]));
  return async (token) => {
    const entry = trusted.get(issuerOf(token) ?? "");
    if (!entry) return null;
    const { issuer, keys } = entry;
    let payload: JWTPayload;
    try {
      payload = await verify(token, keys, {
        issuer: issuer.issuer,
        audience: issuer.audience,
        algorithms: issuer.algorithms,
        clockTolerance: CLOCK_TOLERANCE,
        requiredClaims: ["sub", "exp"],
      });
    } catch (error) {
      if (isUnavailable(error)) throw gatewayError("UNAVAILABLE", "The issuer's keys cannot be had at the moment.");
      return null;
    }
    return identityOf(payload, issuer, db);
  };
}

const keysOf = ({ jwks }: JwtIssuer) => createRemoteJWKSet(new URL(jwks), { cooldownDuration: 1000, timeoutDuration: 3000 });

/** Why the keys of an issuer cannot be had at the moment, or null when they can. */
export async function keysFault(issuer: JwtIssuer): Promise<string | null> {
  try {
    await keysOf(issuer).reload();
    return null;
  } catch (error) {
    const { message, cause } = error as Error & { cause?: { code?: string; message?: string } };
    return cause?.code ?? cause?.message ?? message.replace(/\.$/, "");
  }
}

/** A token whose key id fits no single published key, as one without any, is tried with each key of its algorithm. */
async function verify(token: string, keys: JWTVerifyGetKey, options: JWTVerifyOptions): Promise<JWTPayload> {
  try {
    return (await jwtVerify(token, keys, options)).payload;
  } catch (error) {
    if (!(error instanceof errors.JWKSMultipleMatchingKeys)) throw error;
    let fault: unknown = error;
    for await (const key of error) {
      try {
        return (await jwtVerify(token, key, options)).payload;
      } catch (wrong) {
        fault = wrong;
      }
    }
    throw fault;
  }
}

async function identityOf(payload: JWTPayload, issuer: JwtIssuer, db: Database): Promise<Identity | null> {
  const [bank] = valuesOf(issuer.bank, payload);
  const [mode] = valuesOf(issuer.mode, payload).map((value) => value.toUpperCase());
  const [audience] = valuesOf(issuer.audienceOf, payload);
  // Running the gateway goes by the operator's own keys alone.
  const scopes = valuesOf(issuer.scopes, payload).filter((scope): scope is Scope => isScope(scope) && scope !== "banks:manage");
  const { sub } = payload;
  // A claim is JSON: its type is whatever the issuer wrote. All objects would be one actor.
  if (typeof sub !== "string" || sub.trim() === "") return null;
  // `hasOwn`, not `in`: "constructor" is in every object. And no text that PostgreSQL would refuse reaches it.
  if (!bank || !isBankId(bank) || !mode || !Object.hasOwn(Mode, mode) || !audience || !Object.hasOwn(Audience, audience)) return null;
  if (scopes.length === 0) return null;
  const tenant = await db.tenant.findUnique({ where: { id: bank } });
  if (!tenant || tenant.kind === "OPERATOR") return null;
  return {
    keyId: actorOf(payload),
    tenantId: tenant.id,
    tenantKind: tenant.kind,
    // A merchant's id is no bank's: no token names one.
    trustLevel: null,
    providerId: null,
    mode: mode as Mode,
    audience: audience as Audience,
    clientId: null,
    clientAccess: "OPEN",
    clientCostLimit: null,
    expiresAt: null,
    scopes,
  };
}

/** Claims hold one text, a list, or, as `scope` does, texts separated by spaces. */
function valuesOf(from: Source, payload: JWTPayload): string[] {
  if ("value" in from) return [from.value].flat();
  const claim = payload[from.claim];
  const values = (Array.isArray(claim) ? claim : typeof claim === "string" ? claim.split(" ") : []).filter(
    (value) => typeof value === "string",
  );
  const { map } = from;
  return map ? values.flatMap((value) => (Object.hasOwn(map, value) ? map[value]! : [])) : values;
}

/** Who acted, for histories and logs: a hash, since a subject is often somebody's name or e-mail. */
function actorOf({ iss, sub }: JWTPayload): string {
  return `jwt-${createHash("sha256").update(`${iss} ${sub}`).digest("hex").slice(0, 24)}`;
}

/** The issuer that a token claims, unverified: it only chooses whose keys to verify with. */
function issuerOf(token: string): string | undefined {
  try {
    const payload: unknown = JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString());
    return (payload as { iss?: string } | null)?.iss;
  } catch {
    return undefined;
  }
}

/** Faults of the way to the issuer, as against faults of the token. */
function isUnavailable(error: unknown): boolean {
  return (
    error instanceof errors.JWKSTimeout ||
    error instanceof errors.JWKSInvalid ||
    !(error instanceof errors.JOSEError) ||
    error.code === "ERR_JOSE_GENERIC"
  );
}
