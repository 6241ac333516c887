import { randomUUID } from "node:crypto";
import { type Discoverable, publish } from "../../changes/discovery.ts";
import { type Insertion, insertUnique } from "../../changes/insert-unique.ts";
import { type Actor, recordChanges } from "../../changes/record-change.ts";
import { within } from "../../access/principal.ts";
import type { Keyring } from "../../crypto/keyring.ts";
import type { Transaction } from "../../database/client.ts";
import type { Prisma } from "../../database/generated/client.ts";
import { accountNameKey, columnContext, searchKey } from "./customer.columns.ts";
import { lifecycleOf } from "./customer.lifecycle.ts";
import type { CustomerValues } from "./customer.rules.ts";
import { randomPhrase } from "./phrase.ts";

/**
 * Inserts customers as `insertUnique` does, records them, and has merchants find those who consented. A phrase that is taken is
 * drawn again and never told.
 */
export async function insertCustomers(
  tx: Transaction,
  keyring: Keyring,
  actor: Actor,
  at: Date,
  customers: readonly CustomerValues[],
  newId: () => string = randomUUID,
): Promise<Insertion[]> {
  const results = await insertUnique(tx, actor, "customer", customers, (rows, turn) =>
    insertOnce(tx, keyring, actor, at, rows, newId, turn),
  );
  const created = results.flatMap((result, place): Discoverable[] => {
    if (!("id" in result)) return [];
    const { email, consent } = customers[place]!;
    return [{ customerId: result.id, phrase: result.phrase, email: email!, consentAt: consent ? new Date(consent.at) : null }];
  });
  await publish(tx, keyring, actor, created);
  const changes = created.map(
    ({ customerId, consentAt }) => ({ customerId, type: "CREATED", version: 1, lifecycle: firstLifecycle(consentAt) }) as const,
  );
  await recordChanges(tx, actor, at, changes);
  return results;
}

/** What a customer has come to with its registration. */
const firstLifecycle = (consentAt: Date | null) =>
  lifecycleOf({ consentAt, deviceCount: 0, blacklisted: false, blacklistExpiresAt: null }, new Date());

/** Of each customer that was inserted its id and phrase. In order. */
async function insertOnce(
  tx: Transaction,
  keyring: Keyring,
  actor: Actor,
  at: Date,
  customers: readonly CustomerValues[],
  newId: () => string,
  turn: Prisma.Sql,
): Promise<({ id: string; phrase: string } | undefined)[]> {
  const { bankId, mode } = within(actor);
  const rows = customers.map((customer) => {
    const id = newId();
    const { accountName, accountNumber } = customer;
    return {
      ...customer,
      id,
      phrase: randomPhrase(),
      accountNameKey: accountNameKey(accountName!),
      searchKey: searchKey(accountName!),
      accountNumber:
        accountNumber == null
          ? null
          : Buffer.from(keyring.seal("encryption", accountNumber, columnContext({ bankId, mode, id }, "accountNumber"))).toString("base64"),
    };
  });
  const inserted = await tx.$queryRaw<{ id: string }[]>`
    INSERT INTO customer (
      bank_id, mode, id, phrase, account_name, account_name_key, search_key, gender, display_picture, country,
      firstname, lastname, middlename, email, phone, dial_code, address, state, client_ref, reference,
      account_number, consent_source, consent_at, consent_text_version, created_at, updated_at
    )
    SELECT
      ${bankId}::text, ${mode}::mode, r.id, r.phrase, r."accountName", r."accountNameKey", r."searchKey", r.gender,
      r."displayPicture", r.country, r.firstname, r.lastname, r.middlename, r.email, r.phone, r."dialCode",
      r.address, r.state, r."clientRef", r.reference, decode(r."accountNumber", 'base64'),
      r.consent->>'source', (r.consent->>'at')::timestamptz, r.consent->>'textVersion', ${at}::timestamptz, ${at}::timestamptz
    FROM json_to_recordset(${JSON.stringify(rows)}::json) AS r(
      id uuid, phrase text, "accountName" text, "accountNameKey" text, "searchKey" text, gender gender,
      "displayPicture" text, country text, firstname text, lastname text, middlename text, email text, phone text,
      "dialCode" text, address text, state text, "clientRef" text, reference text, "accountNumber" text, consent json
    )
    ${turn}`;
  const ids = new Set(inserted.map((row) => row.id));
  return rows.map(({ id, phrase }) => (ids.has(id) ? { id, phrase } : undefined));
}
