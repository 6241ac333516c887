import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { expect, test } from "vitest";
import { openGateway } from "../support/gateway.ts";
import { ON_POSTGRES } from "../support/process.ts";

test.runIf(ON_POSTGRES)(
  "behind statements that do not end, who comes is refused at once and told when to come again; afterwards all is as before",
  async () => {
    const gateway = await openGateway(({ databaseUrl }) => ({ databaseUrl: `${databaseUrl}?connection_limit=3` }));
    const key = await gateway.key();
    const read = async () => {
      const started = performance.now();
      return { ...(await gateway.query(key, "{ customers(first: 1) { totalCount } }")), ms: performance.now() - started };
    };
    expect((await read()).status).toBe(200);
    const locker = new pg.Client({ connectionString: gateway.config.databaseUrl! });
    await locker.connect();
    await locker.query("BEGIN; LOCK TABLE customer IN ACCESS EXCLUSIVE MODE");
    const waiting = Array.from({ length: 8 }, read);
    // The line's first has waited longer than it may.
    await sleep(2500);
    const late = await Promise.all(Array.from({ length: 20 }, read));
    for (const { status, headers, body, ms } of late) {
      expect([status, headers.get("retry-after"), body.errors![0]!.extensions.code]).toEqual([503, "1", "UNAVAILABLE"]);
      // A connection would be waited for 5 s.
      expect(ms).toBeLessThan(2000);
    }
    await locker.end();
    for (const { status } of await Promise.all(waiting)) expect([200, 503]).toContain(status);
    expect((await read()).status).toBe(200);
  },
);

test("a burst is let wait: all of it is answered", async () => {
  const gateway = await openGateway();
  const key = await gateway.key();
  const answers = await Promise.all(Array.from({ length: 300 }, () => gateway.query(key, "{ customers(first: 1) { totalCount } }")));
  expect(answers.map(({ status }) => status).filter((status) => status !== 200)).toEqual([]);
});
