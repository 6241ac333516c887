import type { Keyring } from "../../crypto/keyring.ts";
import type { Database } from "../../database/client.ts";
import type { Job } from "../../jobs/schedule.ts";
import { secretContext } from "./webhook.secret.ts";

/** How long what became of a delivery can be looked up, and sent again. */
export const KEPT_DAYS = 30;

/** How many deliveries of an endpoint one turn removes. */
const PER_TURN = 5_000;

/** Removes old deliveries that are settled. The last of each subject stays: its sequence goes on from there. */
export function removeOldDeliveries(db: Database): Job {
  return {
    name: "remove-old-deliveries",
    everyMs: 600_000,
    run: () => db.$executeRaw`
      DELETE FROM webhook_delivery gone USING webhook_endpoint e CROSS JOIN LATERAL (
        SELECT d.id FROM webhook_delivery d
        WHERE d.bank_id = e.bank_id AND d.mode = e.mode AND d.endpoint_id = e.id AND d.state <> 'PENDING'
          AND d.created_at < now() - ${KEPT_DAYS}::int * interval '1 day'
          AND EXISTS (SELECT FROM webhook_delivery later WHERE later.bank_id = d.bank_id AND later.mode = d.mode
            AND later.endpoint_id = d.endpoint_id AND later.subject_id = d.subject_id AND later.sequence > d.sequence)
        ORDER BY d.created_at LIMIT ${PER_TURN}::int
      ) old
      WHERE gone.bank_id = e.bank_id AND gone.mode = e.mode AND gone.endpoint_id = e.id AND gone.id = old.id`,
  };
}

/** Seals anew, by the keyring's newest key, the secrets that an older one sealed, so that an older key can be dropped. */
export function resealWebhookSecrets(db: Database, keyring: Keyring): Job {
  const newest = Buffer.from(keyring.ids[0]!, "hex");
  const isOlder = (sealed: Uint8Array | null) => sealed !== null && !newest.equals(sealed.subarray(0, newest.length));
  return {
    name: "reseal-webhook-secrets",
    everyMs: 60_000,
    async run() {
      if (keyring.ids.length === 1) return;
      for (const endpoint of await db.webhookEndpoint.findMany()) {
        const { bankId, mode, id, secret, oldSecret } = endpoint;
        for (const [column, sealed] of Object.entries({ secret, oldSecret })) {
          const anew = isOlder(sealed) ? keyring.reseal("encryption", sealed!, secretContext(endpoint)) : null;
          // Where it still is the old one: somebody may have rotated it meanwhile.
          if (anew) await db.webhookEndpoint.updateMany({ where: { bankId, mode, id, [column]: sealed }, data: { [column]: anew } });
        }
      }
    },
  };
}
