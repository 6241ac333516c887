import { within } from "../../access/principal.ts";
import type { Services } from "../../context.ts";
import type { WebhookDelivery, WebhookEndpoint } from "../../database/generated/client.ts";
import type { Job } from "../../jobs/schedule.ts";
import { magicOutcome } from "../../sandbox/magic.ts";
import { messageBody, messageId, type Read } from "./webhook.message.ts";
import { dueEndpoints, type EndpointPlace, keepInHand, LEASE_MS, settle, takeDue } from "./webhook.outbox.ts";
import { secretsOf } from "./webhook.secret.ts";
import { type Attempt, attemptOf, type Send } from "./webhook.send.ts";
import { signatureHeaders } from "./webhook.signature.ts";

/** The queue of endpoints that have something to be sent. */
export const WEBHOOK_QUEUE = "webhooks";

/** How many endpoints a process serves at once: so many that hang delay no other. */
export const ENDPOINTS_AT_ONCE = 20;

/** How long an endpoint is served before the next one's turn, in milliseconds. */
const TURN_MS = 5_000;

/** What sending takes besides the process's services. */
export interface Dispatch {
  readonly read: Read;
  readonly send: Send;
  /** In seconds; see WAITS. For tests. */
  readonly waits?: readonly number[];
}

/**
 * Once a second, hands over every endpoint that has something due. What was written with a change is the truth, and the queue
 * only says who goes next: what a process that ends leaves behind, another finds here.
 */
export function resumeWebhooks({ db, queue }: Pick<Services, "db" | "queue">): Job {
  return {
    name: "resume-webhooks",
    everyMs: 1_000,
    async run() {
      const due = await dueEndpoints(db);
      if (due.length > 0)
        await queue.send(
          WEBHOOK_QUEUE,
          due.map((place) => ({ key: place.id, data: place })),
        );
    },
  };
}

/** Sends what is due to an endpoint. */
export function webhookWorker(services: Pick<Services, "db" | "keyring" | "log">, dispatch: Dispatch) {
  const { db } = services;
  return async (place: EndpointPlace, signal: AbortSignal): Promise<void> => {
    const end = performance.now() + TURN_MS;
    while (!signal.aborted && performance.now() < end) {
      const deliveries = await takeDue(db, place);
      const endpoint = deliveries.length > 0 ? await db.webhookEndpoint.findFirst({ where: { ...placeOf(place), id: place.id } }) : null;
      if (!endpoint) return;
      const ids = deliveries.map(({ id }) => id);
      const hold = setInterval(() => keepInHand(db, place, ids).catch(() => {}), LEASE_MS / 3);
      try {
        await Promise.all(deliveries.map((delivery) => deliver(services, dispatch, endpoint, delivery)));
      } finally {
        clearInterval(hold);
      }
    }
  };
}

const placeOf = ({ bankId, mode }: EndpointPlace) => within({ tenantId: bankId, mode });

async function deliver(
  { db, keyring, log }: Pick<Services, "db" | "keyring" | "log">,
  { read, send, waits }: Dispatch,
  endpoint: WebhookEndpoint,
  delivery: WebhookDelivery,
): Promise<void> {
  let attempt: Attempt;
  try {
    const message = { id: messageId(delivery.id), at: new Date(), body: await messageBody(db, read, endpoint, delivery) };
    const headers = signatureHeaders(message, secretsOf(keyring, endpoint, message.at));
    const outcome = magicOutcome(endpoint, delivery.attempts);
    attempt = outcome ? attemptOf(outcome) : await send(endpoint.url, message.body, headers);
  } catch (error) {
    // The gateway's own: the receiver was not asked, and will be.
    log.error({ delivery: delivery.id, fault: (error as Error).name }, "a webhook could not be made");
    attempt = { outcome: "GATEWAY_FAULT", delivered: false, gone: false };
  }
  await settle(db, delivery, attempt, waits);
}
