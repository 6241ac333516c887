import { createContextCache } from "@pothos/core";
import DataLoader from "dataloader";
import { within } from "../access/principal.ts";
import type { Context } from "../context.ts";
import { type Connection, once } from "./connection.ts";
import { cursorsOf } from "./cursor.ts";
import { type PageArgs, pageRequest, toPage } from "./pagination.ts";

/** A page of the history of something: so many of its events, below a version, which is a history's sequence. */
export interface HistoryKey {
  readonly of: string;
  readonly below: number;
  readonly take: number;
}

type Load<Event> = (context: Context, keys: readonly HistoryKey[]) => Promise<Event[][]>;

/** Loads pages of histories; those that are asked for at once are one call of `load`, which gives each with the newest first. */
export const createHistoryLoader = <Event>(load: Load<Event>) =>
  createContextCache(
    (context: Context) =>
      new DataLoader<HistoryKey, Event[], string>((keys) => load(context, keys), { cacheKeyFn: (key) => JSON.stringify(key) }),
  );

/** The history of one thing, newest first. `list` tells its cursors from those of other histories. */
export function historyOf<Event extends { readonly version: number }>(
  loader: ReturnType<typeof createHistoryLoader<Event>>,
  list: string,
  of: string,
  args: PageArgs,
  context: Context,
): Connection<Event> {
  const request = pageRequest(args);
  const cursors = cursorsOf(context.keyring, { list, ...within(context.principal), of });
  const below = Number(cursors.open(args.after)?.[0] ?? 2 ** 31 - 1);
  return {
    page: once(async () => toPage(await loader(context).load({ of, below, take: request.size + 1 }), request)),
    cursor: ({ version }) => cursors.seal([version]),
    count: () => Promise.reject(new Error("histories are not counted")),
  };
}
