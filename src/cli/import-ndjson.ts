import { StartupError } from "../startup-error.ts";
import { type Line, MAX_LINE_BYTES, notUtf8 } from "./import-lines.ts";
import { type ColumnMap, FAILURE_COLUMNS, fieldOf, type ImportFields } from "./import-mapping.ts";
import { type ImportValues, type RowFailure, type SourceFormat, type SourceRow, unreadable } from "./import-row.ts";
import { repeatedMember } from "./json-members.ts";

/** NDJSON, one object a line. A line that is none is refused by itself. */
export class NdjsonFormat implements SourceFormat {
  readonly columns = null;
  readonly #map: ColumnMap;
  readonly #known: ImportFields;
  /** The field of each name that has been met; files have few names, and a limit keeps it so. */
  readonly #fields = new Map<string, string | null>();

  constructor(map: ColumnMap, known: ImportFields) {
    const taken = Object.keys(map).filter((name) => (FAILURE_COLUMNS as readonly string[]).includes(name));
    if (taken.length > 0) {
      throw new StartupError({
        what: `--map ${taken.join(", ")} is not possible`,
        cause: "the failures file has members of that name",
        fix: "give the member another name",
      });
    }
    this.#map = map;
    this.#known = known;
  }

  async *rows(lines: AsyncIterable<Line[]>): AsyncGenerator<SourceRow[]> {
    for await (const block of lines) yield block.map((line) => this.#row(line));
  }

  failuresHeader(): string {
    return "";
  }

  failureLine({ original }: SourceRow, { code, fields, message }: RowFailure): string {
    const added = { code, field: fields.join(";"), message };
    if (typeof original !== "string") return `${JSON.stringify({ ...(original as Record<string, unknown>), ...added })}\n`;
    // The object's own text: read and written again, a long number would lose digits.
    const members = original.trim().slice(0, -1).trimEnd();
    return `${members}${members === "{" ? "" : ","}${JSON.stringify(added).slice(1)}\n`;
  }

  #row({ number: line, text, fault }: Line): SourceRow {
    const base = { line, lines: 1, kind: "row" as const, text: text ?? "" };
    if (text === null) {
      if (fault === "not UTF-8") throw notUtf8(line);
      return { ...base, original: {}, content: unreadable(line, `the line is longer than ${MAX_LINE_BYTES} bytes`) };
    }
    if (text.trim() === "") return { ...base, kind: "blank", original: {}, content: { values: {} } };
    if (line === 1 && text.startsWith("[")) {
      throw new StartupError({
        what: "line 1 cannot be read",
        cause: "the file is a JSON list, and NDJSON has one object a line",
        fix: "convert it, e.g. with jq -c '.[]'",
      });
    }
    const value = readJson(text);
    if (value === undefined) return { ...base, original: { raw: text }, content: unreadable(line, "the line is not a JSON object") };
    const repeated = repeatedMember(text);
    if (repeated !== null)
      return {
        ...base,
        original: { raw: text },
        content: unreadable(line, `the member ${JSON.stringify(repeated.slice(0, 60))} stands twice`),
      };
    return { ...base, original: text, content: this.#values(line, value) };
  }

  #values(line: number, value: Record<string, unknown>): SourceRow["content"] {
    const values: ImportValues = {};
    const members = Object.entries(value);
    if ("consentSource" in this.#known && value["consent"] != null && !Object.hasOwn(this.#map, "consent")) {
      const consent = consentOf(value["consent"]);
      if (consent === null) return unreadable(line, "consent must be an object of source, at and textVersion", "consent");
      members.push(...consent);
    }
    for (const [name, given] of members) {
      const field = this.#fieldOf(name);
      if (field === null || given === null || given === "") continue;
      // Numbers are not taken: JSON's lose digits of an account number, and leading zeros before that.
      if (typeof given !== "string") return unreadable(line, `${field} must be text in quotes, or null`, field);
      if (values[field] !== undefined) return unreadable(line, `two members are for ${field}`, field);
      values[field] = given;
    }
    return { values };
  }

  #fieldOf(name: string): string | null {
    const known = this.#fields.get(name);
    if (known !== undefined) return known;
    const field = fieldOf(name, this.#map, this.#known);
    if (this.#fields.size < 1000) this.#fields.set(name, field);
    return field;
  }
}

/** The mutation's own form of a row has its consent as an object: its members are the fields that CSV has columns for. */
const CONSENT_FIELDS = { source: "consentSource", at: "consentAt", textVersion: "consentTextVersion" } as const;

/** What a consent says, by the fields' names; null when it is no consent. */
function consentOf(consent: unknown): [string, unknown][] | null {
  if (typeof consent !== "object" || consent === null || Array.isArray(consent)) return null;
  const members = Object.entries(consent);
  if (members.some(([name]) => !Object.hasOwn(CONSENT_FIELDS, name))) return null;
  return members.map(([name, value]) => [CONSENT_FIELDS[name as keyof typeof CONSENT_FIELDS], value]);
}

/** The object that a line is, or undefined. */
function readJson(text: string): Record<string, unknown> | undefined {
  try {
    const value = JSON.parse(text) as unknown;
    return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
