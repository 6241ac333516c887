import { within } from "../../access/principal.ts";
import { CUSTOMER_FIELD_NAMES, type CustomerFieldName } from "../../access/visibility.ts";
import type { Context } from "../../context.ts";
import { readRows } from "../../database/read-rows.ts";
import type { BlacklistReason, CustomerEventType, CustomerLifecycle } from "../../database/generated/enums.ts";
import { builder } from "../../graphql/builder.ts";
import { type Connection, connectionType } from "../../graphql/connection.ts";
import { BlacklistReasonEnum, CustomerEventTypeEnum, CustomerFieldEnum, CustomerLifecycleEnum } from "../../graphql/enums.ts";
import { createHistoryLoader, type HistoryKey, historyOf } from "../../graphql/history.ts";
import type { PageArgs } from "../../graphql/pagination.ts";
import type { CustomerRow } from "./customer.loader.ts";

interface CustomerEvent {
  readonly version: number;
  readonly type: Exclude<CustomerEventType, "ERASED">;
  readonly actor: string;
  readonly changed: CustomerFieldName[];
  readonly lifecycle: CustomerLifecycle | null;
  readonly reason: BlacklistReason | null;
  readonly expiresAt: Date | null;
  readonly at: Date;
}

const CustomerEventType_ = builder.objectRef<CustomerEvent>("CustomerEvent").implement({
  description: "Something that happened to a customer: who did what and when. It holds no personal value.",
  fields: (t) => ({
    version: t.exposeInt("version", { description: "The version of the customer that this made." }),
    type: t.field({ type: CustomerEventTypeEnum, description: "What happened.", resolve: ({ type }) => type }),
    actor: t.exposeString("actor", { description: "The id of the key that did it; `gateway` for the gateway's own jobs." }),
    at: t.field({ type: "DateTime", description: "When.", resolve: ({ at }) => at }),
    changedFields: t.field({
      type: [CustomerFieldEnum],
      description: "The fields that were set or cleared. Empty for CREATED.",
      // In schema order, as redactedFields is, whatever order the write named them in.
      resolve: ({ changed }) => CUSTOMER_FIELD_NAMES.filter((name) => changed.includes(name)),
    }),
    lifecycle: t.field({
      type: CustomerLifecycleEnum,
      nullable: true,
      description: "What the customer had come to by it; null for what happened before the gateway recorded it.",
      resolve: ({ lifecycle }) => lifecycle,
    }),
    reason: t.field({
      type: BlacklistReasonEnum,
      nullable: true,
      description: "Why; for the blacklist only.",
      resolve: ({ reason }) => reason,
    }),
    expiresAt: t.field({
      type: "DateTime",
      nullable: true,
      description: "Until when; for BLACKLISTED only.",
      resolve: ({ expiresAt }) => expiresAt,
    }),
  }),
});

export const CustomerEventConnection = connectionType("CustomerEvent", CustomerEventType_);

/** The history of one customer, newest first. */
export function customerHistory({ id }: CustomerRow, context: Context, args: PageArgs): Connection<CustomerEvent> {
  return historyOf(historyLoader, "history", id, args, context);
}

/** Histories by customer and page; of all customers of a list they are one statement. */
export const historyLoader = createHistoryLoader(loadHistories);

/** Of each that is wanted, in their order, newest first: its place, and what an event is made of. */
const HISTORIES = `
  SELECT wanted.place, event.*
  FROM jsonb_to_recordset($1::jsonb) AS wanted(place int, customer_id uuid, below int, take int)
  CROSS JOIN LATERAL (
    SELECT version, type, actor, changed, lifecycle, reason, expires_at, at
    FROM customer_event
    WHERE bank_id = $2::text AND mode = $3::mode
      AND customer_id = wanted.customer_id AND version < wanted.below
    ORDER BY version DESC
    LIMIT wanted.take
  ) AS event
  ORDER BY wanted.place, event.version DESC`;

async function loadHistories(context: Context, keys: readonly HistoryKey[]): Promise<CustomerEvent[][]> {
  const { bankId, mode } = within(context.principal);
  const wanted = keys.map(({ of, below, take }, place) => ({ place, customer_id: of, below, take }));
  const histories = keys.map((): CustomerEvent[] => []);
  for (const [place, ...event] of await readRows(context.db, { text: HISTORIES, values: [JSON.stringify(wanted), bankId, mode] })) {
    const [version, type, actor, changed, lifecycle, reason, expiresAt, at] = event;
    histories[place as number]!.push({ version, type, actor, changed, lifecycle, reason, expiresAt, at } as CustomerEvent);
  }
  return histories;
}
