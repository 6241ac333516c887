import type { Database, Transaction } from "../database/client.ts";
import type { Audience, Mode, TenantKind } from "../database/generated/enums.ts";
import { generateApiKey } from "./api-key.ts";
import type { Scope } from "./scopes.ts";

export interface NewKey {
  /** `providerId`: whose merchant it is. */
  readonly tenant: { readonly id: string; readonly kind: TenantKind; readonly name: string; readonly providerId?: string };
  readonly mode: Mode;
  readonly audience: Audience;
  /** One named twice is kept once. */
  readonly scopes: readonly Scope[];
  /** The client that the key is for; made when the tenant has none of that name. */
  readonly client?: string;
  /** When it ends by itself; never when left out. */
  readonly expiresAt?: Date | null;
  /** Whether it is one of the demo's, which production does not accept. */
  readonly demo?: boolean;
}

/**
 * Makes a key, and its tenant and client if need be. The whole key is in the answer and nowhere else: only
 * a hash of its secret is stored.
 */
export async function issueKey(
  db: Database | Transaction,
  { tenant, mode, audience, scopes, client, expiresAt = null, demo = false }: NewKey,
): Promise<{ id: string; key: string; clientId: string | null }> {
  await ensureTenant(db, tenant);
  const clientId = client === undefined ? null : await ensureClient(db, tenant.id, client);
  const { id, key, secretHash } = generateApiKey(mode);
  await db.apiKey.create({
    data: { id, tenantId: tenant.id, mode, audience, scopes: [...new Set(scopes)], clientId, expiresAt, secretHash, demo },
  });
  return { id, key, clientId };
}

// Both by ON CONFLICT DO NOTHING: Prisma's `upsert` looks first, and of two at once the second would fail.

/** Makes the tenant if there is none of its id; another that makes it at once is waited for. */
export async function ensureTenant(db: Database | Transaction, tenant: NewKey["tenant"]): Promise<void> {
  await db.tenant.createMany({ data: { ...tenant }, skipDuplicates: true });
}

async function ensureClient(db: Database | Transaction, tenantId: string, name: string): Promise<string> {
  await db.client.createMany({ data: { id: crypto.randomUUID(), tenantId, name }, skipDuplicates: true });
  return (await db.client.findUniqueOrThrow({ where: { tenantId_name: { tenantId, name } } })).id;
}
