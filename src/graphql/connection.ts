import type { ObjectRef, OutputRef } from "@pothos/core";
import { builder, type Types } from "./builder.ts";
import { CountPrecisionEnum } from "./enums.ts";
import { type ArgsOrAny, facts } from "./field-facts.ts";
import { MAX_PAGE_SIZE, DEFAULT_PAGE_SIZE, mostRows, type Page } from "./pagination.ts";

/**
 * A list that is read as it is asked for: the page only when rows or page info are selected, the count
 * only when it is. Each is read at most once, however often it is selected.
 */
export interface Connection<Row> {
  page(): Promise<Page<Row>>;
  cursor(row: Row): string;
  count(): Promise<Count>;
}

/** At most 10,000; when there are more, the precision says so. */
export interface Count {
  readonly total: number;
  readonly precision: "EXACT" | "AT_LEAST";
}

export const MAX_COUNT = 10_000;

/** Makes a count of what was counted up to one more than 10,000. */
export function toCount(counted: number): Count {
  return counted > MAX_COUNT ? { total: MAX_COUNT, precision: "AT_LEAST" } : { total: counted, precision: "EXACT" };
}

/** Runs a read at most once and gives every caller its result. */
export function once<T>(read: () => Promise<T>): () => Promise<T> {
  let result: Promise<T> | undefined;
  return () => (result ??= read());
}

interface Edge<Row> {
  node: Row;
  connection: Connection<Row>;
}

const rowsOfPage = (_args: ArgsOrAny, pageArgs: ArgsOrAny) => mostRows(pageArgs);

/** A row of a page costs a point, whatever it is. */
const ROW = 1;
/** A page that is read for its page info alone costs a tenth of a point a row, a count ten points. */
const pageInfoFacts = facts({ points: (_args, pageArgs) => ROW / 10 + mostRows(pageArgs) / 10 });
const countFacts = facts({ points: () => 10 });

const PageInfo = builder.objectRef<{ page: Page<unknown>; connection: Connection<unknown> }>("PageInfo").implement({
  description: "Where a page stands in its list, by the Relay cursor connections specification.",
  fields: (t) => ({
    hasNextPage: t.boolean({
      description: "Whether rows follow this page. Told only for `first`; false for `last`.",
      resolve: ({ page }) => page.hasNextPage,
    }),
    hasPreviousPage: t.boolean({
      description: "Whether rows precede this page. Told only for `last`; false for `first`.",
      resolve: ({ page }) => page.hasPreviousPage,
    }),
    startCursor: t.string({
      nullable: true,
      description: "The cursor of the first row; null when the page is empty.",
      resolve: ({ page, connection }) => cursorOf(connection, page.rows.at(0)),
    }),
    endCursor: t.string({
      nullable: true,
      description: "The cursor of the last row; null when the page is empty.",
      resolve: ({ page, connection }) => cursorOf(connection, page.rows.at(-1)),
    }),
  }),
});

const cursorOf = (connection: Connection<unknown>, row: unknown) => (row === undefined ? null : connection.cursor(row));

/**
 * The types `<name>Connection` and `<name>Edge` of a list of nodes. `counted` adds totalCount and
 * totalCountPrecision.
 */
export function connectionType<Row>(name: string, node: OutputRef<Row>, { counted = false } = {}): ObjectRef<Types, Connection<Row>> {
  const edge = builder.objectRef<Edge<Row>>(`${name}Edge`).implement({
    description: `A ${name} and its place in the list.`,
    fields: (t) => ({
      node: t.field({
        type: node,
        description: "The row.",
        extensions: facts({ points: () => ROW }),
        resolve: (parent) => parent.node as never,
      }),
      cursor: t.string({
        description: "The row's place, for `after` and `before`. Opaque; belongs to this list, filter and order.",
        resolve: ({ node: row, connection }) => connection.cursor(row),
      }),
    }),
  });
  return builder.objectRef<Connection<Row>>(`${name}Connection`).implement({
    description: `A page of a list of ${name}, by the Relay cursor connections specification.`,
    fields: (t) => ({
      edges: t.field({
        type: [edge],
        description: "The rows of the page with their cursors.",
        extensions: facts({ size: rowsOfPage }),
        resolve: async (connection) => (await connection.page()).rows.map((row) => ({ node: row, connection })),
      }),
      nodes: t.field({
        type: [node],
        description: "The rows of the page.",
        extensions: facts({ size: rowsOfPage, points: () => ROW }),
        resolve: async (connection) => (await connection.page()).rows as never,
      }),
      pageInfo: t.field({
        type: PageInfo,
        description: "Where the page stands in the list.",
        extensions: pageInfoFacts,
        resolve: async (connection) => ({ page: await connection.page(), connection: connection as Connection<unknown> }),
      }),
      ...(counted && {
        totalCount: t.int({
          description: "How many rows the filter matches, cursors aside. Computed only when selected; counting stops at 10,000.",
          extensions: countFacts,
          resolve: async (connection) => (await connection.count()).total,
        }),
        totalCountPrecision: t.field({
          type: CountPrecisionEnum,
          description: "Whether totalCount is exact.",
          extensions: countFacts,
          resolve: async (connection) => (await connection.count()).precision,
        }),
      }),
    }),
  });
}

/** Response paths of a connection's rows, for column selection. */
export const ROW_PATHS: string[][] = [["nodes"], ["edges", "node"]];

/** `first`, `after`, and, for lists that are read from both ends, `last` and `before`. */
export const pageArgs = {
  forward: () =>
    builder.args((t) => ({
      first: t.int({ description: `How many rows from the start, 0 to ${MAX_PAGE_SIZE}. Without it, ${DEFAULT_PAGE_SIZE}.` }),
      after: t.string({ description: "Only rows after this cursor." }),
    })),
  both: () =>
    builder.args((t) => ({
      first: t.int({
        description: `How many rows from the start, 0 to ${MAX_PAGE_SIZE}. Not with last. Without either, ${DEFAULT_PAGE_SIZE}.`,
      }),
      after: t.string({ description: "Only rows after this cursor." }),
      last: t.int({ description: `How many rows from the end, 0 to ${MAX_PAGE_SIZE}. Not with first.` }),
      before: t.string({ description: "Only rows before this cursor." }),
    })),
};
