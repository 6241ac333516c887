// Reads what vitest's JSON reporter wrote:
//
//   node .ci/results.mjs lost RESULT        the files whose process died or was killed, without a test that failed
//   node .ci/results.mjs count RESULT...    how many tests passed, failed and were skipped, in all

import { readFileSync } from "node:fs";
import { relative } from "node:path";

const [what, ...files] = process.argv.slice(2);
const results = files.map((file) => JSON.parse(readFileSync(file, "utf8")));

if (what === "lost") {
  const lost = results.flatMap(({ testResults }) =>
    testResults.filter(
      ({ status, message, assertionResults }) =>
        status === "failed" && message === "" && !assertionResults.some((test) => test.status === "failed"),
    ),
  );
  for (const file of new Set(lost.map(({ name }) => name))) console.log(relative(process.cwd(), file));
} else {
  const sum = (name) => results.reduce((total, result) => total + result[name], 0);
  const skipped = sum("numPendingTests");
  console.log(`${sum("numPassedTests")} passed, ${sum("numFailedTests")} failed${skipped ? `, ${skipped} skipped` : ""}`);
}
