import { badUserInput } from "./errors.ts";
import { ANY, type ArgsOrAny } from "./field-facts.ts";

/** The arguments of a Relay connection, as they came. */
export interface PageArgs {
  first?: number | null;
  after?: string | null;
  last?: number | null;
  before?: string | null;
}

/** A page of a keyset-ordered list: how many, from which end. */
export interface PageRequest {
  readonly size: number;
  /** True for `last`: the page is cut from the end, and read backwards. */
  readonly backward: boolean;
}

export const DEFAULT_PAGE_SIZE = 20;
export const MAX_PAGE_SIZE = 100;

/**
 * Checks `first` and `last`. Neither means the first 20; both, a negative number or more than 100 is
 * BAD_USER_INPUT. Source: contract §3.
 */
export function pageRequest({ first, last }: PageArgs): PageRequest {
  if (first != null && last != null) throw badUserInput("Give first or last, not both.");
  for (const [name, value] of Object.entries({ first, last })) {
    if (value != null && (value < 0 || value > MAX_PAGE_SIZE)) {
      throw badUserInput(`${name} must be from 0 to ${MAX_PAGE_SIZE}.`);
    }
  }
  return { size: first ?? last ?? DEFAULT_PAGE_SIZE, backward: last != null };
}

/** How many rows a page has at most, for its cost. What pageRequest refuses counts as the nearest that it takes. */
export function mostRows({ first, last }: ArgsOrAny): number {
  const asked = first ?? last ?? DEFAULT_PAGE_SIZE;
  return asked === ANY ? MAX_PAGE_SIZE : Math.min(Math.max(asked, 0), MAX_PAGE_SIZE);
}

/** One page of rows in the list's own order, and whether there is more on either side. */
export interface Page<Row> {
  readonly rows: readonly Row[];
  readonly hasNextPage: boolean;
  readonly hasPreviousPage: boolean;
}

/**
 * Makes a page of what was read between `after` and `before`: at most `size + 1` rows, in the list's
 * order, or from its end when `backward`. As graphql-relay's connectionFromArray says it,
 * hasNextPage is only ever told for `first` and hasPreviousPage only for `last`.
 */
export function toPage<Row>(read: readonly Row[], { size, backward }: PageRequest): Page<Row> {
  const more = read.length > size;
  const rows = read.slice(0, size);
  return {
    rows: backward ? rows.reverse() : rows,
    hasNextPage: !backward && more,
    hasPreviousPage: backward && more,
  };
}
