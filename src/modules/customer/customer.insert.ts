import { randomUUID } from "node:crypto";
import { type Discoverable, publish } from "../../changes/discovery.ts";
import { type Actor, recordChanges } from "../../changes/record-change.ts";
import { within } from "../../access/principal.ts";
import type { Keyring } from "../../crypto/keyring.ts";
import { isRetry, type Transaction } from "../../database/client.ts";
import { accountNameKey, columnContext, searchKey } from "./customer.columns.ts";
import { CUSTOMER_KEYS, type CustomerKey } from "../../graphql/enums.ts";
import { lifecycleOf } from "./customer.lifecycle.ts";
import type { CustomerValues } from "./customer.rules.ts";
import { randomPhrase } from "./phrase.ts";

/** What became of one customer that was to be inserted. */
export type Insertion = { readonly id: string } | { readonly existingId: string; readonly matchedOn: CustomerKey };

/** A taken phrase is a one-in-millions event; several in a row mean that something else is wrong. */
const MAX_ATTEMPTS = 5;

/**
 * Inserts customers by one statement, records them, and has merchants find those who consented. The answer has one entry for each, in order:
 * its new id, or the customer of this bank and mode that already has one of its keys. The unique
 * indexes decide, so that of two callers at once exactly one wins. A phrase that is taken is drawn
 * again and never told.
 */
export async function insertCustomers(
  tx: Transaction,
  keyring: Keyring,
  actor: Actor,
  at: Date,
  customers: readonly CustomerValues[],
  newId: () => string = randomUUID,
): Promise<Insertion[]> {
  const results: (Insertion | undefined)[] = customers.map(() => undefined);
  const created: Discoverable[] = [];
  let open = customers.map((_, index) => index);
  for (let attempt = 0; open.length > 0; attempt++) {
    if (attempt === MAX_ATTEMPTS) throw new Error("no free phrase was found");
    const inserted = await insertOnce(
      tx,
      keyring,
      actor,
      at,
      open.map((index) => customers[index]!),
      newId,
      customers.length > 1,
    );
    for (const [place, { id, phrase }] of inserted) {
      const { email, consent } = customers[open[place]!]!;
      results[open[place]!] = { id };
      created.push({ customerId: id, phrase, email: email!, consentAt: consent ? new Date(consent.at) : null });
    }
    open = open.filter((index) => !results[index]);
    if (open.length === 0) break;
    const existing = await findExisting(
      tx,
      actor,
      open.map((index) => customers[index]!),
    );
    open.forEach((index, place) => (results[index] = existing[place]));
    open = open.filter((index) => !results[index]);
  }
  await publish(tx, keyring, actor, created);
  const changes = created.map(
    ({ customerId, consentAt }) => ({ customerId, type: "CREATED", version: 1, lifecycle: firstLifecycle(consentAt) }) as const,
  );
  await recordChanges(tx, actor, at, changes);
  return results as Insertion[];
}

/** What a customer has come to with its registration. */
const firstLifecycle = (consentAt: Date | null) =>
  lifecycleOf({ consentAt, deviceCount: 0, blacklisted: false, blacklistExpiresAt: null }, new Date());

/**
 * For each customer, the one of this bank and mode that has one of its keys; undefined where none has. Those found are not
 * erased before the transaction ends: what it then tells of them is what an erasure must find.
 */
export async function findExisting(
  tx: Transaction,
  actor: Actor,
  customers: readonly CustomerValues[],
): Promise<({ existingId: string; matchedOn: CustomerKey } | undefined)[]> {
  if (customers.length === 0) return [];
  const wanted = (key: CustomerKey) => customers.flatMap((customer) => customer[key] ?? []);
  const { bankId, mode } = within(actor);
  const rows = await tx.$queryRaw<{ id: string; email: string; clientRef: string | null; reference: string | null }[]>`
    SELECT id, email, client_ref AS "clientRef", reference FROM customer
    WHERE bank_id = ${bankId}::text AND mode = ${mode}::mode
      AND (email = ANY (${wanted("email")}::text[]) OR client_ref = ANY (${wanted("clientRef")}::text[]) OR reference = ANY (${wanted("reference")}::text[]))
    FOR KEY SHARE`;
  const ids = new Map(rows.flatMap((row) => CUSTOMER_KEYS.map((key) => [`${key} ${row[key]}`, row.id] as const)));
  return customers.map((customer) => {
    for (const matchedOn of CUSTOMER_KEYS) {
      const existingId = customer[matchedOn] && ids.get(`${matchedOn} ${customer[matchedOn]}`);
      if (existingId) return { existingId, matchedOn };
    }
    return undefined;
  });
}

/**
 * The ids and phrases of those that were inserted, by their place.
 *
 * Batches write side by side. Those that hold the same keys may come to wait for each other in a circle, since three
 * unique indexes leave no order that would never do so; PostgreSQL then ends one of them, and when that runs again it
 * has the bank and mode to itself, so it meets none. One row alone cannot wait in a circle. The statement itself takes
 * the lock, before its first row. What was committed while it waited conflicts all the same: the indexes decide, not
 * the statement's snapshot.
 */
async function insertOnce(
  tx: Transaction,
  keyring: Keyring,
  actor: Actor,
  at: Date,
  customers: readonly CustomerValues[],
  newId: () => string,
  isBatch: boolean,
): Promise<Map<number, { id: string; phrase: string }>> {
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
  const turn = `customer batch|${bankId}|${mode}`;
  const lock = !isBatch ? "none" : isRetry(tx) ? "alone" : "shared";
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
    WHERE (
      SELECT CASE ${lock}::text
        WHEN 'alone' THEN pg_advisory_xact_lock(hashtextextended(${turn}::text, 0)) IS NOT NULL
        WHEN 'shared' THEN pg_advisory_xact_lock_shared(hashtextextended(${turn}::text, 0)) IS NOT NULL
        ELSE true
      END
    )
    ON CONFLICT DO NOTHING
    RETURNING id`;
  const ids = new Set(inserted.map((row) => row.id));
  return new Map(rows.flatMap(({ id, phrase }, place) => (ids.has(id) ? [[place, { id, phrase }]] : [])));
}
