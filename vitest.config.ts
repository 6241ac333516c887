import { createRequire } from "node:module";
import { configDefaults, defineConfig } from "vitest/config";
import { TEST_DATABASE_URL } from "./test/support/environment.ts";

/** These load the machine by themselves, and judge what is left: one after the other, when all else is done. */
const CHAOS = "test/chaos/**";

const tests = {
  include: ["test/**/*.test.ts"],
  exclude: [...configDefaults.exclude, CHAOS],
  testTimeout: 60_000,
  hookTimeout: 120_000,
  expect: { poll: { timeout: 20_000 } },
};

/** What is judged here stands before the database, or beside it: on one database it is judged as well as on two. */
const ON_ONE_DATABASE = [
  "test/*.test.ts",
  "test/{documents,examples,limits,sandbox,ship,telemetry}/**",
  "test/graphql/{failures,schema}.test.ts",
  // But for the time limit and the pages, which the database has a part in, and the demo bank's page, which only the embedded one has.
  "test/http/!(time-limit|graphiql-browser).test.ts",
  "test/http/rest/!(pages).test.ts",
  "test/modules/{document,explain,key}/**",
  "test/modules/webhook/messages.test.ts",
  "test/modules/audit/forged-start.test.ts",
  "test/modules/customer/plans.test.ts",
  "test/crypto/rotation.test.ts",
  "test/cli/erasures.test.ts",
  // These open databases of both kinds themselves.
  "test/database/{client,data-dir,embedded,migrate,pgbouncer}.test.ts",
  // These talk to a gateway, not to a database.
  "test/cli/{documents,export,import*,lean-heap,webhooks,formula-guard}.test.ts",
];

// The tests run on the embedded database, and where there is a PostgreSQL to use, on that: both, but for those above.
export default defineConfig({
  // As Node resolves it: the bundler's entry would be a second copy, whose types the first does not know.
  resolve: { alias: [{ find: /^graphql$/, replacement: createRequire(import.meta.url).resolve("graphql") }] },
  test: {
    globalSetup: "test/support/global-setup.ts",
    setupFiles: "test/support/file-limit.ts",
    maxWorkers: 2,
    projects: [
      {
        extends: true,
        test: { ...tests, name: "embedded", exclude: [...tests.exclude, ...(TEST_DATABASE_URL ? ON_ONE_DATABASE : [])] },
      },
      {
        extends: true,
        test: { ...tests, name: "chaos", include: [`${CHAOS}/*.test.ts`], exclude: [], maxWorkers: 1, sequence: { groupOrder: 1 } },
      },
      ...(TEST_DATABASE_URL ? [{ extends: true as const, test: { ...tests, name: "postgres", env: { TEST_ON: "postgres" } } }] : []),
    ],
  },
});
