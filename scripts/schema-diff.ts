// Shows what a change of schema.graphql does to the clients that are there already:
//
//   node scripts/schema-diff.ts             prints breaking and dangerous changes
//   node scripts/schema-diff.ts --strict    and exits 1 if one of them is breaking
//
// It compares with where this branch left origin/main, without that with the last commit, or with SCHEMA_BASE:
// a tag, a branch or a commit.

import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { type BreakingChange, buildSchema, type DangerousChange, findBreakingChanges, findDangerousChanges } from "graphql";

const FILE = "schema.graphql";

/** What git prints, or null when it has no answer, or is not there. */
function git(...args: string[]): string | null {
  try {
    return execFileSync("git", args, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
  } catch {
    return null;
  }
}

/** The commit to compare with and what it is called, or null when there is none. */
function findBase(): { commit: string; name: string } | null {
  const given = process.env["SCHEMA_BASE"];
  const commit = given ? git("rev-parse", "--verify", "--quiet", `${given}^{commit}`) : git("merge-base", "HEAD", "origin/main");
  if (commit) return { commit, name: given || "origin/main" };
  const head = given ? null : git("rev-parse", "--verify", "--quiet", "HEAD");
  return head ? { commit: head, name: "the last commit" } : null;
}

function print(title: string, changes: readonly (BreakingChange | DangerousChange)[]): void {
  if (changes.length === 0) return;
  console.log(`${title}:`);
  for (const { type, description } of changes) console.log(`  ${type}: ${description}`);
}

const base = findBase();
const before = base && git("show", `${base.commit}:./${FILE}`);
if (process.env["SCHEMA_BASE"] && !base) {
  console.error("SCHEMA_BASE names no commit of this repository.");
  process.exitCode = 2;
} else if (!base || !before) {
  console.log(`There is no earlier ${FILE} to compare with${base ? ` in ${base.name}` : ""}.`);
} else {
  const [from, to] = [buildSchema(before), buildSchema(readFileSync(FILE, "utf8"))];
  const [breaking, dangerous] = [findBreakingChanges(from, to), findDangerousChanges(from, to)];
  print("BREAKING: documents that ran against it may fail now", breaking);
  print("DANGEROUS: documents still run; clients may meet what they do not expect", dangerous);
  const sum = `${breaking.length} breaking and ${dangerous.length} dangerous changes`;
  console.log(
    `${FILE} against ${base.name} (${base.commit.slice(0, 9)}): ${breaking.length + dangerous.length === 0 ? "nothing breaking or dangerous" : sum}.`,
  );
  if (breaking.length > 0 && process.argv.includes("--strict")) process.exitCode = 1;
}
