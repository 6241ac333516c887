import { ensureTenant, issueKey, type NewKey } from "../../access/issue-key.ts";
import { managedKey } from "../../access/key-identity.ts";
import { type Principal, within } from "../../access/principal.ts";
import type { Scope } from "../../access/scopes.ts";
import { tallyOf } from "../../changes/tally.ts";
import { fromGlobalId, MERCHANT_PREFIX, toGlobalId } from "../../graphql/global-id.ts";
import type { Transaction } from "../../database/client.ts";
import { ApiKeyNotFound, InvalidApiKey } from "./key.errors.ts";
import { beyond, isOperator, type KeyRequest, MAX_OVERLAP_SECONDS, placeOf, requestIssues } from "./key.policy.ts";
import { type IssuedKey, KEY_SELECT, type KeyRow, scopesOfKey } from "./key.type.ts";

/** Makes a key. Throws InvalidApiKey with every reason against it. */
export async function createKey(tx: Transaction, principal: Principal, request: KeyRequest, now: Date): Promise<IssuedKey> {
  const issues = requestIssues(principal, request, now);
  if (issues.length > 0) throw new InvalidApiKey(issues);
  const { bank, kind, mode } = placeOf(principal, request);
  const { audience, client, expiresAt, merchant } = request;
  const tenant = merchant != null ? await merchantOf(tx, principal, merchant) : { id: bank!, kind, name: bank! };
  if (isOperator(principal)) await refuseKnownBank(tx, tenant);
  const { id, key } = await issueKey(tx, {
    tenant,
    mode,
    audience,
    scopes: request.scopes as Scope[],
    client: client ?? undefined,
    expiresAt,
  });
  if (tenant.id !== principal.tenantId) tallyOf(tx).subjects.add(tenant.id);
  tallyOf(tx).subjects.add(id);
  return { key, row: await tx.apiKey.findUniqueOrThrow({ where: { id }, select: KEY_SELECT }) };
}

/** A merchant of the principal's tenant and mode, as a tenant. Throws InvalidApiKey: another's answers as none. */
async function merchantOf(tx: Transaction, principal: Principal, merchant: string): Promise<NewKey["tenant"]> {
  const id = fromGlobalId(MERCHANT_PREFIX, merchant);
  const found = id && (await tx.merchant.findFirst({ where: { ...within(principal), id }, select: { id: true } }));
  if (!found) throw new InvalidApiKey([{ field: "merchant", message: "is none of the key's own tenant and mode" }]);
  return tenantOf(principal, toGlobalId(MERCHANT_PREFIX, id));
}

/** The tenant of a key that the principal manages: its own, or a merchant of its. */
function tenantOf({ tenantId, tenantKind }: Principal, id: string): NewKey["tenant"] {
  return id === tenantId ? { id, kind: tenantKind, name: id } : { id, kind: "MERCHANT", name: id, providerId: tenantId };
}

/**
 * The operator makes the first key of a bank or a provider, in either mode, and none after it: else it could make itself one that sees
 * the bank's customers. What a tenant once was it stays. Two operators at once: the second waits for the lock and then finds the first one's key.
 */
async function refuseKnownBank(tx: Transaction, tenant: NewKey["tenant"]): Promise<void> {
  await tx.$executeRaw`SELECT pg_advisory_xact_lock(hashtextextended(${`first key of ${tenant.id}`}::text, 0))`;
  await ensureTenant(tx, tenant);
  const { kind, _count: had } = await tx.tenant.findUniqueOrThrow({
    where: { id: tenant.id },
    select: { kind: true, _count: { select: { keys: true } } },
  });
  if (had.keys > 0) throw new InvalidApiKey([{ field: "bank", message: "has had a key: its own keys make the others" }]);
  if (kind !== tenant.kind) throw new InvalidApiKey([{ field: "kind", message: "is not what the bank was made as" }]);
}

/** Ends a key at once: every process refuses it within a second. Once revoked it stays so. Throws ApiKeyNotFound. */
export async function revokeKey(tx: Transaction, principal: Principal, id: string, now: Date): Promise<KeyRow> {
  const key = await findKey(tx, principal, id);
  if (key.revokedAt) return key;
  tallyOf(tx).subjects.add(key.id);
  return tx.apiKey.update({ where: { id: key.id }, data: { revokedAt: now }, select: KEY_SELECT });
}

/**
 * Makes a new key with the same grants and lets the old one go on for the overlap. Throws ApiKeyNotFound, and
 * InvalidApiKey for an overlap out of range, a key that has ended or was rotated, or grants beyond the asking key's.
 */
export async function rotateKey(tx: Transaction, principal: Principal, id: string, overlapSeconds: number, now: Date): Promise<IssuedKey> {
  const old = await findKey(tx, principal, id);
  const refuse = (field: string | null, message: string) => new InvalidApiKey([{ field, message }]);
  if (overlapSeconds < 0 || overlapSeconds > MAX_OVERLAP_SECONDS)
    throw refuse("overlapSeconds", `must be from 0 to ${MAX_OVERLAP_SECONDS}`);
  if (old.revokedAt || (old.expiresAt && old.expiresAt <= now)) throw refuse("id", "is that of a key that has ended");
  const scopes = scopesOfKey(old);
  if (scopes.length === 0) throw refuse("id", "is that of a key that holds nothing");
  if (beyond(principal, { ...old, scopes }).length > 0) throw refuse("id", "is that of a key that holds more than the asking one");
  const end = new Date(now.getTime() + overlapSeconds * 1000);
  const tenant = tenantOf(principal, old.tenantId);
  const { mode, audience, expiresAt } = old;
  const issued = await issueKey(tx, { tenant, mode, audience, scopes, client: old.client?.name, expiresAt });
  // In one statement, so that of two at once one finds it done. Its own end is the overlap's now: no second key takes that over.
  const { count } = await tx.apiKey.updateMany({
    where: { id: old.id, replacedBy: null },
    data: { replacedBy: issued.id, expiresAt: expiresAt && expiresAt < end ? expiresAt : end },
  });
  if (count === 0) throw refuse("id", "is that of a key that has been rotated already: rotate the one that replaced it");
  tallyOf(tx).subjects.add(old.id).add(issued.id);
  return { key: issued.key, row: await tx.apiKey.findUniqueOrThrow({ where: { id: issued.id }, select: KEY_SELECT }) };
}

async function findKey(tx: Transaction, principal: Principal, id: string): Promise<KeyRow> {
  const where = managedKey(principal, id);
  const key = where && (await tx.apiKey.findFirst({ where, select: KEY_SELECT }));
  if (!key) throw new ApiKeyNotFound();
  return key;
}
