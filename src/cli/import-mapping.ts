import { StartupError } from "../startup-error.ts";

/**
 * The fields of a row of `createCustomersBatch`, and which of them it requires. The names are the contract's (§4), those
 * of a row's consent with `consent` before them; a test compares them with the schema.
 */
export const IMPORT_FIELDS = {
  clientRef: "required",
  firstname: "required",
  middlename: "optional",
  lastname: "required",
  accountName: "required",
  email: "required",
  phone: "optional",
  country: "required",
  state: "optional",
  address: "optional",
  gender: "optional",
  accountNumber: "required",
  reference: "required",
  consentSource: "optional",
  consentAt: "optional",
  consentTextVersion: "optional",
} as const;
export type ImportField = keyof typeof IMPORT_FIELDS;

const FIELD_NAMES = Object.keys(IMPORT_FIELDS) as ImportField[];

/** What `--map` says: a column's name, and its field; null: the column is not imported. */
export type ColumnMap = Readonly<Record<string, ImportField | null>>;

/** Columns that a failures file adds at its end; they are ignored when it is imported. */
export const FAILURE_COLUMNS = ["code", "field", "message"] as const;

/** Without what people write differently: `Client_Ref`, `client ref` and `clientRef` are the same. */
const plain = (name: string) => name.toLowerCase().replace(/[^\p{L}\p{N}]/gu, "");

const FIELD_OF_PLAIN = new Map<string, ImportField>(FIELD_NAMES.map((field) => [plain(field), field]));

/** Reads one `--map column=field`, onto what the ones before said. Throws an Error that says what is wrong with it. */
export function addMapping(text: string, map: ColumnMap): ColumnMap {
  const at = text.lastIndexOf("=");
  const [column, target] = [text.slice(0, at), text.slice(at + 1)];
  if (at < 1) throw new Error("It is column=field, or column= for a column that is not to be imported.");
  const field = target === "" ? null : FIELD_OF_PLAIN.get(plain(target));
  if (field === undefined) throw new Error(`There is no field ${target}. Fields are ${FIELD_NAMES.join(", ")}.`);
  return { ...map, [column]: field };
}

/** The field that a column is for: as `--map` says, else by its name; null when it is for none. */
export function fieldOf(column: string, map: ColumnMap): ImportField | null {
  const name = column.trim();
  if (Object.hasOwn(map, name)) return map[name]!;
  const field = FIELD_OF_PLAIN.get(plain(name)) ?? null;
  // A column that was mapped to this field takes it from the one that only has its name.
  return field !== null && Object.values(map).includes(field) ? null : field;
}

/**
 * The field of each column of a header, in order; null for those that are not imported. Throws StartupError for a
 * header that cannot be right: a required field without a column, two columns for one field, a `--map` of no column.
 */
export function mapHeader(columns: readonly string[], map: ColumnMap): (ImportField | null)[] {
  const unknown = Object.keys(map).filter((column) => !columns.some((name) => name.trim() === column));
  if (unknown.length > 0) refuse(`there is no column ${unknown.join(", ")}`, "name the columns in --map as the header has them");
  const fields = columns.map((column) => fieldOf(column, map));
  const twice = fields.find((field, place) => field !== null && fields.indexOf(field) !== place);
  if (twice) refuse(`two columns are for ${twice}`, "say with --map column= which of them is not to be imported");
  const missing = FIELD_NAMES.filter((field) => IMPORT_FIELDS[field] === "required" && !fields.includes(field));
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
