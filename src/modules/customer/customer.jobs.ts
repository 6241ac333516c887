import { ownWork, write, type WriteServices } from "../../changes/write.ts";
import type { Job } from "../../jobs/schedule.ts";
import { expireIfDue } from "./customer.blacklist.ts";
import { CustomerNotFound } from "./customer.errors.ts";
import { lockCustomer } from "./customer.write.ts";

/** How many entries one turn records, so that a turn stays short. */
const PER_TURN = 200;

/**
 * Makes blacklist entries that have run out part of history: reading has counted the expiry from its
 * moment on, this writes the version and the event within a minute of it. Hashes that have run out go, an erased
 * customer's too, of whom nothing else tells.
 */
export function expireBlacklists(services: WriteServices): Job {
  return {
    name: "expire-blacklists",
    everyMs: 20_000,
    async run() {
      const now = new Date();
      const due = await services.db.customer.findMany({
        where: { blacklisted: true, blacklistExpiresAt: { lte: now } },
        select: { id: true, bankId: true, mode: true },
        take: PER_TURN,
      });
      for (const { id, bankId, mode } of due) {
        const origin = ownWork({ tenantId: bankId, mode }, "expire-blacklists");
        await write(services, origin, async (tx) =>
          expireIfDue(tx, services.keyring, origin.actor, await lockCustomer(tx, origin.actor, id), now),
        ).catch((error: unknown) => {
          if (!(error instanceof CustomerNotFound)) throw error;
        });
      }
      await services.db.blacklistedIdentity.deleteMany({ where: { expiresAt: { lte: now } } });
    },
  };
}
