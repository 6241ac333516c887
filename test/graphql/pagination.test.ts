import { expect, test } from "vitest";
import { batchRow, caller, dataOf } from "../support/customers.ts";
import { openGateway } from "../support/gateway.ts";
import { insertMany } from "../support/many-customers.ts";

/** What `first` and `last` may be, in every list. */
const gateway = await openGateway();
const key = await gateway.key();
const { batch } = caller(gateway, key);
const { id: batchId, customerIds } = await batch([
  ...Array.from({ length: 30 }, (_, number) => batchRow(number)),
  ...Array.from({ length: 30 }, () => null),
]);
await insertMany(
  gateway,
  {},
  new Date(),
  Array.from({ length: 100 }, () => ({})),
);
for (let count = 0; count < 21; count++) await batch([null]);

/** Each list: where it stands in a document, and whether it is read from both ends. */
const LISTS: Record<string, { document: (args: string) => string; both: boolean; rows: number }> = {
  customers: {
    document: (args) => `{ customers${args} { edges { cursor } pageInfo { hasNextPage hasPreviousPage } } }`,
    both: true,
    rows: 130,
  },
  batches: { document: (args) => `{ batches${args} { edges { cursor } pageInfo { hasNextPage hasPreviousPage } } }`, both: true, rows: 22 },
  "batch.allFailures": {
    document: (args) =>
      `{ batch(id: "${batchId}") { list: allFailures${args} { edges { cursor } pageInfo { hasNextPage hasPreviousPage } } } }`,
    both: false,
    rows: 30,
  },
  "batch.customers": {
    document: (args) =>
      `{ batch(id: "${batchId}") { list: customers${args} { edges { cursor } pageInfo { hasNextPage hasPreviousPage } } } }`,
    both: false,
    rows: 30,
  },
  "customer.history": {
    document: (args) =>
      `{ customer(by: { id: "${customerIds[0]}" }) { list: history${args} { edges { cursor } pageInfo { hasNextPage hasPreviousPage } } } }`,
    both: false,
    rows: 1,
  },
};

test.each(Object.entries(LISTS))(
  "%s: 20 rows by default, 0 to 100 when told, and nothing else",
  async (_name, { document, both, rows }) => {
    const page = async (args: string) => {
      const data = dataOf((await gateway.query(key, document(args))).body);
      const { edges, pageInfo } = data.list ?? data;
      return [edges.length, pageInfo.hasNextPage, pageInfo.hasPreviousPage];
    };
    expect(await page("")).toEqual([Math.min(20, rows), rows > 20, false]);
    expect(await page("(first: null)")).toEqual([Math.min(20, rows), rows > 20, false]);
    expect(await page("(first: 0)")).toEqual([0, true, false]);
    expect(await page("(first: 100)")).toEqual([Math.min(100, rows), rows > 100, false]);
    expect(await page(`(first: ${Math.min(rows, 100)})`)).toEqual([Math.min(rows, 100), rows > 100, false]);
    if (both) {
      expect(await page("(last: 0)")).toEqual([0, false, true]);
      expect(await page("(last: 100)")).toEqual([Math.min(100, rows), false, rows > 100]);
      expect(await page("(first: null, last: 1)")).toEqual([1, false, true]);
    }

    const illegal = ["(first: -1)", "(first: 101)", "(first: 2147483647)", "(first: -2147483648)"];
    if (both) illegal.push("(last: -1)", "(last: 101)", "(first: 1, last: 1)", "(first: 0, last: 0)");
    for (const args of illegal) {
      const { body } = await gateway.query(key, document(args));
      expect(
        body.errors?.map(({ extensions }) => extensions.code),
        args,
      ).toEqual(["BAD_USER_INPUT"]);
    }
    for (const args of ["(first: 2147483648)", "(first: 1.5)", '(first: "1")']) {
      expect((await gateway.query(key, document(args))).body.errors?.[0]!.extensions.code, args).toMatch(
        /^(BAD_USER_INPUT|GRAPHQL_VALIDATION_FAILED)$/,
      );
    }
  },
);
