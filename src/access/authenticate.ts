import { createHash, randomBytes } from "node:crypto";
import { LRUCache } from "lru-cache";
import type { Database } from "../database/client.ts";
import type { ApiKey } from "../database/generated/client.ts";
import type { Job } from "../jobs/schedule.ts";
import { parseApiKey, secretMatches } from "./api-key.ts";
import type { VerifyToken } from "./jwt.ts";
import { identityOf, type KeyRow, WITH_BEARER } from "./key-identity.ts";
import type { Identity } from "./principal.ts";

/** Tells who bears an Authorization header, or null for none, a wrong, expired, revoked or malformed one alike. */
export type Authenticate = (authorization: string | null) => Promise<Identity | null>;

/** How stale a key may be: a revocation is in effect in every process after this long. */
const MAX_AGE_MS = 1000;

/** How often the times of last use are written. */
const LAST_USE_EVERY_MS = 5000;

/** A secret that no key has: what is compared where there is no key, so that it takes as long. */
const NOBODY = { secret: "0".repeat(40), mode: "SANDBOX", secretHash: new Uint8Array(randomBytes(32)) } as const;

/**
 * Keys are read from the database at most once a second each; concurrent requests share one read. What is
 * no key is looked up and compared like one, under an id of its own, so that time tells nothing either. The demo's keys, which come
 * along when its database is moved, are none in production. Anything else that is
 * borne is a JWT, for `verifyToken`. `lastUse` is the job that writes when keys were last used.
 */
export function createAuthenticate(
  db: Database,
  verifyToken: VerifyToken | null,
  production: boolean,
): { authenticate: Authenticate; lastUse: Job } {
  const keys = new LRUCache<string, { row: KeyRow | null; identity: Identity | null }>({
    max: 10_000,
    ttl: MAX_AGE_MS,
    fetchMethod: async (id) => {
      const row = await db.apiKey.findUnique({ where: { id }, include: WITH_BEARER });
      return { row, identity: row && (await identityOf(db, row)) };
    },
  });
  const used = new Map<string, Date>();

  const authenticate: Authenticate = async (authorization) => {
    const bearer = /^Bearer +(\S+)$/i.exec(authorization ?? "")?.[1];
    if (bearer === undefined) return null;
    if (verifyToken && !bearer.startsWith("cgw_")) return verifyToken(bearer);
    const parts = parseApiKey(bearer) ?? { ...NOBODY, id: createHash("sha256").update(bearer).digest("hex").slice(0, 16) };
    const { row, identity } = (await keys.fetch(parts.id))!;
    const matches = secretMatches(parts.secret, row?.secretHash ?? NOBODY.secretHash);
    const now = new Date();
    if (!row || !identity || !matches || row.mode !== parts.mode || !isValid(row, now) || (production && row.demo)) return null;
    used.set(row.id, now);
    return identity;
  };

  const lastUse: Job = {
    name: "write-last-use-of-keys",
    everyMs: LAST_USE_EVERY_MS,
    async run() {
      const entries = [...used];
      used.clear();
      await Promise.all(entries.map(([id, lastUsedAt]) => db.apiKey.updateMany({ where: { id }, data: { lastUsedAt } })));
    },
  };
  return { authenticate, lastUse };
}

/** Whether a key has neither been revoked nor come to its end. */
export function isValid({ revokedAt, expiresAt }: Pick<ApiKey, "revokedAt" | "expiresAt">, now: Date): boolean {
  return (!revokedAt || revokedAt > now) && (!expiresAt || expiresAt > now);
}
