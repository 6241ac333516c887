import { within } from "../../access/principal.ts";
import { builder } from "../../graphql/builder.ts";
import { once, pageArgs } from "../../graphql/connection.ts";
import { cursorsOf } from "../../graphql/cursor.ts";
import { fromGlobalId } from "../../graphql/global-id.ts";
import { newestFirst } from "../../graphql/keyset.ts";
import { pageRequest, toPage } from "../../graphql/pagination.ts";
import { ENDPOINT_PREFIX, WebhookDeliveryConnection, WebhookDeliveryStateEnum, WebhookEndpointConnection } from "./webhook.type.ts";

export const MANAGE_WEBHOOKS = { scope: "webhooks:manage" } as const;

const notCounted = () => Promise.reject(new Error("these are not counted"));

builder.queryFields((t) => ({
  webhookEndpoints: t.field({
    type: WebhookEndpointConnection,
    authScopes: MANAGE_WEBHOOKS,
    description: "The bank's webhook endpoints in the key's mode, newest first.",
    args: pageArgs.both(),
    resolve: (_root, args, { db, principal, keyring }) => {
      const { bankId: tenantId, mode } = within(principal);
      const request = pageRequest(args);
      const cursors = cursorsOf(keyring, { list: "webhookEndpoints", tenantId, mode });
      const { where, ...page } = newestFirst(request, cursors, args);
      return {
        page: once(async () =>
          toPage(await db.webhookEndpoint.findMany({ where: { ...within(principal), AND: where }, ...page }), request),
        ),
        cursor: ({ createdAt, id }) => cursors.seal([createdAt.getTime(), id]),
        count: notCounted,
      };
    },
  }),
  webhookDeliveries: t.field({
    type: WebhookDeliveryConnection,
    authScopes: MANAGE_WEBHOOKS,
    description: "What an endpoint was told, or is to be told, newest first; for 30 days.",
    args: {
      endpointId: t.arg.id({ required: true, description: "The endpoint. One that the bank does not have has no deliveries." }),
      states: t.arg({ type: [WebhookDeliveryStateEnum], description: "Only in these states. Left out: in any." }),
      ...pageArgs.both(),
    },
    resolve: (_root, { endpointId, states, ...args }, { db, principal, keyring }) => {
      const { bankId: tenantId, mode } = within(principal);
      const request = pageRequest(args);
      const cursors = cursorsOf(keyring, { list: "webhookDeliveries", tenantId, mode, endpointId, states });
      const { where, ...page } = newestFirst(request, cursors, args);
      const id = fromGlobalId(ENDPOINT_PREFIX, endpointId);
      const condition = {
        ...within(principal),
        endpointId: id ?? { in: [] as string[] },
        ...(states && { state: { in: [...states] } }),
        AND: where,
      };
      return {
        page: once(async () => toPage(await db.webhookDelivery.findMany({ where: condition, ...page }), request)),
        cursor: ({ createdAt, id: rowId }) => cursors.seal([createdAt.getTime(), rowId]),
        count: notCounted,
      };
    },
  }),
}));
