import { expect, test, vi } from "vitest";
import { dataOf } from "../../support/customers.ts";
import { openGateway } from "../../support/gateway.ts";
import { insertMany } from "../../support/many-customers.ts";

// Much to insert or to ask: minutes on a busy machine.
vi.setConfig({ testTimeout: 600_000, hookTimeout: 600_000 });

const gateway = await openGateway();
const key = await gateway.key();
const COUNT = "totalCount totalCountPrecision";

/** What a document's `customers` gives, and the statements that it cost. */
async function run(selection: string, args = "") {
  gateway.statements.length = 0;
  const data = dataOf((await gateway.query(key, `{ customers${args} { ${selection} } }`)).body);
  return { data, statements: gateway.statements.filter((sql) => /customer"/.test(sql)) };
}
const insert = (count: number) =>
  insertMany(
    gateway,
    {},
    new Date(),
    Array.from({ length: count }, (_, number) => ({ gender: number % 2 ? "MALE" : "FEMALE" })),
  );

test("counts only when asked, in one statement, and reads no page for it", async () => {
  expect((await run(COUNT)).data).toEqual({ totalCount: 0, totalCountPrecision: "EXACT" });
  await insert(1);
  expect((await run("nodes { id } edges { cursor } pageInfo { hasNextPage }")).statements).toHaveLength(1);
  expect((await run("__typename")).statements).toHaveLength(0);
  for (const selection of ["totalCount", "totalCountPrecision", `${COUNT} again: totalCount`, "totalCount @skip(if: false)"]) {
    const { statements } = await run(selection);
    expect(statements).toHaveLength(1);
    expect(statements[0]).toMatch(/COUNT\(\*\)/);
  }
  expect((await run("nodes { id } totalCount @skip(if: true)")).statements).toHaveLength(1);
  expect((await run(`nodes { id } ${COUNT}`)).statements).toHaveLength(2);
});

test("takes no notice of cursors and of the page's size, but of the filter", async () => {
  await insert(29);
  const { data } = await run("edges { cursor }", "(first: 3)");
  const [first, , third] = data.edges;
  for (const args of [
    "(first: 0)",
    "(last: 1)",
    `(after: "${third.cursor}")`,
    `(last: 2, before: "${third.cursor}")`,
    `(after: "${third.cursor}", before: "${first.cursor}")`,
  ]) {
    expect((await run(COUNT, args)).data).toEqual({ totalCount: 30, totalCountPrecision: "EXACT" });
  }
  expect((await run(COUNT, "(filter: { genders: [MALE] })")).data).toEqual({ totalCount: 14, totalCountPrecision: "EXACT" });
  expect((await run(COUNT, "(filter: { ids: [] })")).data).toEqual({ totalCount: 0, totalCountPrecision: "EXACT" });
});

test("is exact up to 10,000 and stops there", async () => {
  await insert(9_969);
  expect((await run(COUNT)).data).toEqual({ totalCount: 9_999, totalCountPrecision: "EXACT" });
  await insert(1);
  expect((await run(COUNT)).data).toEqual({ totalCount: 10_000, totalCountPrecision: "EXACT" });
  await insert(1);
  expect((await run(COUNT)).data).toEqual({ totalCount: 10_000, totalCountPrecision: "AT_LEAST" });
  await insert(500);
  const { data, statements } = await run(`nodes { id } ${COUNT}`);
  expect(data).toMatchObject({ totalCount: 10_000, totalCountPrecision: "AT_LEAST" });
  // The database stops counting, too.
  expect(statements.find((sql) => sql.includes("COUNT(*)"))).toMatch(/LIMIT \$\d/);
  expect((await run(COUNT, "(filter: { genders: [FEMALE] })")).data.totalCountPrecision).toBe("EXACT");
});
