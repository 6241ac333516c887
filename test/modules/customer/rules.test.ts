import { expect, test } from "vitest";
import { batchRow, caller, dataOf } from "../../support/customers.ts";
import { openGateway } from "../../support/gateway.ts";

const gateway = await openGateway();
const key = await gateway.key();
const { batch, update, create, find } = caller(gateway, key);

let numbers = 0;
/** A batch of rows that differ from a valid one by the changes; its failures' fields by index. */
async function issuesOf(changes: object[]): Promise<Map<number, string[]>> {
  const rows = changes.map((change) => batchRow(++numbers, { ...change }));
  const { id } = await batch(rows, { dryRun: true });
  const { body } = await gateway.query(
    key,
    "query ($id: ID!) { batch(id: $id) { allFailures(first: 100) { nodes { ... on BatchItemFailure { index } ... on ValidationError { issues { field message } } } } } }",
    { id },
  );
  const nodes: { index: number; issues: { field: string; message: string }[] }[] = dataOf(body).allFailures.nodes;
  return new Map(nodes.map(({ index, issues }) => [index, issues.map(({ field, message }) => `${field} ${message}`)]));
}

const country = "must be an ISO 3166-1 alpha-2 country code, such as NG";
const email = "must be an e-mail address, such as name@example.com";
const phone = "must be a phone number, such as +2348012345678";
const account = "must be letters and digits, with single signs between";
const control = "must not contain control characters";

test("what is refused, and why", async () => {
  const cases: [field: string, value: string, message: string][] = [
    ["clientRef", "x".repeat(101), "must be at most 100 characters"],
    ["firstname", "😀".repeat(101), "must be at most 100 characters"],
    ["accountName", "x".repeat(201), "must be at most 200 characters"],
    ["address", "x".repeat(501), "must be at most 500 characters"],
    ["email", `${"x".repeat(250)}@example.com`, "must be at most 254 characters"],
    ["email", `${"x".repeat(65)}@example.com`, email],
    ...[
      "name.example.com",
      "@example.com",
      "name@",
      "name@example",
      "na me@example.com",
      "name @example.com",
      "name@ example.com",
      "a@b@example.com",
      "name@exam_ple.com",
      "name@-example.com",
      "name@example..com",
      "name@example.com.",
      "name@bücher.example/path",
      "name@bücher.example?x",
      "name@bücher.example#x",
      "name@b%41ücher.example",
      "name@bücher\\.example",
      "name@[127.0.0.1]",
      "Name <name@example.com>",
      "nämé@example.com",
      "nаme@example.com", // Cyrillic а
      "名@example.com",
    ].map((value): [string, string, string] => ["email", value, email]),
    ...["N", "NGA", "ZZ", "N1", "ＮＧ", "__"].map((value): [string, string, string] => ["country", value, country]),
    ...["12", "phone", "+", "+999123456", "+2348012345678 ext. 5", "08012345678; 08012345679", "tel:+2348012345678"].map(
      (value): [string, string, string] => ["phone", value, phone],
    ),
    ["phone", "0".repeat(33), "must be at most 32 characters"],
    ...["-123", "12_34", "12\u00a034", "１２３４", "'; DROP TABLE customer"].map((value): [string, string, string] => [
      "accountNumber",
      value,
      account,
    ]),
    ["accountNumber", "1".repeat(35), "must be at most 34 characters"],
    ["gender", "male or female", "must be MALE, FEMALE or OTHER"],
    ...["\0", "a\0b", "a\u0007", "a\nb", "a\u0085b", "\ud800", "a\udc00b", "a\u202eb", "a\u2066b"].flatMap((value) =>
      ["firstname", "reference", "state"].map((field): [string, string, string] => [field, value, control]),
    ),
    ["address", "a\u0000\nb", control],
  ];
  const issues = await issuesOf(cases.map(([field, value]) => ({ [field]: value })));
  cases.forEach(([field, value, message], index) =>
    expect(issues.get(index), `${field}: ${JSON.stringify(value)}`).toEqual([`${field} ${message}`]),
  );
});

test("what is accepted, and its normal form", async () => {
  const cases: [field: string, value: string, stored: string][] = [
    ["firstname", "  Ada\u3000", "Ada"],
    ["firstname", "Cafe\u0301", "Café"],
    ["firstname", "\u212bngstro\u0308m", "Ångström"],
    ["firstname", "O’Brien-Smith 3rd", "O’Brien-Smith 3rd"],
    ["firstname", "😀".repeat(100), "😀".repeat(100)],
    ["firstname", "__proto__", "__proto__"],
    ["lastname", "محمد \u200fعلي", "محمد \u200fعلي"],
    ["lastname", "می\u200cخواهم", "می\u200cخواهم"],
    ["address", " 1 Road\r\n\tTown ", "1 Road\r\n\tTown"],
    ["country", " gh ", "GH"],
    ["country", "xk", "XK"],
    ["gender", "feMale", "FEMALE"],
    ["accountNumber", " GB82 WEST-1234/5.6 ", "GB82 WEST-1234/5.6"],
    ["email", " Some.Name+Tag@EXAMPLE.Com ", "some.name+tag@example.com"],
    ["email", "a@BÜCHER.example", "a@xn--bcher-kva.example"],
    ["email", "b@bu\u0308cher.example", "b@xn--bcher-kva.example"],
    ["email", "c@XN--BCHER-KVA.example", "c@xn--bcher-kva.example"],
    ["email", "d@例え。テスト", "d@xn--r8jz45g.xn--zckzah"],
    ["email", "e!#$%&'*+/=?^_`{|}~-@example.com", "e!#$%&'*+/=?^_`{|}~-@example.com"],
    ["email", `${"x".repeat(64)}@example.com`, `${"x".repeat(64)}@example.com`],
    ["phone", " +234 (0) 801-234.5678 ", "+2348012345678"],
    ["phone", "0801 234 5678", "+2348012345678"],
    ["phone", "+٢٣٤ ٨٠١ ٢٣٤ ٥٦٧٨", "+2348012345678"],
    ["phone", "＋２３４８０１２３４５６７８", "+2348012345678"],
    ["phone", "00 44 20 7946 0018".replace("00 ", "+"), "+442079460018"],
    ["state", " \u200b ", null as never],
  ];
  const { customerIds, failures } = await batch(cases.map(([field, value]) => batchRow(++numbers, { [field]: value })));
  expect(failures).toEqual([]);
  const customers = await Promise.all(customerIds.map((id: string) => find({ id })));
  cases.forEach(([field, value, stored], index) => expect(customers[index][field], `${field}: ${JSON.stringify(value)}`).toBe(stored));
});

test("a web address of a picture", async () => {
  const { id } = await create({ firstname: "P", lastname: "Q", email: "picture@example.com", country: "NG" });
  for (const displayPicture of ["https://example.com/a.png?x=1", "http://localhost:8080/", "https://bücher.example/ü"]) {
    const result = await update({ id, update: { displayPicture } });
    expect(result.displayPicture).toBe(new URL(displayPicture).href);
  }
  for (const displayPicture of [
    "example.com/a.png",
    "javascript:alert(1)",
    "data:image/png;base64,AAAA",
    "ftp://example.com",
    "https://user:secret@example.com",
    "https://",
    "https://example.com/\u202e",
    `https://example.com/${"x".repeat(2048)}`,
  ]) {
    expect(await update({ id, update: { displayPicture } }), displayPicture).toMatchObject({
      __typename: "InvalidCustomerData",
      issues: [{ field: "displayPicture" }],
    });
  }
});

test("every country that is accepted can be read", async () => {
  const letters = Array.from("ABCDEFGHIJKLMNOPQRSTUVWXYZ");
  const codes = letters.flatMap((one) => letters.map((two) => one + two));
  let accepted = 0;
  for (let start = 0; start < codes.length; start += 100) {
    const part = codes.slice(start, start + 100);
    const { customerIds } = await batch(part.map((code) => batchRow(++numbers, { country: code, phone: "+2348012345678" })));
    accepted += customerIds.length;
    const { body } = await gateway.query(
      key,
      "query ($ids: [ID!]) { customers(first: 100, filter: { ids: $ids }) { nodes { country } } }",
      { ids: customerIds },
    );
    const read = dataOf(body).nodes.map((customer: { country: string }) => customer.country);
    expect(part).toEqual(expect.arrayContaining(read));
    expect(read).toHaveLength(customerIds.length);
  }
  expect(accepted).toBe(250);
});
