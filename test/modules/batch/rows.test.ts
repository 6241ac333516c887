import { expect, test } from "vitest";
import { batchRow, BATCH, caller } from "../../support/customers.ts";
import { openGateway } from "../../support/gateway.ts";

const gateway = await openGateway();
const { db } = gateway.app.services;

/** A bank of its own for each test, so that none sees another's customers. */
const inBank = async (bank: string) => caller(gateway, await gateway.key({ bank }));
const stored = (bankId: string) => db.customer.count({ where: { bankId } });

test("a null row, missing fields and blank ones are INVALID_DATA with every missing field, and nothing else is said of them", async () => {
  const { batch } = await inBank("missing");
  const blanks = ["", "   ", "\t\n", "\u00a0\u3000", "\u200b\u200d\ufeff", "\u00ad", "\u3164", "\u115f", "\u2800", "\u034f"];
  const rows = [null, {}, ...blanks.map((blank, number) => batchRow(number, { firstname: blank, email: "no address" }))];
  const { failures, summary } = await batch(rows);
  expect(summary).toMatchObject({ failed: rows.length, invalidData: rows.length });
  expect(failures[0]).toMatchObject({ index: 0, clientRef: null, code: "INVALID_DATA", issues: [{ field: null }] });
  const required = ["clientRef", "firstname", "lastname", "accountName", "country", "email", "accountNumber", "reference"];
  expect(failures[1].issues).toEqual(required.map((field) => ({ field, message: "is required" })));
  for (const failure of failures.slice(2)) expect(failure.issues).toEqual([{ field: "firstname", message: "is required" }]);
  expect(failures[2].clientRef).toBe("client-0");
});

test.each([
  ["a number", { firstname: 7 }],
  ["a boolean", { email: true }],
  ["an object", { email: { toString: "x" } }],
  ["a list", { reference: ["a", "b"] }],
  ["a field that rows do not have", { bankId: "other" }],
])("%s in a row is BAD_USER_INPUT with the row's index, and nothing is written", async (_kind, changes) => {
  const key = await gateway.key({ bank: "types" });
  const rows = [batchRow(0), batchRow(1), batchRow(2, changes)];
  const { body, status } = await gateway.query(key, BATCH, { input: { customers: rows } });
  expect(status).toBeLessThan(500);
  expect(body.errors).toMatchObject([{ extensions: { code: "BAD_USER_INPUT", index: 2 } }]);
  expect(await stored("types")).toBe(0);
});

test("gender is read in any case", async () => {
  const { batch } = await inBank("gender");
  const rows = ["male", "MALE", "Female", "oTHER", " other ", null, ""].map((gender, number) => batchRow(number, { gender }));
  const { customerIds } = await batch(rows);
  const genders = await db.customer.findMany({ where: { id: { in: customerIds } }, select: { id: true, gender: true } });
  const byId = new Map(genders.map(({ id, gender }) => [id, gender]));
  expect(customerIds.map((id: string) => byId.get(id))).toEqual(["MALE", "MALE", "FEMALE", "OTHER", "OTHER", null, null]);
  expect((await batch([batchRow(9, { gender: "unknown" })])).failures).toMatchObject([
    { code: "VALIDATION_ERROR", issues: [{ field: "gender" }] },
  ]);
});

test("a failure's clientRef is as it came, even where it cannot be stored as it came", async () => {
  const { batch } = await inBank("client-refs");
  const odd = ["  spaced  ", "a\0b", "lone \ud800", `${"x".repeat(99)}😀`, "x".repeat(5000), "😀".repeat(200)];
  const { failures } = await batch(odd.map((clientRef, number) => batchRow(number, { clientRef, email: null })));
  expect(failures.map(({ clientRef }: { clientRef: string }) => clientRef)).toEqual([
    "  spaced  ",
    "a\ufffdb",
    "lone \ufffd",
    `${"x".repeat(99)}😀`,
    "x".repeat(100),
    "😀".repeat(100),
  ]);
});
