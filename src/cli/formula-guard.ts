/** What a spreadsheet takes for a formula by its first sign, full-width forms included, behind any number of guards. */
const FORMULA = /^'*[=+\-@\t\r＝＋－＠]/;

/**
 * A value as it may stand in a CSV file: one that a spreadsheet would run as a formula, or show as a rounded number, gets
 * a `'` before it. So does one that has guards before such a sign already, so that `withoutGuard` gives every value back.
 */
export function withGuard(value: string): string {
  return FORMULA.test(value) ? `'${value}` : value;
}

/** The value that `withGuard` was given. */
export function withoutGuard(value: string): string {
  return value.startsWith("'") && FORMULA.test(value) ? value.slice(1) : value;
}
