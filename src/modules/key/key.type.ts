import { heldScopes } from "../../access/scopes.ts";
import type { ApiKey, Client, Tenant } from "../../database/generated/client.ts";
import { builder } from "../../graphql/builder.ts";
import { connectionType } from "../../graphql/connection.ts";
import { AudienceEnum, ModeEnum } from "../../graphql/enums.ts";

/** A key's row without what must not leave the database. */
export type KeyRow = Omit<ApiKey, "secretHash" | "demo"> & { client: Pick<Client, "name"> | null; tenant: Pick<Tenant, "kind"> };

/** What is read of a key: never its secret's hash. */
export const KEY_SELECT = {
  id: true,
  tenantId: true,
  mode: true,
  audience: true,
  scopes: true,
  clientId: true,
  createdAt: true,
  expiresAt: true,
  revokedAt: true,
  lastUsedAt: true,
  replacedBy: true,
  client: { select: { name: true } },
  tenant: { select: { kind: true } },
} as const;

/** What a key holds of the scopes that its row names: a row may be older than a rule. */
export const scopesOfKey = ({ audience, scopes, tenant }: Pick<KeyRow, "audience" | "scopes" | "tenant">) =>
  heldScopes({ audience, tenantKind: tenant.kind }, scopes);

export const ApiKeyType = builder.objectRef<KeyRow>("ApiKey").implement({
  description: "An API key. Its secret is shown once, when the key is made, and is kept nowhere.",
  fields: (t) => ({
    id: t.exposeID("id", { description: "The public part of the key: 16 hex digits. Logs and histories name it." }),
    bankId: t.exposeID("tenantId", { description: "The bank, the provider or the merchant that it belongs to." }),
    mode: t.field({ type: ModeEnum, description: "The set of data that it works on.", resolve: ({ mode }) => mode }),
    audience: t.field({ type: AudienceEnum, description: "Whom it was made for.", resolve: ({ audience }) => audience }),
    scopes: t.stringList({ description: "What it was granted, without what that implies.", resolve: scopesOfKey }),
    client: t.string({ nullable: true, description: "The client that it belongs to.", resolve: ({ client }) => client?.name }),
    createdAt: t.field({ type: "DateTime", description: "When it was made.", resolve: ({ createdAt }) => createdAt }),
    expiresAt: t.field({ type: "DateTime", nullable: true, description: "When it ends by itself.", resolve: ({ expiresAt }) => expiresAt }),
    revokedAt: t.field({ type: "DateTime", nullable: true, description: "When it was revoked.", resolve: ({ revokedAt }) => revokedAt }),
    lastUsedAt: t.field({
      type: "DateTime",
      nullable: true,
      description: "When it was last used, some seconds late; null: never.",
      resolve: ({ lastUsedAt }) => lastUsedAt,
    }),
    replacedBy: t.exposeID("replacedBy", {
      nullable: true,
      description: "The public part of the key that rotation made of it; null: it was not rotated.",
    }),
  }),
});

export const ApiKeyConnection = connectionType("ApiKey", ApiKeyType);

/** A new key, whole. */
export interface IssuedKey {
  readonly key: string;
  readonly row: KeyRow;
}

export const ApiKeyIssued = builder.objectRef<IssuedKey>("ApiKeyIssued").implement({
  description: "A new key. Keep it now: this is the only time that it is shown.",
  fields: (t) => ({
    key: t.exposeString("key", { description: "The whole key, `cgw_<mode>_<id>_<secret>`, for `Authorization: Bearer`." }),
    apiKey: t.field({ type: ApiKeyType, description: "What it is.", resolve: ({ row }) => row }),
  }),
});
