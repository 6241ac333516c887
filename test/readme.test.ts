import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { CUSTOMER_FIELDS, SCOPE_OF_VISIBILITY, VISIBILITIES, type CustomerFieldName } from "../src/access/visibility.ts";
import { printVariables } from "../src/variables.ts";
import { DEMO_DOCUMENTS } from "../src/demo/demo-documents.ts";
import { documentHash } from "../src/documents/register.ts";

const readme = readFileSync("README.md", "utf8");

test("the README's table of variables is the code's", () => expect(readme).toContain(printVariables()));

test("the README's table of visibility is the code's", () => {
  for (const tier of VISIBILITIES) {
    const fields = (Object.keys(CUSTOMER_FIELDS) as CustomerFieldName[]).filter((name) => CUSTOMER_FIELDS[name].tier === tier);
    expect(readme).toContain(`| ${tier} | \`${SCOPE_OF_VISIBILITY[tier]}\` | ${fields.join(", ")} |`);
  }
});

test("the README's partner line names a registered document", () => {
  const hash = /sha256:([0-9a-f]{64})/.exec(readme)![1];
  expect(DEMO_DOCUMENTS.map(documentHash)).toContain(hash);
});

test("files that the README points to are there", () => {
  for (const [, path] of readme.matchAll(/\]\(([^):]+)\)/g)) expect(() => readFileSync(path!)).not.toThrow();
});
