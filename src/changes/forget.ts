import type { Services } from "../context.ts";
import type { Transaction } from "../database/client.ts";
import type { Mode } from "../database/generated/enums.ts";
import type { Job } from "../jobs/schedule.ts";
import { ownWork, write, type WriteServices } from "./write.ts";

/** What is due to be removed, and whose it is. */
export interface Due {
  readonly bankId: string;
  readonly mode: Mode;
  readonly id: string;
}

/** Removes some of one bank and mode, tells the tally of each, and gives how many: another process may have been first. */
export type Remove = (tx: Transaction, place: Omit<Due, "id">, ids: readonly string[]) => Promise<number>;

/**
 * A job that removes once a minute what `find` finds due: of each bank and mode in one write of the gateway's own, with its audit entry. It
 * logs how many.
 */
export function forgetting(
  services: WriteServices & Pick<Services, "log">,
  name: string,
  find: () => Promise<readonly Due[]>,
  remove: Remove,
): Job {
  return {
    name,
    everyMs: 60_000,
    async run() {
      let removed = 0;
      for (const same of Map.groupBy(await find(), ({ bankId, mode }) => `${mode} ${bankId}`).values()) {
        const { bankId, mode } = same[0]!;
        const ids = same.map(({ id }) => id);
        removed += await write(services, ownWork({ tenantId: bankId, mode }, name), (tx) => remove(tx, { bankId, mode }, ids));
      }
      if (removed > 0) services.log.info({ job: name, removed }, "retention");
    },
  };
}
