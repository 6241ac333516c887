import { badUserInput } from "../../graphql/errors.ts";
import type { ArgsOrAny } from "../../graphql/field-facts.ts";
import type { Span } from "./batch.report.store.ts";

const HOUR = 60 * 60 * 1000;
export const MS = { HOUR, DAY: 24 * HOUR };

/** How long a report may be, so that its series stays short. In days. */
export const MOST_DAYS = { HOUR: 31, DAY: 366 };

/** Up to how long a report is by the hour, unless it is asked for otherwise. In days. */
export const HOURLY_DAYS = 2;

const daysBetween = (from: Date, to: Date) => (to.getTime() - from.getTime()) / MS.DAY;
const usualInterval = (days: number): Span["interval"] => (days <= HOURLY_DAYS ? "HOUR" : "DAY");

/** What a report covers and in which steps. Throws BAD_USER_INPUT for a time that is too long or ends before it begins. */
export function spanOf(from: Date, to: Date, asked: Span["interval"] | null | undefined): Span {
  const days = daysBetween(from, to);
  const interval = asked ?? usualInterval(days);
  if (days <= 0) throw badUserInput("to must be later than from.");
  if (days > MOST_DAYS[interval]) throw badUserInput(`A report by the ${interval} covers at most ${MOST_DAYS[interval]} days.`);
  return { from, to, interval };
}

/** How many steps a report has at most, for its cost: a step more than fit, since the first and the last may be cut. */
export function mostSteps({ from, to, interval }: ArgsOrAny): number {
  const most = (MOST_DAYS.HOUR * MS.DAY) / MS.HOUR;
  if (!(from instanceof Date && to instanceof Date)) return most + 1;
  const days = Math.max(daysBetween(from, to), 0);
  const step: Span["interval"] = interval ?? usualInterval(days);
  return Math.min(Math.ceil((days * MS.DAY) / MS[step]), most) + 1;
}
