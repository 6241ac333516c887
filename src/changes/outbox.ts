import { within } from "../access/principal.ts";
import { CUSTOMER_FIELD_NAMES, CUSTOMER_FIELDS, reaches, VISIBILITIES } from "../access/visibility.ts";
import type { Transaction } from "../database/client.ts";
import { Prisma } from "../database/generated/client.ts";
import type { CustomerEventType, Visibility, WebhookEventType } from "../database/generated/enums.ts";
import type { Actor } from "./record-change.ts";

/** What webhooks call a change of a customer. */
const EVENTS: Record<CustomerEventType, WebhookEventType> = {
  CREATED: "CUSTOMER_CREATED",
  UPDATED: "CUSTOMER_UPDATED",
  BLACKLISTED: "CUSTOMER_BLACKLISTED",
  UNBLACKLISTED: "CUSTOMER_UNBLACKLISTED",
  BLACKLIST_EXPIRED: "CUSTOMER_UNBLACKLISTED",
  ERASED: "CUSTOMER_ERASED",
  DEVICE_LINKED: "CUSTOMER_UPDATED",
  DEVICE_UNLINKED: "CUSTOMER_UPDATED",
  CONSENT_GIVEN: "CUSTOMER_UPDATED",
  CONSENT_WITHDRAWN: "CUSTOMER_UPDATED",
};

/** The least that an endpoint must be shown to be told of an event: what the event tells by itself. Source: contract §2. */
export const TIER_OF_EVENT: Record<WebhookEventType, Visibility> = {
  CUSTOMER_CREATED: "STANDARD",
  CUSTOMER_UPDATED: "STANDARD",
  CUSTOMER_BLACKLISTED: CUSTOMER_FIELDS.blacklisted.tier,
  CUSTOMER_UNBLACKLISTED: CUSTOMER_FIELDS.blacklisted.tier,
  CUSTOMER_ERASED: "STANDARD",
  BATCH_COMPLETED: "EXTENDED",
  TEST: "STANDARD",
};

/** The fields that each visibility shows, for SQL. */
const SHOWN = JSON.stringify(
  Object.fromEntries(VISIBILITIES.map((tier) => [tier, CUSTOMER_FIELD_NAMES.filter((name) => reaches(tier, CUSTOMER_FIELDS[name].tier))])),
);

/**
 * Goes on from `WITH change AS (INSERT INTO customer_event … RETURNING *)`: a delivery for each endpoint that asked for
 * such an event, in the same statement as the change itself. An update of what an endpoint is not shown is not told to it.
 * A subject's sequence has no gaps: whoever writes holds the customer, so nobody else counts at the same time.
 */
export const INSERT_DELIVERIES = Prisma.sql`
  INSERT INTO webhook_delivery (bank_id, mode, endpoint_id, id, type, subject_id, sequence, version, created_at, due_at)
  SELECT e.bank_id, e.mode, e.id, gen_random_uuid(), t.event, c.customer_id,
    coalesce((SELECT max(d.sequence) FROM webhook_delivery d
      WHERE d.bank_id = e.bank_id AND d.mode = e.mode AND d.endpoint_id = e.id AND d.subject_id = c.customer_id), 0)
      + row_number() OVER (PARTITION BY e.id, c.customer_id ORDER BY c.version),
    c.version, c.at, now()
  FROM change c
    CROSS JOIN LATERAL (SELECT (${JSON.stringify(EVENTS)}::jsonb ->> c.type::text)::webhook_event_type AS event) t
    JOIN webhook_endpoint e ON e.bank_id = c.bank_id AND e.mode = c.mode AND e.enabled AND t.event = ANY (e.events)
  WHERE t.event <> 'CUSTOMER_UPDATED' OR (${SHOWN}::jsonb -> e.visibility::text) ?| c.changed`;

/** Tells the endpoints that asked for it that a batch is done, in the transaction that ends it. */
export async function announceBatch(tx: Transaction, actor: Actor, id: string, at: Date): Promise<void> {
  const { bankId, mode } = within(actor);
  await tx.$executeRaw`
    INSERT INTO webhook_delivery (bank_id, mode, endpoint_id, id, type, subject_id, sequence, created_at, due_at)
    SELECT bank_id, mode, id, gen_random_uuid(), 'BATCH_COMPLETED', ${id}::uuid, 1, ${at}::timestamptz, now()
    FROM webhook_endpoint WHERE bank_id = ${bankId}::text AND mode = ${mode}::mode AND enabled AND 'BATCH_COMPLETED' = ANY (events)`;
}
