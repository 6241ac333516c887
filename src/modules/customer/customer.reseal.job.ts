import type { Logger } from "pino";
import type { Keyring } from "../../crypto/keyring.ts";
import type { Database } from "../../database/client.ts";
import { Prisma } from "../../database/generated/client.ts";
import type { Mode } from "../../database/generated/enums.ts";
import type { Job } from "../../jobs/schedule.ts";
import { noteContext } from "./customer.blacklist-entry.ts";
import { columnContext } from "./customer.columns.ts";
import { FIRST_CUSTOMER, republishCustomers } from "./customer.republish.ts";
import { FIRST_IDENTITY, rehashIdentities } from "./customer.rehash.ts";

/** How many rows one statement looks at, and how many such looks make a turn: a table of any size is walked in bounded steps. */
const PER_LOOK = 500;
const LOOKS_PER_TURN = 20;

interface SealedRow {
  readonly bankId: string;
  readonly mode: Mode;
  readonly customerId: string;
  readonly version: number;
  /** What is sealed by another key than the newest; null when there is nothing to do. */
  readonly sealed: Uint8Array | null;
}

/** A column that is encrypted, and how its table's rows are told apart. */
interface SealedColumn {
  readonly table: Prisma.Sql;
  readonly column: Prisma.Sql;
  /** The primary key, and the values of it that a row has. */
  readonly key: Prisma.Sql;
  readonly keyOf: (place: Place) => Prisma.Sql;
  /** The parts of the key that are each table's own, under their common names. */
  readonly selection: Prisma.Sql;
  /** Whether the row `t` is the one that `r` means. */
  readonly isSame: Prisma.Sql;
  readonly contextOf: (row: SealedRow) => string;
}

const COLUMNS: SealedColumn[] = [
  {
    table: Prisma.sql`customer`,
    column: Prisma.sql`account_number`,
    key: Prisma.sql`bank_id, mode, id`,
    keyOf: ({ bankId, mode, customerId }) => Prisma.sql`${bankId}::text, ${mode}::mode, ${customerId}::uuid`,
    selection: Prisma.sql`id AS "customerId", 0 AS version`,
    isSame: Prisma.sql`t.id = r."customerId"`,
    contextOf: (row) => columnContext({ ...row, id: row.customerId }, "accountNumber"),
  },
  {
    table: Prisma.sql`blacklist_entry`,
    column: Prisma.sql`note`,
    key: Prisma.sql`bank_id, mode, customer_id, version`,
    keyOf: ({ bankId, mode, customerId, version }) => Prisma.sql`${bankId}::text, ${mode}::mode, ${customerId}::uuid, ${version}::int`,
    selection: Prisma.sql`customer_id AS "customerId", version`,
    isSame: Prisma.sql`t.customer_id = r."customerId" AND t.version = r.version`,
    contextOf: noteContext,
  },
];

/** Where a walk stands: the last row that it looked at. */
type Place = Pick<SealedRow, "bankId" | "mode" | "customerId" | "version">;
const START: Place = { bankId: "", mode: "SANDBOX", customerId: "00000000-0000-0000-0000-000000000000", version: 0 };

/**
 * Seals anew, by the keyring's newest key, what an older one sealed, and hashes anew the identities of blacklisted
 * customers, devices, and what merchants find customers by; so that an older key can be dropped. It walks the tables again and again as long as the keyring has
 * older keys: another gateway may still seal by one. Values, versions, times and histories stay as they are.
 */
export function resealCustomers(db: Database, keyring: Keyring, log: Logger): Job {
  const walks = COLUMNS.map((column) => walk(START, (after) => lookAt(db, keyring, column, after, log)));
  walks.push(walk(FIRST_IDENTITY, (after) => rehashIdentities(db, keyring, after, PER_LOOK)));
  const publishing = walk(FIRST_CUSTOMER, (after) => republishCustomers(db, keyring, after, PER_LOOK));
  let allPublished = false;
  return {
    name: "reseal-customers",
    everyMs: 5_000,
    async run() {
      const hasOlder = keyring.hashIds.length > 1;
      if (hasOlder) for (const turn of walks) await turn();
      // Once in any case: an older version of the gateway published nobody.
      if (hasOlder || !allPublished) allPublished = (await publishing()) || allPublished;
    },
  };
}

/**
 * A turn of a walk: some looks, from where the last turn ended. Whether it came to the table's end; the next turn then begins
 * anew.
 */
function walk<At>(start: At, look: (after: At) => Promise<At | null>): () => Promise<boolean> {
  let after = start;
  return async () => {
    for (let looks = 0; looks < LOOKS_PER_TURN; looks += 1) {
      const last = await look(after);
      after = last ?? start;
      if (last === null) return true;
    }
    return false;
  };
}

/** Reseals what needs it among the next rows; the last of them, or null when there are no more. */
async function lookAt(db: Database, keyring: Keyring, sealed: SealedColumn, after: Place, log: Logger): Promise<Place | null> {
  const { table, column, key, keyOf, selection, contextOf } = sealed;
  const newest = Buffer.from(keyring.ids[0]!, "hex");
  const rows = await db.$queryRaw<SealedRow[]>`
    SELECT bank_id AS "bankId", mode::text AS mode, ${selection},
      CASE WHEN substring(${column} FROM 1 FOR 4) <> ${newest}::bytea THEN ${column} END AS sealed
    FROM ${table} WHERE (${key}) > (${keyOf(after)}) ORDER BY ${key} LIMIT ${PER_LOOK}::int`;
  const older = rows.filter((row) => row.sealed !== null);
  const resealed = older.flatMap((row) => {
    const anew = keyring.reseal("encryption", row.sealed!, contextOf(row));
    return anew ? [{ ...row, sealed: hex(row.sealed!), anew: hex(anew) }] : [];
  });
  const unopened = older.length - resealed.length;
  if (unopened > 0) log.error({ job: "reseal-customers", column: column.sql, unopened }, "values that no key of the keyring opens");
  if (resealed.length > 0) await replace(db, sealed, resealed);
  return rows.length < PER_LOOK ? null : rows.at(-1)!;
}

/**
 * Replaces each text where it still is the old one, whatever else became of the row meanwhile. A row that another
 * transaction holds is left for the next walk: this waits for nobody while it holds rows itself. Where the table is
 * partitioned, a ctid is a place in one partition: each has the same ones.
 */
async function replace(db: Database, { table, column, isSame }: SealedColumn, rows: object[]): Promise<void> {
  await db.$executeRaw`
    WITH free AS (
      SELECT t.tableoid AS part, t.ctid AS place, decode(r.anew, 'hex') AS anew
      FROM jsonb_to_recordset(${JSON.stringify(rows)}::jsonb)
        AS r("bankId" text, mode mode, "customerId" uuid, version int, sealed text, anew text)
      JOIN ${table} t ON t.bank_id = r."bankId" AND t.mode = r.mode AND ${isSame}
      WHERE t.${column} = decode(r.sealed, 'hex')
      FOR NO KEY UPDATE OF t SKIP LOCKED
    )
    UPDATE ${table} t SET ${column} = free.anew FROM free WHERE t.tableoid = free.part AND t.ctid = free.place`;
}

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");
