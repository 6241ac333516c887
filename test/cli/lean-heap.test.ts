import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { expect, test } from "vitest";

/**
 * What batches do to a heap: of a gigabyte of rows in all, 12 MB are in use at a time, and each row lives long enough
 * to grow old. Prints how many MB the heap took at most.
 */
const PROGRAM = `
const { keepHeapLean } = await import(${JSON.stringify(new URL("../../src/cli/lean-heap.ts", import.meta.url).href)});
keepHeapLean();
const inUse = [];
let most = 0;
for (let batch = 0; batch < 2000; batch++) {
  inUse[batch % 24] = Array.from({ length: 500 }, (_, row) => ({ row, values: new Array(120).fill(row + 0.5) }));
  most = Math.max(most, process.memoryUsage().heapTotal);
  // As between two requests: whoever watches the heap gets a turn.
  await new Promise(setImmediate);
}
console.log(most / 1e6);
`;

test("old garbage goes before the heap is several times as large as what is in use", async () => {
  const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "-e", PROGRAM]);
  // Left alone, it takes 350 on a machine with memory to spare.
  expect(Number(stdout)).toBeLessThan(150);
});
