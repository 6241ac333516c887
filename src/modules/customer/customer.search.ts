import { within } from "../../access/principal.ts";
import type { Context } from "../../context.ts";
import { readRows } from "../../database/read-rows.ts";
import { wordsSearched } from "./customer.policy.ts";

/** How many customers a search names at most. */
const MOST = 1000;

/** Who has a name with all words of a search. */
export interface Named {
  /** Newest first. */
  readonly ids: string[];
  /** Whether these are all; else they are the newest. */
  readonly isWhole: boolean;
}

/**
 * Names whom a search finds, so that a list can be read by their ids: the words themselves may enter no index past a row-level policy.
 * Lists keep the words' own conditions beside the ids. Null: the search has no word, or more than any name.
 */
export async function searchNames({ db, principal }: Pick<Context, "db" | "principal">, search: string): Promise<Named | null> {
  const words = wordsSearched(search);
  if (!words || words.length === 0) return null;
  const { bankId, mode } = within(principal);
  const values = [bankId, mode, words.map((word) => `% ${word}%`), MOST + 1];
  const rows = await readRows(db, { text: `SELECT customer_search($1, $2::"mode", $3::text[], $4::int)`, values });
  const ids = rows.map(([id]) => id as string);
  return { ids: ids.slice(0, MOST), isWhole: ids.length <= MOST };
}
