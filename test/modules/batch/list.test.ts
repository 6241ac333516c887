import { connectionFromArray, offsetToCursor } from "graphql-relay";
import { expect, test } from "vitest";
import { batchRow, caller, dataOf } from "../../support/customers.ts";
import { openGateway } from "../../support/gateway.ts";

const gateway = await openGateway();
const key = await gateway.key();
const { batch } = caller(gateway, key);

test("batches come newest first, and by pages as graphql-relay's connectionFromArray has them", async () => {
  for (let number = 0; number < 12; number++) await batch([null]);
  // Some at the same moment, so that only the id tells them apart.
  const { db } = gateway.app.services;
  const { createdAt } = await db.batch.findFirstOrThrow({ where: { bankId: "alpha" }, orderBy: { createdAt: "asc" }, skip: 3 });
  await db.batch.updateMany({ where: { bankId: "alpha", createdAt: { lte: createdAt } }, data: { createdAt } });
  const rows = await db.batch.findMany({ where: { bankId: "alpha" }, orderBy: [{ createdAt: "desc" }, { id: "desc" }] });

  const read = async (args: object) =>
    dataOf(
      (
        await gateway.query(
          key,
          `query ($first: Int, $after: String, $last: Int, $before: String) { batches(first: $first, after: $after, last: $last, before: $before) {
            nodes { id } edges { cursor node { id } } pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
          } }`,
          args,
        )
      ).body,
    );
  const cursors = (await read({ first: 100 })).edges.map(({ cursor }: { cursor: string }) => cursor) as string[];
  const places = [null, 0, 5, 11];
  for (const after of places) {
    for (const before of places) {
      for (const end of [{ first: 0 }, { first: 3 }, { first: 12 }, { last: 0 }, { last: 3 }, { last: 12 }]) {
        const at = (place: number | null, of: (place: number) => string) => (place === null ? null : of(place));
        const expected = connectionFromArray(rows, { ...end, after: at(after, offsetToCursor), before: at(before, offsetToCursor) });
        const actual = await read({ ...end, after: at(after, (place) => cursors[place]!), before: at(before, (place) => cursors[place]!) });
        const ids = expected.edges.map(({ node }) => `bat_${node.id}`);
        expect(actual.nodes.map(({ id }: { id: string }) => id)).toEqual(ids);
        expect(actual.edges.map(({ node }: { node: { id: string } }) => node.id)).toEqual(ids);
        const { hasNextPage, hasPreviousPage } = expected.pageInfo;
        expect(actual.pageInfo).toEqual({
          hasNextPage,
          hasPreviousPage,
          startCursor: actual.edges.at(0)?.cursor ?? null,
          endCursor: actual.edges.at(-1)?.cursor ?? null,
        });
      }
    }
  }
});

test("a batch's customers and failures come in the order of its rows, each once, by pages of any size", async () => {
  const rows = Array.from({ length: 45 }, (_, number) =>
    number % 3 === 1 ? batchRow(number, { email: "x" }) : number % 3 === 2 ? null : batchRow(number),
  );
  const { id, customerIds } = await batch(rows);
  const indexes = (remainder: number[]) => rows.map((_, index) => index).filter((index) => remainder.includes(index % 3));
  const LISTS: [string, string, unknown[]][] = [
    [
      "customers(first: $first, after: $after)",
      "... on Customer { clientRef }",
      indexes([0]).map((index) => ({ clientRef: `client-${index}` })),
    ],
    ["allFailures(first: $first, after: $after)", "... on BatchItemFailure { index }", indexes([1, 2]).map((index) => ({ index }))],
    [
      "allFailures(first: $first, after: $after, code: INVALID_DATA)",
      "... on BatchItemFailure { index }",
      indexes([2]).map((index) => ({ index })),
    ],
  ];
  for (const [list, selection, expected] of LISTS) {
    for (const first of [1, 4, expected.length - 1, expected.length, 100]) {
      const nodes: unknown[] = [];
      for (let after: string | null = null, more = true; more;) {
        const { body }: any = await gateway.query(
          key,
          `query ($id: ID!, $first: Int, $after: String) { batch(id: $id) { list: ${list} { nodes { ${selection} } edges { cursor } pageInfo { hasNextPage hasPreviousPage endCursor } } } }`,
          { id, first, after },
        );
        const page = dataOf(body).list;
        nodes.push(...page.nodes);
        after = page.pageInfo.endCursor;
        more = page.pageInfo.hasNextPage;
        expect(page.edges.at(-1).cursor).toBe(after);
        expect([more, page.pageInfo.hasPreviousPage]).toEqual([nodes.length < expected.length, false]);
      }
      expect(nodes).toEqual(expected);
    }
  }
  const { body } = await gateway.query(
    key,
    "query ($id: ID!) { batch(id: $id) { createdCount customers(first: 1) { totalCount totalCountPrecision nodes { id } } } }",
    { id },
  );
  expect(dataOf(body)).toEqual({
    createdCount: 15,
    customers: { totalCount: 15, totalCountPrecision: "EXACT", nodes: [{ id: customerIds[0] }] },
  });
});
