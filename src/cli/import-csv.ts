import { parse } from "csv-parse/sync";
import { stringify } from "csv-stringify/sync";
import { StartupError } from "../startup-error.ts";
import { withoutGuard } from "./formula-guard.ts";
import { frameRecords, type Framed, type FramedRecord, NOT_WELL_FORMED } from "./import-csv-frame.ts";
import { type Line, notUtf8 } from "./import-lines.ts";
import { type ColumnMap, FAILURE_COLUMNS, type ImportFields, mapHeader } from "./import-mapping.ts";
import { type ImportValues, type RowFailure, type SourceFormat, type SourceRow, unreadable } from "./import-row.ts";

export interface CsvOptions {
  readonly delimiter: string;
  readonly map: ColumnMap;
  readonly fields: ImportFields;
  /** The header's columns, of a run that goes on after it. */
  readonly columns: readonly string[] | null;
}

/** CSV by RFC 4180, with a header. What one line spoils is refused by itself: the next line is read as if it were not there. */
export class CsvFormat implements SourceFormat {
  readonly #options: CsvOptions;
  #columns: readonly string[] | null;
  #fields: (string | null)[] = [];
  /** How many columns are the bank's own: a failures file has three more. */
  #own = 0;

  constructor(options: CsvOptions) {
    this.#options = options;
    this.#columns = options.columns;
    if (options.columns) this.#takeHeader(options.columns);
  }

  get columns(): readonly string[] | null {
    return this.#columns;
  }

  async *rows(lines: AsyncIterable<Line[]>): AsyncGenerator<SourceRow[]> {
    for await (const framed of frameRecords(lines, (record) => this.#parse(record.text)[0] !== undefined)) {
      yield this.#parseAll(framed).map(({ record, values }) => this.#row(record, values));
    }
  }

  failuresHeader(): string {
    return this.#write([...this.#columns!.slice(0, this.#own), ...FAILURE_COLUMNS]);
  }

  failureLine({ original }: SourceRow, { code, fields, message }: RowFailure): string {
    return this.#write([...(original as readonly string[]), code, fields.join(";"), message]);
  }

  #write(values: readonly string[]): string {
    return stringify([values], { delimiter: this.#options.delimiter });
  }

  /** The records of a CSV text, or none when it is not well-formed. */
  #parse(text: string): string[][] {
    try {
      return parse(text, { delimiter: this.#options.delimiter, relax_column_count: true, record_delimiter: ["\r\n", "\n"] });
    } catch {
      return [];
    }
  }

  /** Parses all at once, which is three times as fast; one by one when some cannot be parsed. */
  #parseAll(framed: readonly Framed[]): { record: Framed; values: readonly string[] | undefined }[] {
    const records = framed.filter((record): record is FramedRecord => "text" in record && record.text !== "");
    const values = this.#parse(records.map(({ text }) => text).join("\n"));
    const all = values.length === records.length ? values : records.map(({ text }) => this.#parse(text)[0]);
    let next = 0;
    return framed.map((record) => ({ record, values: "text" in record && record.text !== "" ? all[next++] : [] }));
  }

  #row(record: Framed, values: readonly string[] | undefined): SourceRow {
    const { line, lines } = record;
    const base = { line, lines, kind: "row" as const };
    if ("fault" in record || values === undefined) {
      const { fault, raw } = "fault" in record ? record : { fault: NOT_WELL_FORMED, raw: record.text };
      if (fault === "not UTF-8") throw notUtf8(line);
      if (this.#columns === null) refuseHeader(line, fault, "give a CSV file whose first line names the columns");
      // What could not be taken apart stands in the first column, as it is.
      return { ...base, text: raw ?? "", original: this.#padded(raw === null ? [] : [raw]), content: unreadable(line, fault) };
    }
    const { text } = record;
    if (text.trim() === "") return { ...base, kind: "blank", text, original: [], content: { values: {} } };
    if (this.#columns === null) {
      this.#checkHeader(line, text, values);
      this.#takeHeader(values);
      return { ...base, kind: "header", text, original: [], content: { values: {} } };
    }
    const original = this.#padded(values.slice(0, this.#own));
    const count = this.#columns.length;
    if (values.length !== count && values.length !== this.#own) {
      const extra = values.length > count ? `; too many: ${this.#write(values.slice(count)).trimEnd()}` : "";
      return {
        ...base,
        text,
        original,
        content: unreadable(line, `${values.length} values where the header has ${count} columns${extra}`),
      };
    }
    return { ...base, text, original, content: { values: this.#values(values) } };
  }

  #values(values: readonly string[]): ImportValues {
    const byField: ImportValues = {};
    this.#fields.forEach((field, place) => {
      const value = values[place] ?? "";
      if (field !== null && value !== "") byField[field] = withoutGuard(value);
    });
    return byField;
  }

  #takeHeader(columns: readonly string[]): void {
    const tail = columns.slice(-FAILURE_COLUMNS.length);
    const isFailuresFile = FAILURE_COLUMNS.every((name, place) => tail[place] === name);
    this.#own = columns.length - (isFailuresFile ? FAILURE_COLUMNS.length : 0);
    this.#fields = mapHeader(columns.slice(0, this.#own), this.#options.map, this.#options.fields);
    this.#columns = columns;
  }

  /** What people give instead of CSV is told by its own name. */
  #checkHeader(line: number, text: string, values: readonly string[]): void {
    if (/^\s*[{[]/.test(text)) refuseHeader(line, "it looks like JSON", "give --format ndjson, with one object a line");
    if (text.includes("\r")) refuseHeader(line, "lines end with CR alone, or a name has a line break", "save it with LF or CRLF");
    if (text.includes("\0")) refuseHeader(line, "it has NUL bytes", "give the encoding with --encoding, e.g. utf-16le");
    const other = [";", "\t", "|", ","].find((sign) => sign !== this.#options.delimiter && text.includes(sign));
    if (values.length === 1 && other !== undefined) {
      const name = other === "\t" ? "tabs" : other;
      refuseHeader(line, `its columns seem to be separated by ${name}`, `give --delimiter ${other === "\t" ? "tab" : `"${other}"`}`);
    }
  }

  #padded(values: readonly string[]): string[] {
    return Array.from({ length: this.#own }, (_, place) => values[place] ?? "");
  }
}

function refuseHeader(line: number, cause: string, fix: string): never {
  throw new StartupError({ what: `line ${line}, the header, cannot be read`, cause, fix });
}
