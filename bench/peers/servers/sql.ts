/** One customer as one statement; its parameters are bank and id. */
export const ONE = `SELECT id, phrase, account_name AS "accountName", country, firstname, lastname, email, state, created_at AS "createdAt"
  FROM customer WHERE bank_id = $1 AND mode = 'SANDBOX' AND id = $2`;

/** The newest of a bank; its parameters are bank and number. */
export const PAGE = `SELECT id, account_name AS "accountName", country, state FROM customer
  WHERE bank_id = $1 AND mode = 'SANDBOX' ORDER BY created_at DESC, id DESC LIMIT $2`;

/** The newest events of each of some customers; its parameters are bank, ids and number. */
export const HISTORIES = `SELECT event.* FROM unnest($2::uuid[]) AS wanted(id) CROSS JOIN LATERAL (
    SELECT customer_id AS "customerId", version, type, at FROM customer_event
    WHERE bank_id = $1 AND mode = 'SANDBOX' AND customer_id = wanted.id ORDER BY version DESC LIMIT $3) AS event`;

/** The newest of a bank, each with its newest events, as one statement that writes the JSON; its parameter is the bank. */
export const PAGE_WITH_HISTORIES = `SELECT json_agg(row)::text AS nodes FROM (
  SELECT id, account_name AS "accountName", country, state, (
    SELECT json_build_object('nodes', coalesce(json_agg(event), '[]')) FROM (
      SELECT version, type, at FROM customer_event e
      WHERE e.bank_id = c.bank_id AND e.mode = c.mode AND e.customer_id = c.id ORDER BY version DESC LIMIT 5) AS event) AS history
  FROM customer c WHERE bank_id = $1 AND mode = 'SANDBOX' ORDER BY created_at DESC, id DESC LIMIT 50) AS row`;

/** The newest of a bank of whose names a word begins so; its parameters are bank, a LIKE pattern and number. */
export const SEARCH = `SELECT id, account_name AS "accountName", country, state FROM customer
  WHERE bank_id = $1 AND mode = 'SANDBOX' AND search_key LIKE $2 ORDER BY created_at DESC, id DESC LIMIT $3`;

/** What the search key is compared with: its words are each led by a space. */
export const beginning = (word: string) => `% ${word}%`;
