import { within } from "../../access/principal.ts";
import { SCOPES } from "../../access/scopes.ts";
import { originOf, write } from "../../changes/write.ts";
import { builder } from "../../graphql/builder.ts";
import { once, pageArgs } from "../../graphql/connection.ts";
import { cursorsOf } from "../../graphql/cursor.ts";
import { AudienceEnum, ModeEnum, TenantKindEnum } from "../../graphql/enums.ts";
import { fromGlobalId, MERCHANT_PREFIX, toGlobalId } from "../../graphql/global-id.ts";
import { newestFirst } from "../../graphql/keyset.ts";
import { pageRequest, toPage } from "../../graphql/pagination.ts";
import { ApiKeyNotFound, InvalidApiKey } from "./key.errors.ts";
import { MAX_OVERLAP_SECONDS } from "./key.policy.ts";
import { ApiKeyConnection, ApiKeyIssued, ApiKeyType, KEY_SELECT } from "./key.type.ts";
import { createKey, revokeKey, rotateKey } from "./key.write.ts";

/** A bank's keys and those of its merchants are its own matter; the operator's are the operator's. */
const MANAGE_KEYS = { $any: { scope: "keys:manage", operator: "banks:manage" } } as const;

const CreateApiKeyInput = builder.inputType("CreateApiKeyInput", {
  description:
    "A key to be made. A bank's key makes keys of its own bank and mode that grant no more than it does; a LIVE key makes " +
    "SANDBOX keys too. With `merchant` it makes a merchant's key. The operator's key makes a bank or a provider, if need be, and its first key, in " +
    "either mode: without `keys:manage` in it, nobody makes the bank's other keys.",
  fields: (t) => ({
    bank: t.string({ description: "The bank's or the provider's id. For the operator; others leave it out." }),
    kind: t.field({
      type: TenantKindEnum,
      description: "What `bank` is made as, once and for all: BANK, or PROVIDER. For the operator; left out: BANK.",
    }),
    merchant: t.id({
      description:
        "The merchant that the key is for, by its id: one of the asking provider's own, in its mode. Its key sees and makes nothing of anybody else's, " +
        "and does what the merchant's trust level allows.",
    }),
    mode: t.field({ type: ModeEnum, description: "Left out: the asking key's own. A SANDBOX key makes no LIVE one." }),
    audience: t.field({
      type: AudienceEnum,
      required: true,
      description: "Whom it is for: by an INTERNAL key anyone, by an APP key an APP or a PARTNER. A PARTNER needs a client.",
    }),
    scopes: t.stringList({
      required: true,
      description:
        `What it grants: ${SCOPES.join(", ")}. No more than the asking key holds, nor, with X-Visibility, than the request may see; ` +
        "no `keys:manage` for a PARTNER; for a merchant what trust levels have. One named twice counts once.",
    }),
    client: t.string({ description: "The client that it belongs to; made if there is none of that name." }),
    expiresAt: t.field({
      type: "DateTime",
      description: "When it ends by itself. Left out: never. Required of a key that ends itself, and no later than its own end.",
    }),
  }),
});

const RevokeApiKeyInput = builder.inputType("RevokeApiKeyInput", {
  description: "Which key to end.",
  fields: (t) => ({ id: t.id({ required: true, description: "The public part of the key." }) }),
});

const RotateApiKeyInput = builder.inputType("RotateApiKeyInput", {
  description: "Which key to replace.",
  fields: (t) => ({
    id: t.id({ required: true, description: "The public part of the key." }),
    overlapSeconds: t.int({
      defaultValue: 86_400,
      description: `How long the old key goes on, in seconds: 0 to ${MAX_OVERLAP_SECONDS}.`,
    }),
  }),
});

/** The tenant that a merchant is; of what is no merchant's id, one that there is not. */
const merchantTenant = (id: string) => toGlobalId(MERCHANT_PREFIX, fromGlobalId(MERCHANT_PREFIX, id) ?? "none");

builder.queryField("apiKeys", (t) =>
  t.field({
    type: ApiKeyConnection,
    authScopes: MANAGE_KEYS,
    description: "The keys of the asking key's own bank and mode, or of one of its merchants, newest first; ended ones too.",
    args: {
      ...pageArgs.both(),
      merchant: t.arg.id({ description: "A merchant of the own bank and mode: its keys. Of any other there are none." }),
    },
    resolve: (_root, { merchant, ...args }, { db, principal, keyring }) => {
      const { bankId, mode } = within(principal);
      const whose = merchant == null ? { tenantId: bankId } : { tenant: { id: merchantTenant(merchant), providerId: bankId } };
      const request = pageRequest(args);
      const cursors = cursorsOf(keyring, { list: "keys", tenantId: bankId, mode, merchant: whose.tenant?.id });
      const { where, ...page } = newestFirst(request, cursors, args);
      return {
        page: once(async () =>
          toPage(await db.apiKey.findMany({ where: { ...whose, mode, AND: where }, select: KEY_SELECT, ...page }), request),
        ),
        cursor: ({ createdAt, id }) => cursors.seal([createdAt.getTime(), id]),
        count: () => Promise.reject(new Error("keys are not counted")),
      };
    },
  }),
);

builder.mutationFields((t) => ({
  createApiKey: t.field({
    type: ApiKeyIssued,
    authScopes: MANAGE_KEYS,
    description: "Makes a key. The answer is the only place where it is ever shown whole.",
    args: { input: t.arg({ type: CreateApiKeyInput, required: true, description: "The key to be made." }) },
    errors: { types: [InvalidApiKey], union: { name: "CreateApiKeyResult", description: "The new key, or why there is none." } },
    resolve: (_root, { input }, context, info) =>
      write(context, originOf(context, info), (tx) => createKey(tx, context.principal, input, new Date())),
  }),
  revokeApiKey: t.field({
    type: ApiKeyType,
    authScopes: MANAGE_KEYS,
    description: "Ends a key. Every process refuses it within a second. Repeating it changes nothing.",
    args: { input: t.arg({ type: RevokeApiKeyInput, required: true, description: "Which key." }) },
    errors: {
      types: [ApiKeyNotFound],
      union: { name: "RevokeApiKeyResult", description: "The key as it is now, or why it was not revoked." },
    },
    resolve: (_root, { input }, context, info) =>
      write(context, originOf(context, info), (tx) => revokeKey(tx, context.principal, input.id, new Date())),
  }),
  rotateApiKey: t.field({
    type: ApiKeyIssued,
    authScopes: MANAGE_KEYS,
    description:
      "Makes a new key with the same grants, and lets the old one go on for an overlap. A key is rotated once. The asking key must be allowed to make " +
      "such a key: see `CreateApiKeyInput`.",
    args: { input: t.arg({ type: RotateApiKeyInput, required: true, description: "Which key, and for how long it goes on." }) },
    errors: {
      types: [ApiKeyNotFound, InvalidApiKey],
      union: { name: "RotateApiKeyResult", description: "The new key, or why there is none." },
    },
    resolve: (_root, { input }, context, info) =>
      write(context, originOf(context, info), (tx) =>
        rotateKey(tx, context.principal, input.id, input.overlapSeconds ?? 86_400, new Date()),
      ),
  }),
}));
