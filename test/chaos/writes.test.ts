import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, onTestFinished, test } from "vitest";
import { batchRow } from "../support/customers.ts";
import { Load, tally } from "../support/load.ts";
import { send } from "../support/process.ts";
import { A_SECOND, acknowledged, CHAOS, create, openSite, registered, type Site } from "./support.ts";

const BATCH = `mutation ($input: CreateCustomersBatchInput!) { createCustomersBatch(input: $input) { __typename ... on BatchResult { status createdCount customerIds } } }`;

/** A customer as every mutation can change one, with what a mutation of each kind answers. */
const WRITES = (id: string): Record<string, [string, object]> => ({
  createCustomer: [create("chaos-refused").query, create("chaos-refused").variables],
  updateCustomer: [
    "mutation ($input: UpdateCustomerInput!) { updateCustomer(input: $input) { __typename } }",
    { input: { id, update: { state: "Lagos" } } },
  ],
  setBlacklist: [
    "mutation ($input: SetBlacklistInput!) { setBlacklist(input: $input) { __typename } }",
    { input: { id, blacklisted: true, note: "why" } },
  ],
});

const ask = ({ gateway, key }: Site, query: string, variables?: object) => send(gateway.url, key, query, variables);

describe.runIf(CHAOS)("what cannot be written", { timeout: 240_000 }, () => {
  test("a COMMIT that fails is an error to the client, and nothing of the write is there, nor in the audit", async () => {
    const site = await openSite();
    const { cluster } = site;
    await ask(site, create("chaos-before").query, create("chaos-before").variables);
    const [{ id }] = (await ask(site, "{ customers(first: 1) { nodes { id } } }")).data.customers.nodes;
    await cluster.sql(
      "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'not to be kept'; END $$",
      "CREATE CONSTRAINT TRIGGER refuse AFTER INSERT OR UPDATE ON customer DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION refuse()",
    );
    // An audit entry comes with its write, or some seconds later.
    const state = () =>
      cluster.sql(
        `SELECT (SELECT count(*)::int FROM customer_event) AS events, (SELECT count(*)::int FROM blacklist_entry) AS entries,
           (SELECT max(version) FROM customer) AS version,
           (SELECT count(*)::int FROM audit_entry WHERE outcome = 'OK' AND operation IN ('createCustomer', 'updateCustomer', 'setBlacklist', 'createCustomersBatch')) AS audited`,
      );
    const before = await state();
    for (const [name, [query, variables]] of Object.entries(WRITES(id))) {
      const { data, errors } = await ask(site, query, variables);
      expect(data?.[name] ?? null, name).toBeNull();
      expect(errors![0]!.extensions.code, name).toBe("INTERNAL_SERVER_ERROR");
    }
    const rows = Array.from({ length: 20 }, (_, index) => batchRow(index));
    for (const mode of ["PARTIAL", "ALL_OR_NOTHING"]) {
      const { data, errors } = await ask(site, BATCH, { input: { customers: rows, atomicity: mode } });
      expect([data?.createCustomersBatch ?? null, errors!.map(({ extensions }) => extensions.code)], mode).toEqual([
        null,
        ["INTERNAL_SERVER_ERROR"],
      ]);
    }
    await sleep(3000);
    expect(await state()).toEqual(before);
    expect([...(await registered(cluster)).keys()]).toEqual(["chaos-before"]);
    await cluster.sql("DROP TRIGGER refuse ON customer");
    const { data } = await ask(site, BATCH, { input: { customers: rows } });
    expect(data.createCustomersBatch).toMatchObject({ status: "COMPLETED", createdCount: 20 });
    for (const [name, [query, variables]] of Object.entries(WRITES(id))) {
      expect((await ask(site, query, variables)).data[name].__typename, name).toBe("Customer");
    }
  });

  test("a full disk is an error to the client, nothing acknowledged is lost, and with room again it goes on by itself", async ({
    skip,
  }) => {
    const disk = mkdtempSync(join(tmpdir(), "customer-gateway-disk-"));
    onTestFinished(() => rmSync(disk, { recursive: true, force: true }));
    try {
      execFileSync("mount", ["-t", "tmpfs", "-o", "size=260m", "none", disk], { stdio: "ignore" });
    } catch {
      skip("no small disk can be mounted here: it takes root");
    }
    onTestFinished(() => void execFileSync("umount", ["-l", disk]));
    const site = await openSite({}, disk);
    const { cluster, gateway, key } = site;
    let number = 0;
    const next = () => create(`chaos-${(number += 1)}`);
    const before = new Load(gateway.url, key).begin(A_SECOND / 4, next);
    await sleep(1000);
    const early = await before.end();
    expect(tally(early)).toEqual({ 200: early.length });

    // The log of writes cannot grow either: PostgreSQL itself then stops, and starts over.
    const filler = join(disk, "filler");
    const fill = () => {
      try {
        execFileSync("dd", ["if=/dev/zero", `of=${filler}`, "bs=64k"], { stdio: "ignore" });
      } catch {
        // Until nothing more goes in.
      }
    };
    fill();
    const blob = "x".repeat(400);
    const full = new Load(gateway.url, key).begin(A_SECOND / 4, () => {
      const { query, variables } = next();
      return { query, variables: { input: { ...variables.input, address: blob } } };
    });
    await sleep(4000);
    const during = await full.end();
    const counts = tally(during);
    console.log(`full disk: ${JSON.stringify(counts)}`);
    expect(Object.keys(counts).filter((status) => !["200", "500", "503", "504"].includes(status))).toEqual([]);
    for (const { status, body } of during) if (status === 200) expect(body.data.createCustomer.__typename).toBe("Customer");
    expect(gateway.child.exitCode).toBeNull();

    rmSync(filler);
    // A PostgreSQL that could not write its log has ended: to start it is the operator's.
    await cluster.go().catch(() => {});
    const after = new Load(gateway.url, key).begin(A_SECOND / 4, next);
    await expect.poll(() => after.outcomes.at(-1)?.status, { timeout: 15_000 }).toBe(200);
    const late = await after.end();
    const there = await registered(cluster);
    expect(acknowledged([...early, ...during, ...late]).filter((reference) => there.get(reference) !== 1)).toEqual([]);
  });
});
