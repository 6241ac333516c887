import type pg from "pg";

/** How a table is cut: not at all, into so many parts by a hash of the bank, or one part a bank. */
export type Layout =
  { readonly by: "nothing" } | { readonly by: "hash"; readonly parts: number } | { readonly by: "list"; readonly banks: string[] };

/** The tables that grow with customers; what stands first is referred to by the others. */
const TABLES = ["customer", "customer_event"];

/**
 * Makes the tables anew, partitioned by bank, with their indexes, foreign keys, policies and grants. They must be empty.
 * A unique index of a partitioned table must hold the column that it is cut by. All do but that of phrases, which are
 * unique over the whole network: a table of their own keeps them so, filled by a trigger that leaves a row out when its
 * phrase is taken. The gateway's INSERT takes that for the conflict that it is, and draws another phrase.
 */
export async function partitionTables(client: pg.ClientBase, layout: Layout): Promise<void> {
  if (layout.by === "nothing") return;
  for (const table of TABLES) await partition(client, table, layout.by);
  await client.query(PHRASES);
  // Each in a transaction of its own: all at once would take more locks than a server has.
  for (const table of TABLES) {
    const count = layout.by === "hash" ? layout.parts : layout.banks.length;
    for (let part = 0; part < count; part++) {
      const values = layout.by === "hash" ? `WITH (MODULUS ${count}, REMAINDER ${part})` : `IN ('${layout.banks[part]}')`;
      await client.query(`CREATE TABLE ${table}_${part} PARTITION OF ${table} FOR VALUES ${values}`);
    }
  }
}

async function partition(client: pg.ClientBase, table: string, by: "hash" | "list"): Promise<void> {
  const list = async (sql: string) => (await client.query<{ sql: string }>(sql, [table])).rows.map((row) => row.sql);
  const again = [
    ...(await list(
      `SELECT format('ALTER TABLE %s ADD CONSTRAINT %I %s', conrelid::regclass, conname, pg_get_constraintdef(oid)) AS sql
       FROM pg_constraint WHERE conrelid = $1::regclass AND contype = 'p'`,
    )),
    ...(await list(
      `SELECT pg_get_indexdef(indexrelid) AS sql FROM pg_index WHERE indrelid = $1::regclass AND NOT indisprimary
       AND indexrelid::regclass::text <> 'customer_phrase_key'`,
    )),
    ...(await list(
      `SELECT format('ALTER TABLE %s ADD CONSTRAINT %I %s', conrelid::regclass, conname, pg_get_constraintdef(oid)) AS sql
       FROM pg_constraint WHERE contype = 'f' AND $1::regclass IN (conrelid, confrelid)`,
    )),
    ...(await list(
      `SELECT format('CREATE POLICY %I ON %I TO %s USING (%s)', policyname, tablename, array_to_string(roles, ', '), qual) AS sql
       FROM pg_policies WHERE tablename = $1`,
    )),
    ...(await list(
      `SELECT format('GRANT %s ON %I TO %I', privilege_type, table_name, grantee) AS sql
       FROM information_schema.role_table_grants WHERE table_name = $1 AND grantee = 'customer_gateway_tenant'`,
    )),
  ];
  await client.query(`ALTER TABLE ${table} RENAME TO ${table}_whole`);
  await client.query(
    `CREATE TABLE ${table} (LIKE ${table}_whole INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING STORAGE) PARTITION BY ${by} (bank_id)`,
  );
  await client.query(`DROP TABLE ${table}_whole CASCADE`);
  await client.query(`ALTER TABLE ${table} ENABLE ROW LEVEL SECURITY`);
  for (const sql of again) await client.query(sql);
}

const PHRASES = `
  CREATE INDEX customer_phrase ON customer (bank_id, mode, phrase);
  CREATE TABLE customer_phrase_taken (phrase text PRIMARY KEY);
  CREATE FUNCTION take_phrase() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
  BEGIN
    INSERT INTO customer_phrase_taken VALUES (NEW.phrase) ON CONFLICT DO NOTHING;
    IF NOT FOUND THEN RETURN NULL; END IF;
    RETURN NEW;
  END $$;
  CREATE TRIGGER take_phrase BEFORE INSERT ON customer FOR EACH ROW EXECUTE FUNCTION take_phrase()`;
