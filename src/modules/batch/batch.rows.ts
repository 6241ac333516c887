import type { Actor } from "../../changes/record-change.ts";
import { tallyOf } from "../../changes/tally.ts";
import type { Transaction } from "../../database/client.ts";
import type { Issue } from "../../graphql/issue.ts";
import type { RowFailure } from "./batch.failure.ts";
import { magicRefusal } from "./batch.magic.ts";

/** What a row comes to when it is checked by itself. */
export type RowCheck<Clean> =
  { readonly values: Clean } | { readonly code: "INVALID_DATA" | "VALIDATION_ERROR"; readonly issues: readonly Issue[] };

/** What the database says of a row that passed its own checks. */
export type RowOutcome =
  { readonly id: string } | { readonly existingId: string; readonly matchedOn: string } | { readonly issues: readonly Issue[] };

/**
 * What a kind of batch is made of: its rules and its columns. The core knows nothing else of what the
 * rows are.
 */
export interface BatchKind<Row extends { clientRef?: string | null }, Clean extends object> {
  /** E.g. CUSTOMER. */
  readonly name: string;
  /** Unique keys, in the order in which they are compared. */
  readonly keys: readonly (keyof Clean & string)[];
  /** Steps 1 to 3: required fields, normal forms, formats and constraints, of a row sent at a time. */
  check(row: Row, at: Date): RowCheck<Clean>;
  /** Step 5: writes the rows, or with `dryRun` only says what writing them would come to. In order. */
  write(tx: Transaction, actor: Actor, at: Date, rows: readonly Clean[], dryRun: boolean): Promise<RowOutcome[]>;
}

/** A kind of batch to which the machinery hands rows back as it got them. */
export type AnyBatchKind = BatchKind<any, any>;

/** A row of a batch on its way: refused, still good, or written. */
export type Progress<Clean> = { failure: RowFailure } | { index: number; clientRef: string | null; values: Clean } | { id: string };

/** Steps 1 to 4: everything that the rows alone decide, sent at a time by somebody; in the sandbox what they ask for goes first. In order. */
export function checkRows<Row extends { clientRef?: string | null }, Clean extends object>(
  kind: BatchKind<Row, Clean>,
  rows: readonly (Row | null)[],
  at: Date,
  by: Pick<Actor, "mode">,
): Progress<Clean>[] {
  // The first index of each key's value, among rows that passed steps 1 to 3.
  const first = kind.keys.map(() => new Map<unknown, number>());
  return rows.map((row, index) => {
    const clientRef = row?.clientRef ?? null;
    if (row === null) {
      return { failure: { index, clientRef, code: "INVALID_DATA", issues: [{ field: null, message: "the row is null" }] } };
    }
    const asked = magicRefusal(by, row, index, kind.keys[0]!);
    if (asked) return { failure: { index, clientRef, ...asked } };
    const check = kind.check(row, at);
    if (!("values" in check)) return { failure: { index, clientRef, ...check } };
    let duplicate: { matchedOn: string; firstIndex: number } | undefined;
    for (const [place, matchedOn] of kind.keys.entries()) {
      const value = check.values[matchedOn];
      if (value == null) continue;
      const firstIndex = first[place]!.get(value);
      if (firstIndex === undefined) first[place]!.set(value, index);
      else duplicate ??= { matchedOn, firstIndex };
    }
    return duplicate ? { failure: { index, clientRef, code: "DUPLICATE_IN_BATCH", ...duplicate } } : { index, clientRef, ...check };
  });
}

/** How a batch's rows are written. */
export interface WriteMode {
  /** One refused row, and none is written. */
  readonly atomic: boolean;
  /** None is written. */
  readonly dryRun: boolean;
}

/** Step 5 for some of the rows that were checked, and what atomicity makes of it. In their order. */
export async function writeRows(
  tx: Transaction,
  actor: Actor,
  kind: AnyBatchKind,
  checked: readonly Progress<unknown>[],
  at: Date,
  { atomic, dryRun }: WriteMode,
): Promise<Progress<unknown>[]> {
  const results: Progress<unknown>[] = [...checked];
  const good = checked.flatMap((row, place) => ("values" in row ? [{ ...row, place }] : []));
  const doomed = atomic && good.length < checked.length;

  if (atomic) await tx.$executeRaw`SAVEPOINT batch_rows`;
  const outcomes = await kind.write(
    tx,
    actor,
    at,
    good.map(({ values }) => values),
    dryRun || doomed,
  );
  outcomes.forEach((outcome, order) => {
    const { place, index, clientRef } = good[order]!;
    if ("issues" in outcome) results[place] = { failure: { index, clientRef, code: "VALIDATION_ERROR", issues: outcome.issues } };
    else if ("matchedOn" in outcome) results[place] = { failure: { index, clientRef, code: "EXISTING_CUSTOMER", ...outcome } };
    else if (!dryRun && !doomed) results[place] = { id: outcome.id };
  });
  if (atomic && results.some((result) => "failure" in result)) {
    await tx.$executeRaw`ROLLBACK TO SAVEPOINT batch_rows`;
    tallyOf(tx).clearChanges();
    return results.map((result, place) => ("id" in result ? checked[place]! : result));
  }
  return results;
}
