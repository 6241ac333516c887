import type { ClientBase } from "pg";
import { StartupError } from "../startup-error.ts";
import type { Database } from "./client.ts";

/** How many values stand under a key id, 8 hex digits. */
export type CountByKey = Map<string, number>;

/**
 * What stands under each key of the keyring: encrypted values, with the hashes by which devices and customers are found and
 * which only an opening key makes; hashes of blacklisted identities; and the audit's entries.
 */
export interface SealedData {
  readonly encrypted: CountByKey;
  readonly hashed: CountByKey;
  readonly audited: CountByKey;
}

/** Counts the whole tables, so it takes as long as reading them: `doctor` only. */
export async function countSealedData(client: ClientBase): Promise<SealedData> {
  return {
    encrypted: await countByKey(
      client,
      "SELECT account_number AS text FROM customer UNION ALL SELECT note FROM blacklist_entry UNION ALL SELECT sealed FROM batch_payload UNION ALL SELECT secret FROM webhook_endpoint UNION ALL SELECT old_secret FROM webhook_endpoint UNION ALL SELECT device_id FROM device UNION ALL SELECT hash FROM device UNION ALL SELECT hash FROM discovery",
    ),
    hashed: await countByKey(client, "SELECT hash AS text FROM blacklisted_identity"),
    audited: await countByKey(client, "SELECT mac AS text FROM audit_entry"),
  };
}

/**
 * Refuses a keyring that opens nothing of what lies at the beginning of the tables: it is another database's, or its
 * file was made anew. A single key that is missing shows as an internal fault where it is needed, and in `doctor`.
 *
 * @throws StartupError
 */
export async function refuseOtherKeyring(db: Database, keyIds: readonly string[]): Promise<void> {
  const found = await db.$queryRaw<{ key: string }[]>`
    SELECT DISTINCT encode(substring(text FROM 1 FOR 4), 'hex') AS key FROM (
      (SELECT account_number AS text FROM customer ORDER BY bank_id, mode, id LIMIT 1000)
      UNION ALL (SELECT note FROM blacklist_entry ORDER BY bank_id, mode, customer_id, version LIMIT 1000)
    ) AS sample WHERE text IS NOT NULL`;
  if (found.length === 0 || found.some(({ key }) => keyIds.includes(key))) return;
  throw new StartupError({
    what: "the keyring does not belong to this database",
    cause: `account numbers and notes in it were encrypted under ${found.map(({ key }) => key).join(", ")}, and the keyring has only ${keyIds.join(", ")}`,
    fix: "put the keys that the data was encrypted with into GATEWAY_KEYRING, or restore the file `keyring` of DATA_DIR",
  });
}

async function countByKey(client: ClientBase, texts: string): Promise<CountByKey> {
  const { rows } = await client.query<{ key: string; count: number }>(`
    SELECT encode(substring(text FROM 1 FOR 4), 'hex') AS key, count(*)::int AS count
    FROM (${texts}) AS texts WHERE text IS NOT NULL GROUP BY 1 ORDER BY 1`);
  return new Map(rows.map(({ key, count }) => [key, count]));
}
