import type { Context } from "../../context.ts";
import { builder } from "../../graphql/builder.ts";
import { CUSTOMER_BATCHES } from "../customer/customer.batch.type.ts";
import { HOURLY_DAYS, MOST_DAYS, MS, spanOf } from "./batch.report.span.ts";
import { type BatchSums, countFailures, type Span, sumBatches, sumFailedRequests } from "./batch.report.store.ts";
import { type Figures, MigrationIntervalEnum, MigrationReport, type Report } from "./batch.report.type.ts";

builder.queryField("migrationReport", (t) =>
  t.field({
    type: MigrationReport,
    authScopes: CUSTOMER_BATCHES.requires,
    description:
      "How the batches of customers went that the key's bank sent in its mode in from ≤ t < to: success rate, processing time, data " +
      "quality and error rate against their targets, over time, by failure code and by field.",
    args: {
      from: t.arg({ type: "DateTime", required: true, description: "The first moment in it." }),
      to: t.arg({
        type: "DateTime",
        required: true,
        description: `The first moment after it: later than \`from\`, or BAD_USER_INPUT, and at most ${MOST_DAYS.DAY} days.`,
      }),
      interval: t.arg({
        type: MigrationIntervalEnum,
        description: `How long a step is. Default: HOUR up to ${HOURLY_DAYS} days, DAY beyond. HOUR goes up to ${MOST_DAYS.HOUR} days.`,
      }),
    },
    resolve: (_root, { from, to, interval }, context) => report(context, spanOf(from, to, interval)),
  }),
);

const NOTHING: BatchSums = {
  batches: 0,
  total: 0,
  successful: 0,
  failed: 0,
  duplicates: 0,
  invalidData: 0,
  pending: 0,
  rolledBack: 0,
  ended: 0,
  mean: null,
  p95: null,
  longest: null,
  taken: 0,
};

async function report(context: Context, span: Span): Promise<Report> {
  const [sums, requests, failures] = await Promise.all([
    sumBatches(context, span),
    sumFailedRequests(context, span),
    countFailures(context, span),
  ]);
  const sumsAt = new Map(sums.map((line) => [line.start?.getTime(), line]));
  const failedAt = new Map(requests.map(({ start, failed }) => [start?.getTime(), failed]));
  const figuresAt = (start: number | undefined): Figures => ({
    ...(sumsAt.get(start) ?? NOTHING),
    failedRequests: failedAt.get(start) ?? 0,
  });
  const [first, end, step] = [span.from.getTime(), span.to.getTime(), MS[span.interval]];
  const start = Math.floor(first / step) * step;
  const series = Array.from({ length: Math.ceil((end - start) / step) }, (_, index) => {
    const at = start + index * step;
    return { from: new Date(Math.max(at, first)), to: new Date(Math.min(at + step, end)), figures: figuresAt(at) };
  });
  return { ...span, figures: figuresAt(undefined), series, failures };
}
