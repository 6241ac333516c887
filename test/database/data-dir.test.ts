import { mkdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { claimDataDir } from "../../src/database/data-dir.ts";
import { StartupError } from "../../src/startup-error.ts";
import { temporaryDir } from "./backends.ts";
import { killHard, printed, startChild } from "./child.ts";

let scratch: ReturnType<typeof temporaryDir>;
beforeEach(() => {
  scratch = temporaryDir();
});
afterEach(() => scratch.remove());

const holder = (dir: string) => `
  const { claimDataDir } = await src("database/data-dir.ts");
  try { claimDataDir(${JSON.stringify(dir)}); console.log("claimed"); setInterval(() => {}, 1000); }
  catch (error) { console.log(error.name + " " + error.message); }`;

describe("claimDataDir", () => {
  it("makes the directory for its user alone", () => {
    const dir = join(scratch.dir, "a", "b");
    claimDataDir(dir).release();
    expect(statSync(dir).mode & 0o777).toBe(0o700);
  });

  it("refuses a second claim, and grants it after release", () => {
    const first = claimDataDir(scratch.dir);
    expect(() => claimDataDir(scratch.dir)).toThrow(/another process is using it\. Fix: stop the other gateway/);
    first.release();
    first.release();
    claimDataDir(scratch.dir).release();
  });

  it("refuses a second process without a word on stderr", async () => {
    const claim = claimDataDir(scratch.dir);
    const child = startChild(holder(scratch.dir));
    const output = await printed(child, "\n");
    expect(output).toBe(
      `StartupError the data directory ${scratch.dir} cannot be used: another process is using it. ` +
        "Fix: stop the other gateway, or give this one its own directory in DATA_DIR.\n",
    );
    claim.release();
  });

  it("is free again after kill -9", async () => {
    const child = startChild(holder(scratch.dir));
    expect(await printed(child, "claimed")).toBe("claimed\n");
    expect(() => claimDataDir(scratch.dir)).toThrow(StartupError);
    await killHard(child);
    claimDataDir(scratch.dir).release();
  });

  it("refuses a file, a path through a file, and a lock file that is none", () => {
    const file = join(scratch.dir, "file");
    writeFileSync(file, "");
    expect(() => claimDataDir(file)).toThrow(/file, not a directory\. Fix: name a directory in DATA_DIR/);
    expect(() => claimDataDir(join(file, "below"))).toThrow(StartupError);
    mkdirSync(join(scratch.dir, "dir", "lock.db"), { recursive: true });
    expect(() => claimDataDir(join(scratch.dir, "dir"))).toThrow(/lock\.db cannot be opened/);
  });

  it.skipIf(process.getuid?.() === 0)("refuses what it may not write to", () => {
    const dir = join(scratch.dir, "closed");
    mkdirSync(dir, { mode: 0o500 });
    expect(() => claimDataDir(dir)).toThrow(/EACCES/);
  });
});
