import pg from "pg";
import { describe, expect, test } from "vitest";
import { partitionTables } from "../../bench/partition-tables.ts";
import { buildApp } from "../../src/app.ts";
import { Keyring } from "../../src/crypto/keyring.ts";
import { findGuardFaults } from "../../src/database/guards.ts";
import { issueKey } from "../../src/access/issue-key.ts";
import { SCOPES } from "../../src/access/scopes.ts";
import { BATCH, batchRow, dataOf } from "../support/customers.ts";
import { openGateway } from "../support/gateway.ts";
import { ON_POSTGRES } from "../support/process.ts";

const BANKS = ["alpha", "beta"];
const [OLD, NEW] = [Buffer.alloc(32, 1), Buffer.alloc(32, 2)];

/** As docs/scale.md has it: nothing in the gateway knows of it. */
describe.runIf(ON_POSTGRES)("on tables with a partition a bank", async () => {
  const gateway = await openGateway(async (config) => {
    if (config.databaseUrl === null) return {};
    const client = new pg.Client({ connectionString: config.databaseUrl });
    await client.connect();
    await partitionTables(client, { by: "list", banks: BANKS });
    await client.end();
    return { keyring: new Keyring([OLD]) };
  });

  test("the table above the partitions is judged, and they are not", async () => {
    const client = new pg.Client({ connectionString: gateway.config.databaseUrl! });
    await client.connect();
    expect(await findGuardFaults(client)).toMatchObject({ unprotectedTables: [], changedPolicies: [] });
    await client.query("ALTER TABLE customer DISABLE ROW LEVEL SECURITY");
    expect(await findGuardFaults(client)).toMatchObject({ unprotectedTables: ["customer"] });
    await client.query("ALTER TABLE customer ENABLE ROW LEVEL SECURITY");
    await client.end();
  });

  const { db } = gateway.app.services;
  const READ =
    '{ customers(first: 50, filter: { search: "surname" }) { nodes { accountNumber history(first: 1) { nodes { type } } } totalCount } }';

  test("banks with the same rows stay apart, and keys rotate without one's value in another's row", async () => {
    const keys = await Promise.all(BANKS.map((bank) => gateway.key({ bank })));
    const rowsOf = (bank: number) =>
      Array.from({ length: 20 }, (_, row) => batchRow(row, { accountName: `Surname ${row}`, accountNumber: `${bank}000${row + 100}` }));
    for (const [bank, key] of keys.entries()) {
      const batch = dataOf((await gateway.query(key, BATCH, { input: { customers: rowsOf(bank) } })).body);
      expect(batch).toMatchObject({ createdCount: 20 });
    }
    const numbersOf = async (bank: number) => {
      const { totalCount, nodes } = dataOf((await gateway.query(keys[bank]!, READ)).body);
      expect(totalCount).toBe(20);
      return nodes.map(({ accountNumber }: { accountNumber: string }) => accountNumber).sort();
    };
    const expected = BANKS.map((_, bank) =>
      rowsOf(bank)
        .map(({ accountNumber }) => accountNumber)
        .sort(),
    );
    expect(await Promise.all(BANKS.map((_, bank) => numbersOf(bank)))).toEqual(expected);

    const rotating = await buildApp({ ...gateway.config, keyring: new Keyring([NEW, OLD]) });
    const newest = Buffer.from(new Keyring([NEW]).ids[0]!, "hex");
    const older = async () => {
      const rows = await db.customer.findMany({ select: { accountNumber: true } });
      return rows.filter(({ accountNumber }) => !newest.equals(accountNumber!.subarray(0, 4))).length;
    };
    await expect.poll(older).toBe(0);
    for (const [bank, id] of BANKS.entries()) {
      const { key } = await issueKey(db, {
        tenant: { id, kind: "BANK", name: id },
        mode: "SANDBOX",
        audience: "INTERNAL",
        scopes: SCOPES.filter((scope) => scope !== "banks:manage"),
      });
      const response = await rotating.fetch(
        new Request("http://gateway.test/graphql", {
          method: "POST",
          headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
          body: JSON.stringify({ query: READ }),
        }),
      );
      const { data } = (await response.json()) as { data: any };
      expect(data.customers.nodes.map((node: { accountNumber: string }) => node.accountNumber).sort()).toEqual(expected[bank]);
    }
    await rotating.close();
  });

  test("a phrase is one customer's on the network: the second of a statement is left out, as a conflict is", async () => {
    const insert = (bank: string) => db.$queryRaw<{ id: string }[]>`
      INSERT INTO customer (bank_id, mode, id, phrase, account_name, account_name_key, search_key, country, firstname, lastname, email, created_at, updated_at)
      VALUES (${bank}::text, 'SANDBOX', gen_random_uuid(), 'one-of-its-kind', 'A', 'a', ' a', 'NG', 'A', 'B', 'one@example.com', now(), now())
      ON CONFLICT DO NOTHING RETURNING id`;
    expect(await insert("alpha")).toHaveLength(1);
    expect(await insert("beta")).toHaveLength(0);
  });
});
