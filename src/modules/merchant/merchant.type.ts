import type { Merchant } from "../../database/generated/client.ts";
import { builder } from "../../graphql/builder.ts";
import { connectionType, pageArgs } from "../../graphql/connection.ts";
import { TrustLevelEnum } from "../../graphql/trust-level.ts";
import { MERCHANT_PREFIX, toGlobalId } from "../../graphql/global-id.ts";
import { nodeInterface } from "../../graphql/node.ts";
import { MerchantEventConnection, merchantHistory } from "./merchant.history.ts";

/** Who may do anything with merchants. The scope alone decides, whatever the key's tenant is. */
export const MANAGE_MERCHANTS = { scope: "merchants:write" } as const;

export const MerchantType = builder.objectRef<Merchant>("Merchant").implement({
  description: "A merchant of a provider: of the key's tenant, in its mode. Read with `merchants:write`.",
  interfaces: [nodeInterface],
  fields: (t) => ({
    id: t.id({ description: "`mer_` and a UUID.", resolve: ({ id }) => toGlobalId(MERCHANT_PREFIX, id) }),
    name: t.exposeString("name", { description: "The name that it does business under, at most 200 characters." }),
    email: t.expose("email", { type: "EmailAddress", description: "Unique within the tenant and mode; lower case, its domain in ASCII." }),
    country: t.expose("country", { type: "CountryCode", description: "ISO 3166-1 alpha-2." }),
    phone: t.exposeString("phone", { nullable: true, description: "E.164, e.g. `+2348012345678`." }),
    address: t.exposeString("address", { nullable: true, description: "Postal address, at most 500 characters." }),
    state: t.exposeString("state", { nullable: true, description: "State or region, at most 100 characters." }),
    website: t.expose("website", { type: "URL", nullable: true, description: "An http or https address." }),
    clientRef: t.exposeString("clientRef", { description: "The provider's own reference, unique within the tenant and mode." }),
    reference: t.exposeString("reference", { description: "The provider's own internal reference, unique within the tenant and mode." }),
    trustLevel: t.expose("trustLevel", { type: TrustLevelEnum, description: "What it is trusted with." }),
    version: t.exposeInt("version", { description: "Grows by one with every write; for `expectedVersion`." }),
    createdAt: t.expose("createdAt", { type: "DateTime", description: "When it was registered." }),
    updatedAt: t.expose("updatedAt", { type: "DateTime", description: "When it was last written." }),
    history: t.field({
      type: MerchantEventConnection,
      description: "Who registered it and who changed its trust level, and when; newest first.",
      args: pageArgs.forward(),
      resolve: merchantHistory,
    }),
  }),
});

export const MerchantConnection = connectionType("Merchant", MerchantType, { counted: true });
