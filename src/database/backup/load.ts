import type { ClientBase } from "pg";
import { StartupError } from "../../startup-error.ts";
import { readMigrations } from "../migrations-folder.ts";
import { refusalOf } from "./refusal.ts";
import type { Ending, Heading, Part } from "./format.ts";
import { readTables, SETTINGS, type Table } from "./tables.ts";

/**
 * Fills a database of this version's tables that has no row, in one transaction: all of it, or nothing. It only adds rows,
 * so nothing that guards them has to be switched off, and whoever would write waits meanwhile. Gives the rows by table.
 * Throws StartupError; what `stop` was aborted with, when it was.
 */
export async function load(client: ClientBase, parts: AsyncIterable<Part>, stop: AbortSignal): Promise<Ending["rows"]> {
  try {
    await client.query(`BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; ${SETTINGS}`);
    const tables = await readTables(client);
    await client.query(`LOCK TABLE ${tables.map(({ name }) => name).join(", ")} IN EXCLUSIVE MODE`);
    await refuseRows(client, tables);
    const filled: Record<string, number> = Object.fromEntries(tables.map(({ name }) => [name, 0]));
    let inserts = new Map<string, string>();
    for await (const part of parts) {
      stop.throwIfAborted();
      if ("heading" in part) {
        refuseOtherSchema(part.heading);
        inserts = insertsFor(part.heading, tables);
      } else if ("ending" in part) {
        refuseOtherCounts(part.ending.rows, filled);
        await setSequences(client, part.ending);
      } else {
        const { rowCount } = await client.query(inserts.get(part.table)!, [`[${part.rows.join(",")}]`]);
        filled[part.table]! += rowCount ?? 0;
      }
    }
    await client.query("COMMIT");
    return filled;
  } catch (error) {
    await client.query("ROLLBACK").catch(() => {});
    throw refusalOf(error, "the database cannot be written, and nothing was");
  }
}

/** Refuses what was taken under other migrations than this version's. Throws StartupError. */
export function refuseOtherSchema({ migrations }: Heading): void {
  const known = readMigrations();
  const lacks = known.filter(({ name }) => !migrations.some((migration) => migration.name === name));
  const isSame = known.every(({ name, checksum }) => migrations.some((one) => one.name === name && one.checksum === checksum));
  if (isSame && migrations.length === known.length) return;
  const ofWhich = lacks.length === known.length ? "another program" : lacks.length > 0 ? "an older version" : "a newer version";
  throw new StartupError({
    what: "the data does not fit this version's tables",
    cause: `its schema is that of ${ofWhich} of the gateway, up to ${migrations.at(-1)?.name ?? "nothing"}`,
    fix: "take the version of the gateway that it was made with, and upgrade afterwards",
  });
}

async function refuseRows(client: ClientBase, tables: readonly Table[]): Promise<void> {
  const looks = tables.map(({ name }, index) => `SELECT ${index} AS table WHERE EXISTS (SELECT FROM ${name})`);
  const { rows } = await client.query<{ table: number }>(looks.join(" UNION ALL "));
  if (rows.length === 0) return;
  throw new StartupError({
    what: "the database is not empty",
    cause: `there are rows in ${rows.map(({ table }) => tables[table]!.name).join(", ")}`,
    fix: "name an empty database in DATABASE_URL, or without one a fresh directory in DATA_DIR",
  });
}

/** By table, the statement that adds rows. Two databases may have a table's columns in another order. */
function insertsFor({ tables: given }: Heading, tables: readonly Table[]): Map<string, string> {
  const outline = (all: Heading["tables"]) =>
    all
      .map(({ name, columns }) => JSON.stringify([name, columns.toSorted()]))
      .toSorted()
      .join();
  const named = tables.map(({ name, columns }) => ({ name, columns: columns.map((column) => column.name) }));
  if (outline(given) !== outline(named)) {
    throw new StartupError({
      what: "the data does not fit the tables",
      cause: "somebody has added tables or columns to one of the two databases, or taken some away",
      fix: "make the tables the same, then try again",
    });
  }
  return new Map(
    given.map(({ name, columns }) => {
      const types = new Map(tables.find((table) => table.name === name)!.columns.map((column) => [column.name, column.type]));
      const values = columns.map((column, index) => `(r ->> ${index})::${types.get(column)}`);
      return [
        name,
        // Numbers that a column would count by itself are kept too.
        `INSERT INTO ${name} (${columns.join(", ")}) OVERRIDING SYSTEM VALUE SELECT ${values.join(", ")} FROM jsonb_array_elements($1) AS r`,
      ];
    }),
  );
}

function refuseOtherCounts(said: Ending["rows"], filled: Ending["rows"]): void {
  const other = Object.keys(filled).filter((name) => filled[name] !== said[name]);
  if (other.length === 0) return;
  throw new StartupError({
    what: "the data is not whole, and nothing was written",
    cause: `there should be more or fewer rows in ${other.join(", ")}`,
    fix: "see whether a trigger in the database drops rows; else take another backup",
  });
}

async function setSequences(client: ClientBase, { sequences }: Ending): Promise<void> {
  for (const [name, value] of Object.entries(sequences)) await client.query("SELECT setval($1::regclass, $2)", [name, value]);
}
