import { setTimeout as sleep } from "node:timers/promises";
import { within } from "../../access/principal.ts";
import type { Context } from "../../context.ts";
import { builder } from "../../graphql/builder.ts";
import { gatewayError } from "../../graphql/errors.ts";
import { fromGlobalId, toGlobalId } from "../../graphql/global-id.ts";
import { BatchStatusEnum } from "./batch.enums.ts";
import type { BatchRow } from "./batch.store.ts";
import { CUSTOMER_BATCHES } from "../customer/customer.batch.type.ts";
import { BATCH_COLUMNS, BatchSummary } from "./batch.type.ts";

/** How often a batch is looked at, and how long one stream lasts at most. */
const LOOK_EVERY_MS = 500;
const LIFETIME_MS = 60 * 60 * 1000;
/** What each look after the first costs: as much as to ask for the batch. */
const LOOK_POINTS = 1;

const BatchProgress = builder.objectRef<BatchRow>("BatchProgress").implement({
  description: "How far a batch is. What became of its rows is read with `batch`.",
  fields: (t) => ({
    batchId: t.id({ description: "The batch: `bat_` and a UUID.", resolve: ({ id }) => toGlobalId(CUSTOMER_BATCHES.prefix, id) }),
    status: t.field({ type: BatchStatusEnum, description: "How far it is.", resolve: ({ status }) => status! }),
    summary: t.field({ type: BatchSummary, description: "What became of the rows so far.", resolve: (batch) => batch as never }),
    completedAt: t.field({
      type: "DateTime",
      nullable: true,
      description: "When its last row was decided; null while rows are pending.",
      resolve: ({ completedAt }) => completedAt ?? null,
    }),
  }),
});

builder.subscriptionField("batchProgress", (t) =>
  t.field({
    type: BatchProgress,
    nullable: true,
    authScopes: CUSTOMER_BATCHES.requires,
    description:
      "Follows a batch of customers by server-sent events: where it stands at once, then each change, at most two a second, until it is completed. " +
      "Each look, two a second, costs the key a point. A single null when there is no such batch here. A stream ends after an hour, with UNAUTHENTICATED when its key ends, with RATE_LIMITED when " +
      "its key has no points left, and when the gateway stops; to go on, ask again.",
    args: { id: t.arg.id({ required: true, description: "The batch's id." }) },
    subscribe: (_root, { id }, context) => follow(id, context),
    resolve: (batch) => batch,
  }),
);

async function* follow(id: string, context: Context): AsyncGenerator<BatchRow | null> {
  const uuid = fromGlobalId(CUSTOMER_BATCHES.prefix, id);
  const here = { ...within(context.principal), kind: CUSTOMER_BATCHES.name };
  const end = Date.now() + LIFETIME_MS;
  const over = AbortSignal.any([context.stopping, context.gone()]);
  let told: string | undefined;
  while (!over.aborted && Date.now() < end) {
    const batch = uuid && (await context.db.batch.findFirst({ where: { ...here, id: uuid }, select: BATCH_COLUMNS }));
    if (!batch) return yield null;
    const state = JSON.stringify(batch);
    if (state !== told) yield batch;
    if (batch.status !== "PROCESSING") return;
    told = state;
    await sleep(LOOK_EVERY_MS, undefined, { signal: over }).catch(() => {});
    if (!(await context.isStillValid())) throw gatewayError("UNAUTHENTICATED", "The key has ended.");
    await context.charge.payOn(LOOK_POINTS);
  }
}
