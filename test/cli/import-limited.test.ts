import { mkdirSync } from "node:fs";
import { expect, test } from "vitest";
import { freshDir, freshEnv, keyFor, send, startGateway } from "../support/process.ts";
import { csv, csvRow, file, numbers, runImport } from "./import-fixture.ts";

/** What a batch of 100 rows may cost with its failures, and a minute's points: enough for two of them. */
const BATCH = 66;
const LIMIT = 150;

test("an import that needs more points than a minute has waits for the next one, and completes", { timeout: 240_000 }, async () => {
  const env = await freshEnv();
  const { url } = await startGateway({ ...env, RATE_LIMIT_POINTS: String(LIMIT) });
  const place = { env, url, key: await keyFor(env), dir: freshDir() };
  mkdirSync(place.dir);
  const path = file(place, "bank.csv", csv(numbers(1, 300).map((number) => csvRow(number))));

  const began = Math.floor(Date.now() / 60_000);
  const { code, summary } = await runImport(place, path, "--batch-size", "100");
  expect([code, summary]).toEqual([0, expect.objectContaining({ ending: "done", rows: expect.objectContaining({ created: 300 }) })]);
  // Three batches do not fit into one minute, and the gateway's clock has moved on.
  expect(3 * BATCH).toBeGreaterThan(LIMIT);
  expect(Math.floor(Date.now() / 60_000)).toBeGreaterThan(began);

  const { extensions } = await send(url, place.key, "{ viewer { mode } }");
  expect(extensions.cost.limit).toBe(LIMIT);
});
