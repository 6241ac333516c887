import fc from "fast-check";
import { expect, test } from "vitest";
import { exportHeader, exportRows } from "../../src/cli/export-format.ts";
import { CsvFormat } from "../../src/cli/import-csv.ts";
import { CUSTOMERS } from "../../src/cli/import-target.ts";
import { readLines } from "../../src/cli/import-lines.ts";

const FIELDS = ["clientRef", "firstname", "lastname", "accountName", "email", "country", "accountNumber", "reference"] as const;

/** The account names that `import` reads out of an export of customers with these. */
async function throughCsv(names: readonly string[]): Promise<(string | undefined)[]> {
  const rows = names.map((accountName, row) => ({ ...Object.fromEntries(FIELDS.map((field) => [field, `${row}`])), accountName }));
  const text = exportHeader("csv", FIELDS) + exportRows("csv", FIELDS, rows);
  const bytes = async function* () {
    yield Buffer.from(text);
    await Promise.resolve();
  };
  const format = new CsvFormat({ delimiter: ",", map: {}, fields: CUSTOMERS.fields, columns: null });
  const read: (string | undefined)[] = [];
  for await (const block of format.rows(readLines(bytes()))) {
    for (const row of block)
      if (row.kind === "row") read.push("values" in row.content ? row.content.values["accountName"] : row.content.fault.message);
  }
  return read;
}

const sign = fc.constantFrom("'", "=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠", '"', ",", "\n", "a");
const text = fc.oneof(
  fc.array(sign, { minLength: 1, maxLength: 6 }).map((signs) => signs.join("")),
  fc.string({ unit: "grapheme", minLength: 1 }),
);

test("what an export writes, import reads as it was", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(text, { minLength: 1, maxLength: 20 }), async (names) => {
      expect(await throughCsv(names)).toEqual(names);
    }),
    { numRuns: 500 },
  );
});

test("no value that is exported begins as a formula does", () => {
  fc.assert(
    fc.property(text, (name) => {
      const line = exportRows("csv", ["accountName"], [{ accountName: name }]);
      expect(line.replace(/^"/, "")).not.toMatch(/^[=+\-@\t\r＝＋－＠]/);
    }),
  );
});
