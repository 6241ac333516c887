import { randomUUID } from "node:crypto";
import { within } from "../../access/principal.ts";
import { type Insertion, insertUnique } from "../../changes/insert-unique.ts";
import type { Actor } from "../../changes/record-change.ts";
import type { Transaction } from "../../database/client.ts";
import { recordMerchantEvents } from "./merchant.events.ts";
import type { MerchantValues } from "./merchant.rules.ts";

/** Inserts merchants, each with BASIC trust, and records them, as `insertUnique` does. */
export async function insertMerchants(tx: Transaction, actor: Actor, at: Date, merchants: readonly MerchantValues[]): Promise<Insertion[]> {
  const { bankId, mode } = within(actor);
  const results = await insertUnique(tx, actor, "merchant", merchants, async (some, turn) => {
    const rows = some.map((merchant) => ({ ...merchant, id: randomUUID() }));
    const inserted = await tx.$queryRaw<{ id: string }[]>`
      INSERT INTO merchant (
        bank_id, mode, id, name, email, country, phone, address, state, website, client_ref, reference, created_at, updated_at
      )
      SELECT
        ${bankId}::text, ${mode}::mode, r.id, r.name, r.email, r.country, r.phone, r.address, r.state, r.website, r."clientRef",
        r.reference, ${at}::timestamptz, ${at}::timestamptz
      FROM json_to_recordset(${JSON.stringify(rows)}::json) AS r(
        id uuid, name text, email text, country text, phone text, address text, state text, website text, "clientRef" text, reference text
      )
      ${turn}`;
    const ids = new Set(inserted.map(({ id }) => id));
    return rows.map(({ id }) => (ids.has(id) ? { id } : undefined));
  });
  const created = results.flatMap((result) => ("id" in result ? [result.id] : []));
  await recordMerchantEvents(
    tx,
    actor,
    at,
    created.map((merchantId) => ({ merchantId, version: 1, type: "CREATED", trustLevel: "BASIC" })),
  );
  return results;
}
