import type { BatchErrorCode } from "../../database/generated/enums.ts";
import { builder } from "../../graphql/builder.ts";
import { facts } from "../../graphql/field-facts.ts";
import { BatchErrorCodeEnum } from "./batch.enums.ts";
import { mostSteps } from "./batch.report.span.ts";
import type { BatchSums, FailureCount, Span } from "./batch.report.store.ts";
import { BatchSummary } from "./batch.type.ts";

/** Sums over a span or a step of it, with the requests that failed. */
export interface Figures extends BatchSums {
  readonly failedRequests: number;
}

export interface Report extends Span {
  readonly figures: Figures;
  readonly series: readonly { readonly from: Date; readonly to: Date; readonly figures: Figures }[];
  readonly failures: readonly FailureCount[];
}

/** What a migration should reach. Source: the source documents' "Migration Monitoring". */
const TARGETS = { successAbove: 0.95, dataErrorsBelow: 0.01, errorsBelow: 0.02, processingBelowMs: 5 * 60 * 1000 };

export const MigrationIntervalEnum = builder.enumType("MigrationInterval", {
  description: "How long a step of a report's series is.",
  values: {
    HOUR: { description: "An hour." },
    DAY: { description: "A day, in UTC." },
  } as const,
});

interface Rate {
  readonly count: number;
  readonly of: number;
  readonly target?: number;
  readonly isMet?: (rate: number) => boolean;
}

const rateOf = ({ count, of }: Rate) => (of === 0 ? null : count / of);

const MigrationRate = builder.objectRef<Rate>("MigrationRate").implement({
  description: "A share, its target, and whether it is met.",
  fields: (t) => ({
    rate: t.float({ nullable: true, description: "count / of, from 0 to 1; null when `of` is 0.", resolve: rateOf }),
    count: t.float({ description: "How many. A whole number.", resolve: ({ count }) => count }),
    of: t.float({ description: "Of how many. A whole number.", resolve: ({ of }) => of }),
    target: t.float({
      nullable: true,
      description: "What the rate should be above or below; null: no target.",
      resolve: ({ target }) => target ?? null,
    }),
    met: t.boolean({
      nullable: true,
      description: "Whether the rate meets its target; null when there is no rate or no target.",
      resolve: (self) => {
        const rate = rateOf(self);
        return rate === null ? null : (self.isMet?.(rate) ?? null);
      },
    }),
  }),
});

const MigrationTime = builder.objectRef<BatchSums>("MigrationTime").implement({
  description: "How long batches took, from `createdAt` to `completedAt`. Those with rows pending are left out.",
  fields: (t) => ({
    batches: t.int({ description: "How many batches ended.", resolve: ({ ended }) => ended }),
    meanMs: t.float({ nullable: true, description: "The mean, in milliseconds; null when none ended.", resolve: ({ mean }) => mean }),
    p95Ms: t.float({
      nullable: true,
      description: "What 95 % of them stayed within, in milliseconds, interpolated; null when none ended.",
      resolve: ({ p95 }) => p95,
    }),
    longestMs: t.float({
      nullable: true,
      description: "The longest, in milliseconds; null when none ended.",
      resolve: ({ longest }) => longest,
    }),
    targetMs: t.float({ description: "What each batch should stay below, in milliseconds.", resolve: () => TARGETS.processingBelowMs }),
    met: t.boolean({
      nullable: true,
      description: "Whether the longest did; null when none ended.",
      resolve: ({ longest }) => (longest === null ? null : longest < TARGETS.processingBelowMs),
    }),
  }),
});

/** Rows of which it is known what became of them. */
const decided = ({ total, pending }: BatchSums) => total - pending;

const MigrationFigures = builder.objectRef<Figures>("MigrationFigures").implement({
  description: "What became of the batches of customers that were sent in a time. Dry runs count in `errorRate` alone.",
  fields: (t) => ({
    batches: t.int({ description: "How many batches.", resolve: ({ batches }) => batches }),
    rows: t.field({ type: BatchSummary, description: "What became of their rows.", resolve: (figures) => figures }),
    successRate: t.field({
      type: MigrationRate,
      description: "Rows that were created, of all that are not pending. Target: above 0.95.",
      resolve: (figures) => ({
        count: figures.successful,
        of: decided(figures),
        target: TARGETS.successAbove,
        isMet: (rate) => rate > TARGETS.successAbove,
      }),
    }),
    processingTime: t.field({
      type: MigrationTime,
      description: "Target: below five minutes for every batch.",
      resolve: (figures) => figures,
    }),
    dataErrorRate: t.field({
      type: MigrationRate,
      description: "Data quality: rows that were INVALID_DATA or VALIDATION_ERROR, of all that are not pending. Target: below 0.01.",
      resolve: (figures) => ({
        count: figures.invalidData,
        of: decided(figures),
        target: TARGETS.dataErrorsBelow,
        isMet: (rate) => rate < TARGETS.dataErrorsBelow,
      }),
    }),
    duplicateRate: t.field({
      type: MigrationRate,
      description: "Data quality: rows that were DUPLICATE_IN_BATCH or EXISTING_CUSTOMER, of all that are not pending. No target.",
      resolve: (figures) => ({ count: figures.duplicates, of: decided(figures) }),
    }),
    errorRate: t.field({
      type: MigrationRate,
      description:
        "`createCustomersBatch` requests that failed as requests, of these and those that made a batch: InvalidBatch, " +
        "IdempotencyConflict, a refused access or a fault of the gateway, as the audit has them a second later. Dry runs count, " +
        "because a failure does not tell whether it would have been one; replays do not, nor does what never ran: a request " +
        "without a valid key, with malformed input or over a limit. Target: below 0.02.",
      resolve: ({ failedRequests, taken }) => ({
        count: failedRequests,
        of: failedRequests + taken,
        target: TARGETS.errorsBelow,
        isMet: (rate) => rate < TARGETS.errorsBelow,
      }),
    }),
  }),
});

const MigrationStep = builder.objectRef<Report["series"][number]>("MigrationStep").implement({
  description: "A step of the report's series.",
  fields: (t) => ({
    from: t.field({ type: "DateTime", description: "The first moment in it.", resolve: ({ from }) => from }),
    to: t.field({ type: "DateTime", description: "The first moment after it.", resolve: ({ to }) => to }),
    figures: t.field({ type: MigrationFigures, description: "What was sent in it.", resolve: ({ figures }) => figures }),
  }),
});

interface Share {
  readonly code: BatchErrorCode;
  readonly field: string | null;
  readonly rows: number;
  readonly of: number;
}

const MigrationFailureShare = builder.objectRef<Share>("MigrationFailureShare").implement({
  description: "How many rows were refused for one reason.",
  fields: (t) => ({
    code: t.field({ type: BatchErrorCodeEnum, description: "Why.", resolve: ({ code }) => code }),
    field: t.exposeString("field", {
      nullable: true,
      description: "The input field, e.g. `email` or `consent.at`. In `byCode` always null; in `byField` null when it is of the whole row.",
    }),
    rows: t.exposeInt("rows", { description: "How many rows." }),
    share: t.float({ description: "Of all rows that are not pending, from 0 to 1.", resolve: ({ rows, of }) => rows / of }),
  }),
});

const sharesOf = ({ failures, figures }: Report, ofCode: boolean): Share[] =>
  failures.filter((count) => count.ofCode === ofCode).map((count) => ({ ...count, of: decided(figures) }));

export const MigrationReport = builder.objectRef<Report>("MigrationReport").implement({
  description: "How a migration goes, against the targets of the source documents. Batches count when they were sent.",
  fields: (t) => ({
    from: t.field({ type: "DateTime", description: "The first moment in it.", resolve: ({ from }) => from }),
    to: t.field({ type: "DateTime", description: "The first moment after it.", resolve: ({ to }) => to }),
    interval: t.field({ type: MigrationIntervalEnum, description: "How long a step of `series` is.", resolve: ({ interval }) => interval }),
    figures: t.field({ type: MigrationFigures, description: "Of the whole time.", resolve: ({ figures }) => figures }),
    series: t.field({
      type: [MigrationStep],
      description: "Every step of the time, empty ones too, oldest first. The first and the last are cut where the report begins and ends.",
      extensions: facts({ size: (_args, reportArgs) => mostSteps(reportArgs) }),
      resolve: ({ series }) => [...series],
    }),
    byCode: t.field({
      type: [MigrationFailureShare],
      description: "Refused rows by code, most first.",
      resolve: (report) => sharesOf(report, true),
    }),
    byField: t.field({
      type: [MigrationFailureShare],
      description: "Refused rows by field and code, most first. A row with several violations counts once under each of their fields.",
      resolve: (report) => sharesOf(report, false),
    }),
  }),
});
