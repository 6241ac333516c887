import type { Database } from "../database/client.ts";
import type { ApiKey, Client, ClientSettings, Tenant } from "../database/generated/client.ts";
import type { TrustLevel } from "../database/generated/enums.ts";
import { fromGlobalId, MERCHANT_PREFIX } from "../graphql/global-id.ts";
import { type Identity, type Principal, within } from "./principal.ts";
import { isScope } from "./scopes.ts";

/** What is read with a key to tell for whom it stands. */
export const WITH_BEARER = { tenant: true, client: { include: { settings: true } } } as const;

export type KeyRow = ApiKey & { tenant: Tenant; client: (Client & { settings: ClientSettings[] }) | null };

/** The condition for a key that a principal manages: of its own tenant and mode, or of a merchant of its. Null: the text is no key's id. */
export function managedKey(principal: Pick<Principal, "tenantId" | "mode">, id: string) {
  const { bankId: tenantId, mode } = within(principal);
  return /^[0-9a-f]{16}$/.test(id) ? { id, mode, OR: [{ tenantId }, { tenant: { providerId: tenantId } }] } : null;
}

/** For whom a key stands; null: its provider has no such merchant in the key's mode. */
export async function identityOf(db: Database, row: KeyRow): Promise<Identity | null> {
  const trustLevel = await trustLevelOf(db, row);
  if (trustLevel === undefined) return null;
  const settings = row.client?.settings.find(({ mode }) => mode === row.mode);
  return {
    keyId: row.id,
    tenantId: row.tenantId,
    tenantKind: row.tenant.kind,
    trustLevel,
    providerId: row.tenant.providerId,
    mode: row.mode,
    audience: row.audience,
    clientId: row.clientId,
    clientAccess: settings?.access ?? "OPEN",
    clientCostLimit: settings?.costLimit ?? null,
    expiresAt: row.expiresAt,
    scopes: row.scopes.filter(isScope),
  };
}

/** What the key's tenant is trusted with; null: it is no merchant. Undefined: no provider has such a merchant. */
async function trustLevelOf(db: Database, { mode, tenant: { id, providerId } }: KeyRow): Promise<TrustLevel | null | undefined> {
  if (providerId === null) return null;
  const merchant = { bankId: providerId, mode, id: fromGlobalId(MERCHANT_PREFIX, id)! };
  const ofProvider = (await db.tenant.count({ where: { id: providerId, kind: "PROVIDER" } })) > 0;
  if (!ofProvider) return undefined;
  return (await db.merchant.findUnique({ where: { bankId_mode_id: merchant }, select: { trustLevel: true } }))?.trustLevel;
}
