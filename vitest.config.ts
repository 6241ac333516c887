import { createRequire } from "node:module";
import { defineConfig } from "vitest/config";
import { TEST_DATABASE_URL } from "./test/support/environment.ts";

const tests = { include: ["test/**/*.test.ts"], testTimeout: 60_000, hookTimeout: 120_000, expect: { poll: { timeout: 20_000 } } };

// The same tests run on the embedded database always, and on PostgreSQL when there is one to use.
export default defineConfig({
  // As Node resolves it: the bundler's entry would be a second copy, whose types the first does not know.
  resolve: { alias: [{ find: /^graphql$/, replacement: createRequire(import.meta.url).resolve("graphql") }] },
  test: {
    globalSetup: "test/support/global-setup.ts",
    maxWorkers: 2,
    projects: [
      { extends: true, test: { ...tests, name: "embedded" } },
      ...(TEST_DATABASE_URL ? [{ extends: true as const, test: { ...tests, name: "postgres", env: { TEST_ON: "postgres" } } }] : []),
    ],
  },
});
