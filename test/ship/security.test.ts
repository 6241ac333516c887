import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

const ROOT = join(import.meta.dirname, "../..");

test.each(["SECURITY.md", "docs/scale.md", "docs/docker.md"])("what %s points to is there", (page) => {
  const text = readFileSync(join(ROOT, page), "utf8");
  const named = [...text.matchAll(/`((?:src|test|bench|prisma|docs|docker)\/[\w./-]+\.\w+|[\w-]+\.yaml|Dockerfile)`/g)].map(
    ([, path]) => path!,
  );
  const linked = [...text.matchAll(/\]\(([^):#]+)\)/g)].map(([, path]) => join(page, "..", path!));
  expect(named.length + linked.length).toBeGreaterThan(0);
  expect([...named, ...linked].filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
});

test("SECURITY.md leads to private advisories, and names no address", () => {
  const text = readFileSync(join(ROOT, "SECURITY.md"), "utf8");
  expect(text).toContain("Report a vulnerability");
  expect(text).not.toMatch(/[\w.+-]+@[\w-]+\.\w+|mailto:/);
});
