import { MAX_COUNT } from "../../graphql/connection.ts";
import { invalid } from "./invalid.ts";
import { type Parameter, wholeNumber } from "./parameters.ts";
import type { Given, Route } from "./route.ts";

/** Beside a page's rows. */
export interface PageMeta {
  readonly page: number;
  readonly take: number;
  readonly itemCount: number;
  readonly pageCount: number;
  readonly hasPreviousPage: boolean;
  readonly hasNextPage: boolean;
}

/** The number of a page, from 1. `size` is the parameter that says how many rows each has. */
export function page(size: string): Parameter {
  const bound = `${size} × page is at most ${MAX_COUNT.toLocaleString("en")}.`;
  return wholeNumber(`The page's number. ${bound} To read on, use GraphQL's cursors.`, { from: 1, to: MAX_COUNT, usual: 1 });
}

/** How many rows stand before the page that is asked for; 0 where there are no pages. Throws `invalid` past the bound. */
export function offsetOf({ size }: Route, given: Given): number {
  if (size === undefined) return 0;
  const [number, rows] = [given["page"] as number, given[size] as number];
  if (number * rows > MAX_COUNT) throw invalid([{ field: "page", message: `times ${size} must be at most ${MAX_COUNT}` }]);
  return (number - 1) * rows;
}

/** Counts the pages that can be had: counting and paging stop at 10,000 rows. */
export function pageMeta(itemCount: number, number: number, take: number): PageMeta {
  const pageCount = Math.min(Math.ceil(itemCount / take), Math.floor(MAX_COUNT / take));
  return {
    page: number,
    take,
    itemCount,
    pageCount,
    hasPreviousPage: number > 1 && pageCount > 0,
    hasNextPage: number < pageCount,
  };
}
