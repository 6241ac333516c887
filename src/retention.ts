import { removeExpiredKeys } from "./changes/idempotency.ts";
import type { WriteServices } from "./changes/write.ts";
import type { Config } from "./config.ts";
import type { Services } from "./context.ts";
import type { Job } from "./jobs/schedule.ts";
import { removeOldBatches } from "./modules/batch/batch.retention.job.ts";
import { eraseInactiveCustomers, removeOldTombstones } from "./modules/customer/customer.retention.job.ts";
import { removeOldDeliveries } from "./modules/webhook/webhook.jobs.ts";

/**
 * Every rule by which the gateway forgets: those that it always has, and those that its operator has set. docs/privacy.md gives the reasons.
 */
export function retentionJobs(
  services: WriteServices & Pick<Services, "log">,
  { inactiveCustomers, batches, tombstones }: Config["retentionDays"],
): Job[] {
  return [
    removeExpiredKeys(services.db),
    removeOldDeliveries(services.db),
    ...(inactiveCustomers === null ? [] : [eraseInactiveCustomers(services, inactiveCustomers)]),
    ...(batches === null ? [] : [removeOldBatches(services, batches)]),
    ...(tombstones === null ? [] : [removeOldTombstones(services, tombstones)]),
  ];
}
