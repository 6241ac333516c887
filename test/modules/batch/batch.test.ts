import { expect, test } from "vitest";
import { batchRow, caller, dataOf } from "../../support/customers.ts";
import { openGateway } from "../../support/gateway.ts";

const gateway = await openGateway();
const { db } = gateway.app.services;

/** A bank of its own for each test, so that none sees another's customers. */
const inBank = async (bank: string) => caller(gateway, await gateway.key({ bank }));
const stored = (bankId: string) => db.customer.count({ where: { bankId } });

const KEYS = [
  ["email", "EMAIL"],
  ["clientRef", "CLIENT_REF"],
  ["reference", "REFERENCE"],
] as const;

test("500 rows with all four kinds of failure give exactly the expected indexes, codes and sums", async () => {
  const { batch } = await inBank("five-hundred");
  const existing = await batch(Array.from({ length: 50 }, (_, number) => batchRow(1000 + number)));
  const rows: Record<string, unknown>[] = [];
  const failures: object[] = [];
  for (let index = 0; index < 500; index++) {
    const row: Record<string, unknown> = batchRow(index);
    const kind = index % 10;
    const turn = Math.floor(index / 10) % 3;
    const [key, matchedOn] = KEYS[turn]!;
    if (kind === 3) {
      row["lastname"] = [undefined, null, " \u200b "][turn];
      failures.push({ __typename: "InvalidData", index, code: "INVALID_DATA", issues: [{ field: "lastname", message: "is required" }] });
    } else if (kind === 5) {
      Object.assign(row, { email: `customer.${index}.example.com`, country: "ZZ" });
      failures.push({
        __typename: "ValidationError",
        index,
        code: "VALIDATION_ERROR",
        issues: [
          { field: "country", message: "must be an ISO 3166-1 alpha-2 country code, such as NG" },
          { field: "email", message: "must be an e-mail address, such as name@example.com" },
        ],
      });
    } else if (kind === 7) {
      row[key] = ` ${String(rows[index - 1]![key])}`;
      failures.push({ __typename: "DuplicateInBatch", index, code: "DUPLICATE_IN_BATCH", field: matchedOn, firstIndex: index - 1 });
    } else if (kind === 9) {
      const place = Math.floor(index / 10);
      row[key] = batchRow(1000 + place)[key];
      failures.push({
        __typename: "ExistingCustomer",
        index,
        code: "EXISTING_CUSTOMER",
        matchedOn,
        customerId: existing.customerIds[place],
      });
    }
    rows.push(row);
  }
  const result = await batch(rows);
  expect(result.summary).toEqual({
    total: 500,
    successful: 300,
    failed: 200,
    duplicates: 100,
    invalidData: 100,
    pending: 0,
    rolledBack: 0,
  });
  expect(result).toMatchObject({
    status: "COMPLETED",
    createdCount: 300,
    failuresInline: false,
    inlineFailureLimit: 50,
    dryRun: false,
    replayed: false,
  });
  expect(result.failures).toHaveLength(50);
  expect(result.failures).toMatchObject(failures.slice(0, 50));

  expect(await allFailures(result.id, 100)).toMatchObject(failures);
  for (const code of ["INVALID_DATA", "VALIDATION_ERROR", "DUPLICATE_IN_BATCH", "EXISTING_CUSTOMER"]) {
    const ofCode = failures.filter((failure) => (failure as { code: string }).code === code);
    expect(await allFailures(result.id, 7, code)).toMatchObject(ofCode);
  }

  const good = rows.filter((_, index) => ![3, 5, 7, 9].includes(index % 10)).map(({ email }) => email);
  const created = await db.customer.findMany({ where: { id: { in: result.customerIds } }, select: { id: true, email: true } });
  const emailOf = new Map(created.map(({ id, email }) => [id, email]));
  expect(result.customerIds.map((id: string) => emailOf.get(id))).toEqual(good);
  expect(await stored("five-hundred")).toBe(350);
});

/** All failures of a batch, walked by pages. */
async function allFailures(id: string, first: number, code?: string, after?: string): Promise<any[]> {
  const key = await gateway.key({ bank: "five-hundred" });
  const { body } = await gateway.query(
    key,
    `query ($id: ID!, $first: Int, $after: String, $code: BatchErrorCode) {
      batch(id: $id) { allFailures(first: $first, after: $after, code: $code) {
        pageInfo { hasNextPage endCursor }
        nodes {
          __typename
          ... on BatchItemFailure { index code }
          ... on DuplicateInBatch { field firstIndex }
          ... on InvalidData { issues { field message } }
          ... on ExistingCustomer { matchedOn customerId }
          ... on ValidationError { issues { field message } }
        }
      } }
    }`,
    { id, first, after, code },
  );
  const { nodes, pageInfo } = dataOf(body).allFailures;
  expect(nodes.length).toBeLessThanOrEqual(first);
  return pageInfo.hasNextPage ? [...nodes, ...(await allFailures(id, first, code, pageInfo.endCursor))] : nodes;
}

test("50 failures stand inline, 51 do not", async () => {
  const { batch } = await inBank("inline");
  const bad = Array.from({ length: 51 }, (_, number) => batchRow(number, { email: null }));
  const fifty = await batch(bad.slice(0, 50));
  expect(fifty).toMatchObject({ status: "COMPLETED", createdCount: 0, customerIds: [], failuresInline: true });
  expect(fifty.failures).toHaveLength(50);
  const more = await batch(bad);
  expect(more.failuresInline).toBe(false);
  expect(more.failures.map(({ index }: { index: number }) => index)).toEqual(bad.slice(0, 50).map((_, index) => index));
  expect(more.summary).toEqual({ total: 51, successful: 0, failed: 51, duplicates: 0, invalidData: 51, pending: 0, rolledBack: 0 });
});

test("an empty batch and one of 501 rows are InvalidBatch, and nothing is written", async () => {
  const { batch } = await inBank("sizes");
  for (const rows of [[], Array.from({ length: 501 }, (_, number) => batchRow(number))]) {
    expect(await batch(rows)).toEqual({
      __typename: "InvalidBatch",
      code: "INVALID_BATCH",
      message: "A batch has 1 to 500 rows.",
      maxRows: 500,
    });
  }
  expect(await stored("sizes")).toBe(0);
  expect(await db.batch.count({ where: { bankId: "sizes" } })).toBe(0);
});
