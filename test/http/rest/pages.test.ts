import { expect, test, vi } from "vitest";
import { openGateway } from "../../support/gateway.ts";
import { insertMany } from "../../support/many-customers.ts";
import { rest } from "../../support/rest.ts";
import { readsOf } from "../../support/statements.ts";

// Much to insert: minutes on a busy machine.
vi.setConfig({ testTimeout: 600_000, hookTimeout: 600_000 });

const gateway = await openGateway();
const call = rest(gateway, await gateway.key());
const page = async (query: string) => (await call("GET", `/v1/customers?${query}`)).body;
const insert = (count: number) =>
  insertMany(
    gateway,
    {},
    new Date(),
    Array.from({ length: count }, () => ({})),
  );

const meta = (number: number, take: number, itemCount: number, pageCount: number, previous: boolean, next: boolean) => ({
  page: number,
  take,
  itemCount,
  pageCount,
  hasPreviousPage: previous,
  hasNextPage: next,
});

test("no customers: no page before or after", async () => {
  expect(await page("")).toMatchObject({ data: [], meta: meta(1, 20, 0, 0, false, false) });
  expect(await page("page=3")).toMatchObject({ data: [], meta: meta(3, 20, 0, 0, false, false) });
});

test("pages are the list, cut: each customer once, in the list's order", async () => {
  await insert(45);
  const pages = [await page("take=20"), await page("page=2&take=20"), await page("take=20&page=3")];
  expect(pages.map((one) => one.meta)).toEqual([
    meta(1, 20, 45, 3, false, true),
    meta(2, 20, 45, 3, true, true),
    meta(3, 20, 45, 3, true, false),
  ]);
  const ids = pages.flatMap((one) => one.data.map((customer: { id: string }) => customer.id));
  const listed = (await page("take=100")).data.map((customer: { id: string }) => customer.id);
  expect(ids).toEqual(listed);
  expect(new Set(ids).size).toBe(45);
  expect(await page("page=4&take=20")).toMatchObject({ data: [], meta: meta(4, 20, 45, 3, true, false) });

  const bare = async (number: number) => (await call("GET", `/v1/bank/customers?limit=20&page=${number}`)).body;
  const all = [...(await bare(1)), ...(await bare(2)), ...(await bare(3))];
  expect(all.map((customer: { id: string }) => customer.id)).toEqual(listed);
  expect(await bare(4)).toEqual([]);
});

test("counting and paging stop at 10,000 rows, and a page costs one read and one count wherever it is", async () => {
  await insert(10_000);
  expect((await page("take=100&page=100")).meta).toEqual(meta(100, 100, 10_000, 100, true, false));
  // 30 does not divide 10,000: the last page that can be had ends before.
  expect((await page("take=30&page=333")).meta).toEqual(meta(333, 30, 10_000, 333, true, false));
  expect((await call("GET", "/v1/customers?take=30&page=334")).status).toBe(400);
  expect((await page("take=1&page=10000")).data).toHaveLength(1);
  for (const number of [1, 100]) {
    gateway.statements.length = 0;
    expect((await page(`take=100&page=${number}`)).data).toHaveLength(100);
    expect(readsOf(gateway.statements)).toEqual({ customer: 2 });
  }
});

test("GraphQL has cursors, and no page numbers", async () => {
  const { body } = await gateway.query(await gateway.key(), "{ customers(first: 1, offset: 5) { nodes { id } } }");
  expect(body.errors![0]!.extensions.code).toBe("GRAPHQL_VALIDATION_FAILED");
});
