import pg from "pg";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { transaction } from "../../../src/database/client.ts";
import { expireBlacklists } from "../../../src/modules/customer/customer.jobs.ts";
import { dataOf } from "../../support/customers.ts";
import { isWork, openGateway } from "../../support/gateway.ts";
import { insertMany } from "../../support/many-customers.ts";

// Much to insert or to ask: minutes on a busy machine.
vi.setConfig({ testTimeout: 600_000, hookTimeout: 600_000 });

/** How PostgreSQL answers: by an index, and by reading about as many rows as it gives, deep in a list as at its top. */
const BANKS = ["alpha", "beta", "gamma", "delta"];
const PER_BANK = 5_000;
/** So many were created at once. */
const MOMENT = 200;
const PAGE =
  "query ($after: String, $orderBy: CustomerOrder, $filter: CustomerFilter) { customers(first: 100, after: $after, orderBy: $orderBy, filter: $filter) { nodes { id accountName } pageInfo { endCursor } } }";

/** A node of a plan, as EXPLAIN prints it. */
interface PlanNode {
  "Node Type": string;
  "Relation Name"?: string;
  "Index Name"?: string;
  "Actual Rows": number;
  "Actual Loops": number;
  "Rows Removed by Filter"?: number;
  "Rows Removed by Index Recheck"?: number;
  Plans?: PlanNode[];
}

interface Recorded {
  text: string;
  values: unknown[];
}

/** What pg is sent, passed on unchanged. */
const sent: Recorded[] = [];
const original = pg.Client.prototype.query;
const spy = vi.spyOn(pg.Client.prototype, "query").mockImplementation(function (this: pg.Client, ...args: any[]) {
  const [query, values] = args;
  if (query.enter) sent.push(query.enter);
  sent.push(typeof query === "string" ? { text: query, values: values ?? [] } : { text: query.text, values: query.values ?? values ?? [] });
  return (original as (...all: unknown[]) => any).apply(this, args);
});
afterAll(() => spy.mockRestore());

type Explained = { "QUERY PLAN": [{ Plan: PlanNode }] }[];

/** All nodes of a plan. */
function planNodes([answer]: Explained): PlanNode[] {
  const all = (node: PlanNode): PlanNode[] => [node, ...(node.Plans ?? []).flatMap(all)];
  return all(answer!["QUERY PLAN"][0].Plan);
}

const READS = /^SELECT .* FROM .*"customer"/s;

describe.each([
  ["with row-level security", true],
  ["without row-level security", false],
])("%s", async (_name, rowLevelSecurity) => {
  const gateway = await openGateway({ rowLevelSecurity });
  const { db } = gateway.app.services;
  const key = await gateway.key({ bank: "gamma" });
  let middle: Record<string, string>;

  beforeAll(async () => {
    for (const bank of BANKS) {
      await gateway.key({ bank });
      for (let start = 0; start < PER_BANK; start += MOMENT) {
        const names = Array.from({ length: MOMENT }, (_, row) => ({
          accountName: `Name${(start + row) % 400} Surname${(start * 7 + row) % 900} Unique${bank}${start + row}`,
        }));
        await insertMany(gateway, { bank }, new Date(Date.UTC(2026, 0, 1) + start * 1000), names);
      }
    }
    await db.$executeRawUnsafe("ANALYZE customer");
    const found = await db.customer.findMany({
      where: { bankId: "gamma" },
      orderBy: [{ createdAt: "desc" }, { id: "desc" }],
      skip: 2_500,
      take: 1,
    });
    middle = found[0] as never;
  });

  /** The plan of the one statement on customers that a document costs, run under the role that ran it. */
  async function planOf(document: string, variables: object = {}): Promise<PlanNode[]> {
    sent.length = 0;
    dataOf((await gateway.query(key, document, variables)).body);
    return planOfThe(sent.filter(({ text }) => isWork(text) && READS.test(text)));
  }

  async function planOfThe(reads: Recorded[]): Promise<PlanNode[]> {
    expect(reads).toHaveLength(1);
    const [{ text, values }] = reads as [Recorded];
    const role = sent.find((statement) => statement.text.includes("set_config('role'"));
    expect(role !== undefined).toBe(rowLevelSecurity);
    const [answer] = await transaction(db, async (tx) => {
      if (role) await tx.$queryRawUnsafe(role.text, ...role.values);
      return tx.$queryRawUnsafe<Explained>(`EXPLAIN (ANALYZE, FORMAT JSON) ${text}`, ...values);
    });
    return planNodes([answer!]);
  }

  const indexesOf = (plan: PlanNode[]) => plan.flatMap((node) => node["Index Name"] ?? []);
  /** Rows that were looked at, whether they were of use or not. */
  const looksAt = (plan: PlanNode[]) =>
    Math.max(
      ...plan.map(
        (node) =>
          node["Actual Loops"] *
          (node["Actual Rows"] + (node["Rows Removed by Filter"] ?? 0) + (node["Rows Removed by Index Recheck"] ?? 0)),
      ),
    );
  const scansAll = (plan: PlanNode[]) => plan.some((node) => node["Node Type"] === "Seq Scan" && node["Relation Name"] === "customer");

  test.each([
    ["by default", undefined, "customer_bank_id_mode_created_at_id_idx"],
    ["by CREATED_AT ASC", { field: "CREATED_AT", direction: "ASC" }, "customer_bank_id_mode_created_at_id_idx"],
    ["by UPDATED_AT DESC", { field: "UPDATED_AT", direction: "DESC" }, "customer_bank_id_mode_updated_at_id_idx"],
    ["by ACCOUNT_NAME ASC", { field: "ACCOUNT_NAME", direction: "ASC" }, "customer_bank_id_mode_account_name_key_id_idx"],
  ])("a page %s comes in order from its index, the first as the fortieth", async (_order, orderBy, index) => {
    let after: string | null = null;
    for (const page of [0, 39]) {
      if (page > 0)
        for (let passed = 0; passed < page; passed++)
          after = dataOf((await gateway.query(key, PAGE, { after, orderBy })).body).pageInfo.endCursor;
      const plan = await planOf(PAGE, { after, orderBy });
      expect(plan.map((node) => node["Node Type"])).not.toContain("Sort");
      expect(indexesOf(plan)).toEqual([index]);
      // The page, one more, and at most those of the cursor's own moment.
      expect(looksAt(plan)).toBeLessThanOrEqual(101 + MOMENT);
    }
    const between = await planOf(
      "query ($before: String, $orderBy: CustomerOrder) { customers(last: 100, before: $before, orderBy: $orderBy) { nodes { id } } }",
      { before: after, orderBy },
    );
    expect(indexesOf(between)).toEqual([index]);
    expect(looksAt(between)).toBeLessThanOrEqual(101 + MOMENT);
  });

  test.each(["id", "email", "phrase", "reference", "clientRef"])("one by %s comes from a unique index", async (by) => {
    const plan = await planOf("query ($by: CustomerBy!) { customer(by: $by) { accountName } }", { by: { [by]: middle[by] } });
    expect(scansAll(plan)).toBe(false);
    expect(looksAt(plan)).toBe(1);
    expect(indexesOf(plan)).toHaveLength(1);
  });

  test("a hundred by id come from the primary key", async () => {
    const ids = (await db.customer.findMany({ where: { bankId: "gamma" }, select: { id: true }, take: 100, skip: 1_000 })).map(
      ({ id }) => id,
    );
    const plan = await planOf(PAGE, { filter: { ids } });
    expect(scansAll(plan)).toBe(false);
    expect(looksAt(plan)).toBeLessThanOrEqual(100);
  });

  // The gateway's own work goes over all banks, without a role.
  test.runIf(!rowLevelSecurity)("blacklistings that have run out are found without reading other customers", async () => {
    sent.length = 0;
    await expireBlacklists(gateway.app.services).run();
    const plan = await planOfThe(sent.filter(({ text }) => READS.test(text) && text.includes('"blacklist_expires_at" <= ')));
    expect(indexesOf(plan)).toEqual(["customer_blacklist_expiry"]);
    expect(looksAt(plan)).toBe(0);
  });

  test("a search reads the names that it finds: by the trigram index, also past a row-level policy", async () => {
    const plan = await planOf(PAGE, { filter: { search: "uniquegamma2345" } });
    expect(scansAll(plan)).toBe(false);
    expect(looksAt(plan)).toBeLessThan(20);
    // What names them stands within a function, whose plan EXPLAIN does not show.
    const named = sent.filter(({ text }) => text.includes("customer_search("));
    expect(named.map(({ values }) => values[2])).toEqual([["% uniquegamma2345%"]]);
    const like = planNodes(
      await db.$queryRawUnsafe(
        `EXPLAIN (ANALYZE, FORMAT JSON) SELECT id FROM customer WHERE bank_id = 'gamma' AND mode = 'SANDBOX' AND search_key LIKE '% uniquegamma2345%' LIMIT 1001`,
      ),
    );
    expect(indexesOf(like)).toEqual(["customer_search"]);
    expect(looksAt(like)).toBeLessThan(20);
  });

  test("of a search that finds very many, a first page comes from the newest of them, and nothing else is read", async () => {
    // In a bank as small as this, a thousand of it are found no sooner by their ids than by reading it.
    const plan = await planOf(PAGE, { filter: { search: "unique" } });
    expect(scansAll(plan)).toBe(false);
    expect(looksAt(plan)).toBeLessThanOrEqual(PER_BANK);
    const newest = await db.customer.findMany({
      where: { bankId: "gamma" },
      orderBy: [{ createdAt: "desc" }, { id: "desc" }],
      take: 1_000,
      select: { id: true },
    });
    const read = sent.find(({ text }) => isWork(text) && READS.test(text))!;
    expect(newest.filter(({ id }) => JSON.stringify(read.values).includes(id))).toHaveLength(1_000);
  });
});
