import { stringify } from "csv-stringify/sync";
import type { CustomerFieldName } from "../access/visibility.ts";
import type { ExportRow } from "./export-pages.ts";
import { withGuard } from "./formula-guard.ts";

export type ExportFormat = "csv" | "ndjson";

/** What stands before the rows: a header in CSV, nothing in NDJSON. */
export function exportHeader(format: ExportFormat, fields: readonly CustomerFieldName[]): string {
  return format === "csv" ? stringify([fields]) : "";
}

/**
 * Rows as text. In CSV values are guarded against being run as formulas, and a null is empty. NDJSON has every value
 * as it is.
 */
export function exportRows(format: ExportFormat, fields: readonly CustomerFieldName[], rows: readonly ExportRow[]): string {
  if (format === "csv") {
    const cells = rows.map((row) => fields.map((field) => (row[field] == null ? "" : withGuard(String(row[field])))));
    // A lone carriage return would be read as part of the line's end.
    return stringify(cells, { quoted_match: /\r/ });
  }
  return rows.map((row) => `${JSON.stringify(Object.fromEntries(fields.map((field) => [field, row[field] ?? null])))}\n`).join("");
}
