/** What recorded SQL statements read. Only tables that hold a bank's data count: not keys, not the audit's. */
const TABLES = ["customer", "customer_event", "blacklist_entry", "batch", "batch_failure", "device"];

const tableOf = (sql: string) => TABLES.find((table) => new RegExp(`\\bFROM\\s+("public"\\.)?"?${table}"?(\\s|$)`).test(sql));

/** How many statements read each table: `{customer: 1}`. */
export function readsOf(statements: readonly string[]): Record<string, number> {
  const reads: Record<string, number> = {};
  for (const sql of statements) {
    const table = /^\s*SELECT/.test(sql) ? tableOf(sql) : undefined;
    if (table) reads[table] = (reads[table] ?? 0) + 1;
  }
  return reads;
}

/** The columns of a table that any statement selects, sorted. Columns in conditions are not selected. */
export function columnsRead(statements: readonly string[], table: string): string[] {
  const columns = statements
    .filter((sql) => tableOf(sql) === table && !/COUNT\(\*\)/.test(sql))
    .flatMap((sql) => [...sql.slice(0, sql.search(/\bFROM\b/)).matchAll(/"(\w+)"(?=\s*(?:,|$|AS|::))/g)].map(([, column]) => column!));
  return [...new Set(columns)].sort();
}
