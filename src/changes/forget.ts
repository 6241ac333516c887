import type { Transaction } from "../database/client.ts";
import type { Mode } from "../database/generated/enums.ts";
import { ownWork, write, type WriteServices } from "./write.ts";

/** What is due to be removed, and whose it is. */
export interface Due {
  readonly bankId: string;
  readonly mode: Mode;
  readonly id: string;
}

/** Removes some of one bank and mode, tells the tally of each, and gives how many: another process may have been first. */
export type Remove = (tx: Transaction, place: Omit<Due, "id">, ids: readonly string[]) => Promise<number>;

/** Removes what is due: of each bank and mode in one write of the gateway's own, with its audit entry. Gives how many. */
export async function forget(services: WriteServices, operation: string, due: readonly Due[], remove: Remove): Promise<number> {
  let removed = 0;
  for (const same of Map.groupBy(due, ({ bankId, mode }) => `${mode} ${bankId}`).values()) {
    const { bankId, mode } = same[0]!;
    const ids = same.map(({ id }) => id);
    removed += await write(services, ownWork({ tenantId: bankId, mode }, operation), (tx) => remove(tx, { bankId, mode }, ids));
  }
  return removed;
}
