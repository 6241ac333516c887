import { originOf, write } from "../../changes/write.ts";
import { builder } from "../../graphql/builder.ts";
import { VisibilityEnum } from "../../graphql/enums.ts";
import { toGlobalId } from "../../graphql/global-id.ts";
import { InvalidWebhookEndpoint, WebhookEndpointNotFound } from "./webhook.errors.ts";
import { MANAGE_WEBHOOKS } from "./webhook.queries.ts";
import { ENDPOINT_PREFIX, WebhookDeliveryType, WebhookEndpointIssued, WebhookEndpointType, WebhookEventTypeEnum } from "./webhook.type.ts";
import {
  createEndpoint,
  deleteEndpoint,
  MAX_OVERLAP_SECONDS,
  replayDeliveries,
  rotateSecret,
  sendTest,
  updateEndpoint,
} from "./webhook.write.ts";

const URL_FIELD = "An https:// URL with a public address. Redirects are not followed. docs/sandbox.md has some that fail, for the sandbox.";
const EVENTS_FIELD = "What to be told of: one at least.";
const VISIBILITY_FIELD = "Which fields of a customer its messages show: no more than the asking key may see.";
const ENDPOINT_ID = "The endpoint's id.";

const CreateWebhookEndpointInput = builder.inputType("CreateWebhookEndpointInput", {
  description: "An endpoint to be made.",
  fields: (t) => ({
    url: t.string({ required: true, description: URL_FIELD }),
    events: t.field({ type: [WebhookEventTypeEnum], required: true, description: EVENTS_FIELD }),
    visibility: t.field({ type: VisibilityEnum, required: true, description: VISIBILITY_FIELD }),
  }),
});

const UpdateWebhookEndpointInput = builder.inputType("UpdateWebhookEndpointInput", {
  description: "Which endpoint, and what to set; what is left out stays.",
  fields: (t) => ({
    id: t.id({ required: true, description: ENDPOINT_ID }),
    url: t.string({ description: URL_FIELD }),
    events: t.field({ type: [WebhookEventTypeEnum], description: EVENTS_FIELD }),
    visibility: t.field({ type: VisibilityEnum, description: VISIBILITY_FIELD }),
    enabled: t.boolean({ description: "Whether it is told anything. True starts one anew that the gateway switched off." }),
  }),
});

const DeleteWebhookEndpointInput = builder.inputType("DeleteWebhookEndpointInput", {
  description: "Which endpoint to end.",
  fields: (t) => ({ id: t.id({ required: true, description: ENDPOINT_ID }) }),
});

const RotateWebhookSecretInput = builder.inputType("RotateWebhookSecretInput", {
  description: "Which endpoint's secret to replace.",
  fields: (t) => ({
    id: t.id({ required: true, description: ENDPOINT_ID }),
    overlapSeconds: t.int({
      defaultValue: 86_400,
      description: `How long the secret before signs as well, in seconds: 0 to ${MAX_OVERLAP_SECONDS}.`,
    }),
  }),
});

const ReplayWebhooksInput = builder.inputType("ReplayWebhooksInput", {
  description: "Which deliveries to send again: those with the ids, or those of events from a time on.",
  fields: (t) => ({
    endpointId: t.id({ required: true, description: ENDPOINT_ID }),
    ids: t.idList({ description: "Ids of messages. Those that are not this endpoint's, or are still pending, are left out." }),
    from: t.field({ type: "DateTime", description: "From when on, by the time of the event." }),
    to: t.field({ type: "DateTime", description: "Until when, exclusively. Left out: until now." }),
  }),
});

const SendWebhookTestInput = builder.inputType("SendWebhookTestInput", {
  description: "Which endpoint to test.",
  fields: (t) => ({ id: t.id({ required: true, description: ENDPOINT_ID }) }),
});

const WebhookEndpointDeleted = builder.objectRef<{ id: string }>("WebhookEndpointDeleted").implement({
  description: "An endpoint that is no more, nor are its deliveries.",
  fields: (t) => ({ id: t.id({ description: "The id that it had.", resolve: ({ id }) => toGlobalId(ENDPOINT_PREFIX, id) }) }),
});

const WebhooksReplayed = builder.objectRef<{ count: number }>("WebhooksReplayed").implement({
  description: "Deliveries that are sent again.",
  fields: (t) => ({ count: t.exposeInt("count", { description: "How many." }) }),
});

const FAILURES = [WebhookEndpointNotFound, InvalidWebhookEndpoint];

builder.mutationFields((t) => ({
  createWebhookEndpoint: t.field({
    type: WebhookEndpointIssued,
    authScopes: MANAGE_WEBHOOKS,
    description: "Makes an endpoint. The answer is the only place where its secret is shown.",
    args: { input: t.arg({ type: CreateWebhookEndpointInput, required: true, description: "The endpoint." }) },
    errors: {
      types: [InvalidWebhookEndpoint],
      union: { name: "CreateWebhookEndpointResult", description: "The endpoint, or why there is none." },
    },
    resolve: (_root, { input }, context, info) =>
      write(context, originOf(context, info), (tx) =>
        createEndpoint(tx, context.keyring, context.principal, input, context.webhookRules, new Date()),
      ),
  }),
  updateWebhookEndpoint: t.field({
    type: WebhookEndpointType,
    authScopes: MANAGE_WEBHOOKS,
    description: "Changes an endpoint. Only a key that may see what the endpoint shows may change it.",
    args: { input: t.arg({ type: UpdateWebhookEndpointInput, required: true, description: "Which endpoint, and what to set." }) },
    errors: {
      types: FAILURES,
      union: { name: "UpdateWebhookEndpointResult", description: "The endpoint as it is now, or why it was not changed." },
    },
    resolve: (_root, { input }, context, info) =>
      write(context, originOf(context, info), (tx) => updateEndpoint(tx, context.principal, input, context.webhookRules)),
  }),
  deleteWebhookEndpoint: t.field({
    type: WebhookEndpointDeleted,
    authScopes: MANAGE_WEBHOOKS,
    description: "Ends an endpoint, and what it was still to be told.",
    args: { input: t.arg({ type: DeleteWebhookEndpointInput, required: true, description: "Which endpoint." }) },
    errors: { types: FAILURES, union: { name: "DeleteWebhookEndpointResult", description: "Its id, or why it is still there." } },
    resolve: (_root, { input }, context, info) =>
      write(context, originOf(context, info), async (tx) => ({ id: await deleteEndpoint(tx, context.principal, input.id) })),
  }),
  rotateWebhookSecret: t.field({
    type: WebhookEndpointIssued,
    authScopes: MANAGE_WEBHOOKS,
    description: "Makes a new secret; for an overlap the one before signs as well.",
    args: { input: t.arg({ type: RotateWebhookSecretInput, required: true, description: "Which endpoint, and for how long." }) },
    errors: { types: FAILURES, union: { name: "RotateWebhookSecretResult", description: "The new secret, or why there is none." } },
    resolve: (_root, { input: { id, overlapSeconds } }, context, info) =>
      write(context, originOf(context, info), (tx) =>
        rotateSecret(tx, context.keyring, context.principal, { id, overlapSeconds: overlapSeconds ?? 86_400 }, new Date()),
      ),
  }),
  replayWebhooks: t.field({
    type: WebhooksReplayed,
    authScopes: MANAGE_WEBHOOKS,
    description: "Has deliveries sent again that were delivered or have failed, under the same ids and sequences.",
    args: { input: t.arg({ type: ReplayWebhooksInput, required: true, description: "Which deliveries." }) },
    errors: { types: FAILURES, union: { name: "ReplayWebhooksResult", description: "How many, or why none." } },
    resolve: (_root, { input }, context, info) =>
      write(context, originOf(context, info), async (tx) => ({ count: await replayDeliveries(tx, context.principal, input) })),
  }),
  sendWebhookTest: t.field({
    type: WebhookDeliveryType,
    authScopes: MANAGE_WEBHOOKS,
    description: "Has a message of type `test` sent, signed as all are.",
    args: { input: t.arg({ type: SendWebhookTestInput, required: true, description: "Which endpoint." }) },
    errors: { types: FAILURES, union: { name: "SendWebhookTestResult", description: "The delivery, or why there is none." } },
    resolve: (_root, { input }, context, info) =>
      write(context, originOf(context, info), (tx) => sendTest(tx, context.principal, input.id, new Date())),
  }),
}));
