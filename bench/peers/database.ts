import pg from "pg";
import { issueKey } from "../../src/access/issue-key.ts";
import { createClient } from "../../src/database/client.ts";
import { ensureSchema } from "../../src/database/migrate.ts";
import { registerDocuments } from "../../src/documents/register.ts";
import { GATEWAY, type Subject } from "./cases.ts";

export const BANKS = 20;

/** Every customer was made and then changed twice. */
const EVENTS = 3;

/** PostgreSQL's own relation between the two tables, for PostGraphile; the gateway's history outlives its customer. */
const RELATION = `COMMENT ON TABLE customer_event IS E'@foreignKey (bank_id, mode, customer_id) references customer (bank_id, mode, id)'`;

/** Fills an empty database, or takes one that was filled before. */
export async function prepare(url: string, customers: number): Promise<void> {
  await ensureSchema({ connectionString: url }, { autoMigrate: "if-empty" });
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const { rows } = await client.query<{ number: string }>("SELECT count(*) AS number FROM customer");
    if (Number(rows[0]!.number) === customers) return;
    if (Number(rows[0]!.number) > 0)
      throw new Error(`The database holds ${rows[0]!.number} customers, not ${customers}: take an empty one.`);
    await fill(client, customers / BANKS);
    await client.query(RELATION);
    await client.query("VACUUM ANALYZE");
  } finally {
    await client.end();
  }
}

async function fill(client: pg.Client, perBank: number): Promise<void> {
  await client.query(
    `INSERT INTO tenant (id, kind, name) SELECT 'bank-' || bank, 'BANK', 'bank' FROM generate_series(0, ${BANKS - 1}) AS bank`,
  );
  await client.query(
    `INSERT INTO customer (bank_id, mode, id, phrase, account_name, account_name_key, search_key, country, firstname, lastname,
       email, state, client_ref, reference, created_at, updated_at)
     SELECT 'bank-' || bank, 'SANDBOX', gen_random_uuid(), 'phrase-' || bank || '-' || n, name, lower(name), ' ' || lower(name), 'NG',
       'Name' || n % 40, 'Surname' || n, n || '@example.com', 'State ' || n % 36, 'client-' || n, 'ref-' || n, at, at
     FROM generate_series(0, ${BANKS - 1}) AS bank, generate_series(1, ${perBank}) AS n,
       LATERAL (SELECT 'Name' || n % 40 || ' Surname' || n AS name, timestamptz '2026-01-01' + n * interval '1 second' AS at) AS made`,
  );
  await client.query(
    `INSERT INTO customer_event (bank_id, mode, customer_id, version, type, actor, changed, at)
     SELECT bank_id, mode, id, n, (CASE n WHEN 1 THEN 'CREATED' ELSE 'UPDATED' END)::customer_event_type, 'bench', '{}',
       created_at + n * interval '1 hour'
     FROM customer, generate_series(1, ${EVENTS}) AS n`,
  );
}

/** A key for each bank that may see what the cases ask for, with their documents registered; and customers to ask for. */
export async function subjects(url: string, number: number): Promise<Subject[]> {
  const db = createClient({ connectionString: url });
  try {
    const keys = new Map<string, string>();
    for (let bank = 0; bank < BANKS; bank += 1) {
      const id = `bank-${bank}`;
      const tenant = { id, kind: "BANK", name: "bank" } as const;
      const { key } = await issueKey(db, {
        tenant,
        mode: "SANDBOX",
        audience: "APP",
        scopes: ["customers:read:sensitive"],
        client: "bench",
      });
      const client = await db.client.findFirstOrThrow({ where: { tenantId: id, name: "bench" } });
      await registerDocuments(db, client.id, Object.values(GATEWAY));
      keys.set(id, key);
    }
    // Of a surname all but the last digit: at most eleven of a bank's customers have such a one.
    const rows = await db.$queryRaw<{ bank: string; id: string; word: string }[]>`
      SELECT bank_id AS bank, id, lower(left(lastname, -1)) AS word FROM customer
      WHERE length(lastname) > 8 ORDER BY md5(id::text) LIMIT ${number}`;
    return rows.map((row) => ({ ...row, key: keys.get(row.bank)! }));
  } finally {
    await db.$disconnect();
  }
}
