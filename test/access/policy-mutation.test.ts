import { execFile } from "node:child_process";
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openGateway } from "../support/gateway.ts";
import { type Probe, plant } from "./policy-mutation.plant.ts";

const ROOT = join(import.meta.dirname, "../..");

/** Every place where a policy's condition stands in a read or a write of its own, and what deleting it leaves. */
const CONDITIONS: [file: string, condition: string | RegExp, left: string, times: number][] = [
  ["customer/customer.policy.ts", "{ ...within(principal), AND", "{ AND", 1],
  ["customer/customer.loader.ts", '"bank_id" = $1 AND "mode" = $2::mode AND ', "$1 <> '' AND $2 <> '' AND ", 1],
  ["customer/customer.history.ts", "bank_id = $2::text AND mode = $3::mode\n", "$2::text <> '' AND $3::text <> ''\n", 1],
  ["customer/customer.blacklist-entry.ts", "...within(context.principal),", "", 1],
  ["batch/batch.store.ts", "{ ...within(context.principal), id:", "{ id:", 1],
  ["batch/batch.store.ts", /bank_id = \$\{bankId\}::text AND mode = \$\{mode\}::mode AND batch_id/, "batch_id", 1],
  ["batch/batch.queries.ts", "...within(context.principal), kind:", "kind:", 1],
  ["customer/customer.write.ts", /\.\.\.within\(actor\), (?=id \})|bank_id = \$\{bankId\}::text AND mode = \$\{mode\}::mode AND /, "", 2],
  ["customer/customer.write.ts", "{ ...within(actor), id: customer.id }", "{ id: customer.id }", 1],
  ["customer/customer.device.ts", "...within(principal), customerId:", "customerId:", 1],
  ["customer/customer.device.ts", "...within(principal), id }", "id }", 1],
  ["../changes/insert-unique.ts", /bank_id = \$\{bankId\}::text AND mode = \$\{mode\}::mode\s+AND \(/, "(", 1],
];

/** What a probe found: what came out of another bank or mode, and whether anything of another was changed. */
interface Finding {
  leaks: string[];
  changed: boolean;
}

describe.runIf(process.env["TEST_ON"] === "postgres")("without its condition in one place", async () => {
  const gateway = process.env["TEST_ON"] === "postgres" ? await openGateway() : undefined;
  let dir: string;
  let probe: Probe;

  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), "customer-gateway-mutated-"));
    for (const name of ["src", "prisma", "package.json", "test/support/config.ts", "test/access/policy-mutation.probe.ts"]) {
      await cp(join(ROOT, name), join(dir, name), { recursive: true });
    }
    await symlink(join(ROOT, "node_modules"), join(dir, "node_modules"));
    probe = await plant(gateway!);
  });
  afterAll(() => rm(dir, { recursive: true, force: true }));

  /** Runs the copy, first with row-level security and then without. */
  async function run(): Promise<{ on: Finding; off: Finding }> {
    const { stdout } = await promisify(execFile)(process.execPath, ["test/access/policy-mutation.probe.ts", JSON.stringify(probe)], {
      cwd: dir,
    });
    return JSON.parse(stdout);
  }

  test("nothing of another comes out while every condition stands", async () => {
    const nothing = { leaks: [], changed: false };
    expect(await run()).toEqual({ on: nothing, off: nothing });
  });

  test.each(CONDITIONS)(
    "%s, %s: row-level security lets nothing out or in, and without it something is",
    async (file, condition, left, times) => {
      const path = join(dir, "src/modules", file);
      const text = await readFile(path, "utf8");
      const parts = text.split(condition);
      expect(parts.length - 1).toBe(times);
      await writeFile(path, parts.join(left));
      try {
        const { on, off } = await run();
        expect(on).toEqual({ leaks: [], changed: false });
        expect(off.leaks.length > 0 || off.changed, "the probe does not notice that the condition is gone").toBe(true);
      } finally {
        await writeFile(path, text);
      }
    },
  );
});
