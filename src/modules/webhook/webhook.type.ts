import type { WebhookDelivery, WebhookEndpoint } from "../../database/generated/client.ts";
import type { WebhookDeliveryState, WebhookEventType } from "../../database/generated/enums.ts";
import { builder } from "../../graphql/builder.ts";
import { connectionType } from "../../graphql/connection.ts";
import { VisibilityEnum } from "../../graphql/enums.ts";
import { toGlobalId } from "../../graphql/global-id.ts";
import { messageId } from "./webhook.message.ts";

export const ENDPOINT_PREFIX = "whe";

export const WebhookEventTypeEnum = builder.enumType("WebhookEventType", {
  description: "What webhooks tell of. In messages it is written as `customer.created`.",
  values: {
    CUSTOMER_CREATED: { description: "A customer was registered." },
    CUSTOMER_UPDATED: { description: "Fields of a customer were set or cleared, at least one of them visible to the endpoint." },
    CUSTOMER_BLACKLISTED: { description: "A customer came on the blacklist, or its entry changed. EXTENDED." },
    CUSTOMER_UNBLACKLISTED: { description: "A customer came off the blacklist, or its entry ran out. EXTENDED." },
    CUSTOMER_ERASED: { description: "A customer's personal values were destroyed." },
    BATCH_COMPLETED: { description: "Every row of a batch has its outcome. EXTENDED." },
    TEST: { description: "Somebody asked for a test. It is sent whatever the endpoint asked for." },
  } satisfies Record<WebhookEventType, object>,
});

export const WebhookDeliveryStateEnum = builder.enumType("WebhookDeliveryState", {
  description: "Where a delivery stands.",
  values: {
    PENDING: { description: "It is to be sent, for the first time or again." },
    DELIVERED: { description: "The receiver took it: an answer from 200 to 299." },
    FAILED: { description: "Every try of a day failed. It can be sent again by `replayWebhooks`." },
  } satisfies Record<WebhookDeliveryState, object>,
});

export const WebhookEndpointType = builder.objectRef<WebhookEndpoint>("WebhookEndpoint").implement({
  description:
    "Where the bank is told what happens in the key's mode. docs/webhooks.md describes the messages and how to check their signatures.",
  fields: (t) => ({
    id: t.id({ description: "Its id, led by `whe_`.", resolve: ({ id }) => toGlobalId(ENDPOINT_PREFIX, id) }),
    url: t.exposeString("url", { description: "Where messages are posted." }),
    events: t.field({ type: [WebhookEventTypeEnum], description: "What it asked to be told of.", resolve: ({ events }) => events }),
    visibility: t.field({
      type: VisibilityEnum,
      description: "Which fields of a customer its messages show.",
      resolve: ({ visibility }) => visibility,
    }),
    enabled: t.exposeBoolean("enabled", {
      description: "Whether it is told anything. What happens while it is off is not kept for it; what was pending before waits.",
    }),
    disabledReason: t.exposeString("disabledReason", { nullable: true, description: "Why the gateway switched it off; null: it did not." }),
    oldSecretUntil: t.field({
      type: "DateTime",
      nullable: true,
      description: "Until when messages are signed by the secret before as well; null, or past: by one.",
      resolve: ({ oldSecretUntil }) => oldSecretUntil,
    }),
    failures: t.exposeInt("failures", { description: "How many tries have failed since the last that did not." }),
    createdAt: t.field({ type: "DateTime", description: "When it was made.", resolve: ({ createdAt }) => createdAt }),
  }),
});

export const WebhookEndpointConnection = connectionType("WebhookEndpoint", WebhookEndpointType);

export const WebhookDeliveryType = builder.objectRef<WebhookDelivery>("WebhookDelivery").implement({
  description: "One event for one endpoint. It holds no value of a customer: those are read when it is sent.",
  fields: (t) => ({
    id: t.id({
      description: "The message's id, led by `msg_`: its header `webhook-id`, however often it is sent.",
      resolve: ({ id }) => messageId(id),
    }),
    type: t.field({ type: WebhookEventTypeEnum, description: "What it tells of.", resolve: ({ type }) => type }),
    sequence: t.exposeInt("sequence", {
      description: "The how manieth it is for this endpoint about this customer or batch, from 1, without gaps.",
    }),
    state: t.field({ type: WebhookDeliveryStateEnum, description: "Where it stands.", resolve: ({ state }) => state }),
    attempts: t.exposeInt("attempts", { description: "How often it was tried." }),
    outcome: t.exposeString("outcome", {
      nullable: true,
      description: "What the last try came to: an HTTP status, or the kind of fault, e.g. `TIMEOUT`; null: not tried yet.",
    }),
    triedAt: t.field({ type: "DateTime", nullable: true, description: "When it was last tried.", resolve: ({ triedAt }) => triedAt }),
    dueAt: t.field({
      type: "DateTime",
      nullable: true,
      description: "When it is tried next, while its endpoint is switched on; null: not any more.",
      resolve: ({ state, dueAt }) => (state === "PENDING" ? dueAt : null),
    }),
  }),
});

export const WebhookDeliveryConnection = connectionType("WebhookDelivery", WebhookDeliveryType);

/** An endpoint with a secret that is shown this once. */
export interface IssuedEndpoint {
  readonly endpoint: WebhookEndpoint;
  readonly secret: string;
}

export const WebhookEndpointIssued = builder.objectRef<IssuedEndpoint>("WebhookEndpointIssued").implement({
  description: "An endpoint, and its new secret. The secret is shown only here.",
  fields: (t) => ({
    endpoint: t.field({ type: WebhookEndpointType, description: "The endpoint.", resolve: ({ endpoint }) => endpoint }),
    secret: t.exposeString("secret", { description: "The secret that signs its messages, led by `whsec_`." }),
  }),
});
