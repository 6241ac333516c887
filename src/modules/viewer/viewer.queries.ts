import type { Principal } from "../../access/principal.ts";
import type { Charge } from "../../limits/charge.ts";
import type { Standing } from "../../limits/quota.ts";
import { merchantOwner, providerOwner } from "../../access/trust.ts";
import { builder } from "../../graphql/builder.ts";
import { AudienceEnum, ModeEnum, TenantKindEnum, VisibilityEnum } from "../../graphql/enums.ts";
import { TrustLevelEnum } from "../../graphql/trust-level.ts";

const LookupLimit = builder.objectRef<Standing>("LookupLimit").implement({
  description: "How many look-ups of one kind are left.",
  fields: (t) => ({
    limit: t.exposeInt("limit", { description: "How many there are in an hour of the clock." }),
    remaining: t.exposeInt("remaining", { description: "How many are left of them." }),
    reset: t.field({ type: "DateTime", description: "When the hour ends.", resolve: ({ reset }) => new Date(reset * 1000) }),
  }),
});

/** What is left to a merchant is told to it, and what is left to all of a provider's to the provider. */
async function discoveriesLeft(charge: Charge, principal: Principal): Promise<Standing | null> {
  const { tenantId, tenantKind, trustLevel } = principal;
  if (trustLevel) return charge.discoveriesNow(merchantOwner(tenantId, trustLevel));
  return tenantKind === "PROVIDER" ? charge.providerDiscoveriesNow(providerOwner(principal)) : null;
}

const ViewerLimits = builder.objectRef<Charge>("ViewerLimits").implement({
  description: "What the key may still ask for. Refused is what comes to more: RATE_LIMITED, with Retry-After.",
  fields: (t) => ({
    limit: t.int({ description: "How many points the key may spend in a minute of the clock.", resolve: ({ points }) => points.limit }),
    remaining: t.int({ description: "How many are left of them, this request paid for.", resolve: ({ points }) => points.remaining }),
    reset: t.field({ type: "DateTime", description: "When the minute ends.", resolve: ({ points }) => new Date(points.reset * 1000) }),
    costLimit: t.exposeInt("costLimit", { description: "How many points one request may cost. More is COST_LIMIT_EXCEEDED." }),
    lookups: t.field({
      type: LookupLimit,
      description: "How many customers the key may still look up by a value that it knows already: e-mail, reference or clientRef.",
      resolve: (charge) => charge.lookupsNow(),
    }),
    discoveries: t.field({
      type: LookupLimit,
      nullable: true,
      description:
        "How often `customerBanks` and `deviceLookup` may still be asked, by whichever key: for the key's own merchant, or for all merchants of a " +
        "provider together. Null: the key is a bank's or the operator's.",
      resolve: (charge, _args, { principal }) => discoveriesLeft(charge, principal),
    }),
  }),
});

const Viewer = builder.objectRef<Principal>("Viewer").implement({
  description: "Who is calling: the key and what it may do.",
  fields: (t) => ({
    keyId: t.exposeID("keyId", { description: "The public id of the key." }),
    bankId: t.id({
      nullable: true,
      description: "The bank, the provider or the merchant that the key belongs to; null for the operator's.",
      resolve: ({ tenantKind, tenantId }) => (tenantKind === "OPERATOR" ? null : tenantId),
    }),
    tenantKind: t.field({
      type: TenantKindEnum,
      description: "What kind of tenant the key belongs to.",
      resolve: ({ tenantKind }) => tenantKind,
    }),
    trustLevel: t.field({
      type: TrustLevelEnum,
      nullable: true,
      description: "What the merchant is trusted with that the key belongs to, a second late at most; null: the key is no merchant's.",
      resolve: ({ trustLevel }) => trustLevel,
    }),
    mode: t.field({ type: ModeEnum, description: "The set of data that the key works on.", resolve: ({ mode }) => mode }),
    audience: t.field({ type: AudienceEnum, description: "Whom the key was made for.", resolve: ({ audience }) => audience }),
    scopes: t.stringList({
      description: "All scopes that the key has, with those they imply, sorted.",
      resolve: ({ scopes }) => [...scopes].sort(),
    }),
    visibility: t.field({
      type: VisibilityEnum,
      nullable: true,
      description: "Which fields of customers this request may see, X-Visibility taken into account; null: no customer at all.",
      resolve: ({ visibility }) => visibility,
    }),
    limits: t.field({
      type: ViewerLimits,
      description: "What the key may still ask for.",
      resolve: (_principal, _args, { charge }) => charge,
    }),
  }),
});

builder.queryField("viewer", (t) =>
  t.field({
    type: Viewer,
    description: "Who is calling.",
    resolve: (_root, _args, { principal }) => principal,
  }),
);
