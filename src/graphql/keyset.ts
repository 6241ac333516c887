import type { CursorKey, Cursors } from "./cursor.ts";
import type { PageArgs, PageRequest } from "./pagination.ts";

/**
 * An order by one column and a tie-breaker, cut by keyset: a page is `WHERE (key, id) > (…) ORDER BY
 * key, id LIMIT n`, so that page 10,000 costs what page 1 costs.
 */
export interface Keyset {
  /** The sorted column; null when the tie-breaker alone orders the list. */
  readonly column: string | null;
  readonly tieBreaker: string;
  readonly descending: boolean;
}

type Where = Record<string, unknown>;
type SortOrder = "asc" | "desc";

/**
 * Prisma's arguments for one page: rows strictly between the cursors, one more than asked for, read
 * from the end when the page is cut from there. `decode` turns the key's JSON back into what the
 * column compares with (a date, say).
 */
export function keysetPage(
  { column, tieBreaker, descending }: Keyset,
  page: PageRequest,
  after: CursorKey | undefined,
  before: CursorKey | undefined,
  decode: (key: string | number) => unknown = (key) => key,
): { where: Where[]; orderBy: Record<string, SortOrder>[]; take: number } {
  const beyond = (key: CursorKey, forward: boolean): Where => {
    const compare = forward === descending ? "lt" : "gt";
    const tie = { [tieBreaker]: { [compare]: key.at(-1) } };
    if (column === null) return tie;
    const value = decode(key[0]!);
    // The first half alone lets the index be entered at the key; the second settles the ties.
    return { [column]: { [`${compare}e`]: value }, OR: [{ [column]: { [compare]: value } }, tie] };
  };
  const direction: SortOrder = descending === page.backward ? "asc" : "desc";
  return {
    where: [...(after ? [beyond(after, true)] : []), ...(before ? [beyond(before, false)] : [])],
    orderBy: [...(column === null ? [] : [{ [column]: direction }]), { [tieBreaker]: direction }],
    take: page.size + 1,
  };
}

/** The page of a list that has the newest first, by a column of times; its arguments' cursors are opened. */
export function newestFirst(
  page: PageRequest,
  cursors: Pick<Cursors, "open">,
  { after, before }: PageArgs,
  { column = "createdAt", tieBreaker = "id" } = {},
): ReturnType<typeof keysetPage> {
  const keyset = { column, tieBreaker, descending: true };
  return keysetPage(keyset, page, cursors.open(after), cursors.open(before), (key) => new Date(key));
}
