import { StartupError } from "../startup-error.ts";
import type { ImportTarget } from "./import-target.ts";

/** What `--map` says: a column's name, and its field; null: the column is not imported. */
export type ColumnMap = Readonly<Record<string, string | null>>;

/** The fields that a row can have. */
export type ImportFields = ImportTarget["fields"];

/** Columns that a failures file adds at its end; they are ignored when it is imported. */
export const FAILURE_COLUMNS = ["code", "field", "message"] as const;

/** Without what people write differently: `Client_Ref`, `client ref` and `clientRef` are the same. */
const plain = (name: string) => name.toLowerCase().replace(/[^\p{L}\p{N}]/gu, "");

const fieldNamed = (name: string, fields: ImportFields) => Object.keys(fields).find((field) => plain(field) === plain(name));

/** Reads what each `--map` says, `column=field`. Throws StartupError for what is none. */
export function readMappings(texts: readonly string[], fields: ImportFields): ColumnMap {
  return Object.fromEntries(
    texts.map((text) => {
      const at = text.lastIndexOf("=");
      const [column, target] = [text.slice(0, at), text.slice(at + 1)];
      const wrong = (cause: string, fix: string) => new StartupError({ what: `--map ${text} is not possible`, cause, fix });
      if (at < 1) throw wrong("it is no mapping", "give column=field, or column= for a column that is not to be imported");
      const field = target === "" ? null : fieldNamed(target, fields);
      if (field === undefined) throw wrong(`there is no field ${target}`, `give one of ${Object.keys(fields).join(", ")}`);
      return [column, field];
    }),
  );
}

/** The field that a column is for: as `--map` says, else by its name; null when it is for none. */
export function fieldOf(column: string, map: ColumnMap, fields: ImportFields): string | null {
  const name = column.trim();
  if (Object.hasOwn(map, name)) return map[name]!;
  const field = fieldNamed(name, fields) ?? null;
  // A column that was mapped to this field takes it from the one that only has its name.
  return field !== null && Object.values(map).includes(field) ? null : field;
}

/**
 * The field of each column of a header, in order; null for those that are not imported. Throws StartupError for a
 * header that cannot be right: a required field without a column, two columns for one field, a `--map` of no column.
 */
export function mapHeader(columns: readonly string[], map: ColumnMap, known: ImportFields): (string | null)[] {
  const unknown = Object.keys(map).filter((column) => !columns.some((name) => name.trim() === column));
  if (unknown.length > 0) refuse(`there is no column ${unknown.join(", ")}`, "name the columns in --map as the header has them");
  const fields = columns.map((column) => fieldOf(column, map, known));
  const twice = fields.find((field, place) => field !== null && fields.indexOf(field) !== place);
  if (twice) refuse(`two columns are for ${twice}`, "say with --map column= which of them is not to be imported");
  const missing = Object.keys(known).filter((field) => known[field] === "required" && !fields.includes(field));
  if (missing.length > 0) {
    refuse(
      `no column is for ${missing.join(", ")}, which every row needs; the columns are ${columns.map((name) => name.slice(0, 60)).join(", ")}`,
      "say with --map column=field which columns they are, or add them",
    );
  }
  return fields;
}

function refuse(cause: string, fix: string): never {
  throw new StartupError({ what: "line 1, the header, does not fit", cause, fix });
}
