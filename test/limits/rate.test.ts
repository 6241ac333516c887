import { describe, expect, test } from "vitest";
import { CREATE, person } from "../support/customers.ts";
import { flush } from "../modules/audit/support.ts";
import { openGateway } from "../support/gateway.ts";

const VIEWER = "{ viewer { mode } }";

/** The clock of the limits: 10 seconds past a full hour. */
const clock = { now: 1_800_000_000_000 + 10_000 };
const gateway = await openGateway({ rateLimitPoints: 60, costLimit: 55, lookupLimit: 3 }, { limitsNow: () => clock.now });

/** Asks for what costs so many points. */
const spend = (key: string, points: number) =>
  gateway.query(key, `{ ${Array.from({ length: points }, (_, number) => `n${number}: node(id: "") { id }`).join(" ")} }`);

const untilHour = () => 3600 - ((clock.now / 1000) % 3600);
const hourEnd = () => new Date(clock.now + untilHour() * 1000).toISOString();
const left = ({ headers }: { headers: Headers }) => Number(headers.get("x-ratelimit-remaining"));
const code = ({ body }: { body: { errors?: { extensions: { code: string } }[] } }) => body.errors?.[0]?.extensions.code;

describe("a minute's points", () => {
  test("are spent by cost; what does not fit is 429, runs nothing and costs nothing; the next minute begins anew", async () => {
    const key = await gateway.key();
    const page = await gateway.query(key, "{ customers(first: 50) { nodes { id } } }");
    expect([page.status, left(page), page.body.extensions.cost]).toEqual([200, 9, { requested: 51, limit: 60, remaining: 9 }]);

    const create = (times: number) =>
      gateway.query(
        key,
        `mutation ($input: CreateCustomerInput!) { ${Array.from({ length: times }, (_, number) => `m${number}: createCustomer(input: $input) { __typename }`).join(" ")} }`,
        { input: person("refused") },
      );
    const refused = await create(10);
    expect([refused.status, code(refused), refused.body.data, left(refused)]).toEqual([429, "RATE_LIMITED", undefined, 9]);
    expect(refused.headers.get("retry-after")).toBe("50");
    expect(refused.body.errors![0]!.message).toBe("The key may take no more for now: 9 of 60 points are left of these 60 seconds.");
    expect(refused.body.extensions).toEqual({ cost: { requested: 10, limit: 60, remaining: 9 } });

    const fits = await create(9);
    expect([fits.status, left(fits), fits.body.data.m0.__typename]).toEqual([200, 0, "Customer"]);
    const again = await gateway.query(key, VIEWER);
    expect([again.status, code(again), left(again), again.headers.get("retry-after")]).toEqual([429, "RATE_LIMITED", 0, "50"]);

    clock.now += 49_999;
    expect((await gateway.query(key, VIEWER)).headers.get("retry-after")).toBe("1");
    clock.now += 1;
    const next = await gateway.query(key, VIEWER);
    expect([next.status, left(next)]).toEqual([200, 59]);
    clock.now += 10_000;
  });

  test("are each key's own", async () => {
    const keys = [await gateway.key(), await gateway.key()];
    await spend(keys[0]!, 30);
    expect([left(await spend(keys[0]!, 30)), left(await spend(keys[1]!, 1))]).toEqual([0, 59]);
    expect([(await spend(keys[0]!, 1)).status, (await spend(keys[1]!, 1)).status]).toEqual([429, 200]);
  });

  test("are not overshot by requests at once", async () => {
    const key = await gateway.key();
    const answers = await Promise.all(Array.from({ length: 40 }, () => spend(key, 2)));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(30);
    expect(answers.filter(({ status }) => status === 429)).toHaveLength(10);
  });

  test("pay for each alias of a mutation", async () => {
    const key = await gateway.key();
    const { body } = await gateway.query(key, CREATE, { input: person("ada") });
    const { id } = body.data.createCustomer;
    const before = left(await gateway.query(key, VIEWER));
    const mutations = Array.from(
      { length: 40 },
      (_, number) => `m${number}: setBlacklist(input: { id: "${id}", blacklisted: true }) { __typename }`,
    );
    const answer = await gateway.query(key, `mutation { ${mutations.join(" ")} }`);
    expect(answer.body.extensions.cost.requested).toBe(40);
    expect(left(answer)).toBe(before - 40);
  });

  test("pay for registered documents as for others", async () => {
    const key = await gateway.key({ audience: "PARTNER", scopes: ["customers:read"], client: "shop" });
    const answer = await gateway.query(key, VIEWER);
    expect([answer.status, code(answer), left(answer)]).toEqual([403, "DOCUMENT_REQUIRED", 59]);
  });

  test("pay for a stream at its start and for each look, and end it", async () => {
    const key = await gateway.key();
    const sent = await gateway.query(
      key,
      'mutation { createCustomersBatch(input: { customers: [{ clientRef: "c" }], dryRun: true }) { ... on BatchResult { id } } }',
    );
    const { id } = sent.body.data.createCustomersBatch;
    // As if a worker were at it: the stream goes on.
    await gateway.app.services.db.$executeRaw`UPDATE batch SET status = 'PROCESSING', completed_at = NULL`;
    await spend(key, left(sent) - 4);
    const response = await gateway.send("/graphql", {
      method: "POST",
      headers: { authorization: `Bearer ${key}`, "content-type": "application/json", accept: "text/event-stream" },
      body: JSON.stringify({ query: `subscription { batchProgress(id: "${id}") { status } }` }),
    });
    expect(response.headers.get("x-ratelimit-limit")).toBe("60");
    const events = [...(await response.text()).matchAll(/^data: (\{.*\})$/gm)].map(([, json]) => JSON.parse(json!));
    expect(events[0]).toMatchObject({
      data: { batchProgress: { status: "PROCESSING" } },
      extensions: { cost: { requested: 1, limit: 60 } },
    });
    expect(events.at(-1).errors[0].extensions.code).toBe("RATE_LIMITED");
  });
});

describe("look-ups by known values", () => {
  test("have an hourly cap of their own, each alias counted; other keys of a customer do not count", async () => {
    const key = await gateway.key();
    const lookup = (...by: string[]) =>
      gateway.query(
        key,
        `{ ${by.map((one, number) => `c${number}: customer(by: { ${one} }) { id }`).join(" ")} viewer { limits { lookups { limit remaining reset } } } }`,
      );
    const two = await lookup('email: "a@example.com"', 'reference: "r"', 'phrase: "no-such-phrase"', `id: "${crypto.randomUUID()}"`);
    expect(two.body.data.viewer.limits.lookups).toEqual({ limit: 3, remaining: 1, reset: hourEnd() });
    expect(two.headers.get("ratelimit")).toBe(`"points";r=36;t=50, "lookups";r=1;t=${untilHour()}`);

    gateway.statements.length = 0;
    const refused = await lookup('email: "a@example.com"', 'clientRef: "c"');
    expect([refused.status, code(refused), refused.headers.get("retry-after")]).toEqual([429, "RATE_LIMITED", String(untilHour())]);
    expect(gateway.statements.filter((sql) => /"customer"/.test(sql))).toEqual([]);
    expect((await lookup('phrase: "no-such-phrase"')).status).toBe(200);
    expect((await lookup('clientRef: "c"')).status).toBe(200);
    clock.now += (untilHour() - 1) * 1000;
    expect((await lookup('clientRef: "c"')).status).toBe(429);
    // Somebody may be trying out values.
    await flush(gateway.app);
    const { _sum } = await gateway.app.services.db.auditEntry.aggregate({
      where: { actor: key.split("_")[2]!, action: "REFUSAL", outcome: "RATE_LIMITED" },
      _sum: { count: true },
    });
    expect(_sum.count).toBe(2);
    clock.now += 1000;
    expect((await lookup('clientRef: "c"')).status).toBe(200);
  });
});

describe("one request's cost", () => {
  test("is limited: the refusal says what was asked and what is allowed, and costs a point", async () => {
    const key = await gateway.key();
    const answer = await gateway.query(key, "{ a: customers(first: 30) { nodes { id } } b: customers(first: 30) { nodes { id } } }");
    expect([answer.status, code(answer), left(answer)]).toEqual([400, "COST_LIMIT_EXCEEDED", 59]);
    expect(answer.body.errors![0]!.message).toBe("The request costs 61 points; at most 55 are allowed.");
    expect(answer.body.extensions.cost).toMatchObject({ requested: 61, limit: 60 });
  });

  test("cannot be more than a minute's points, which would never be there", async () => {
    const small = await openGateway({ rateLimitPoints: 10 });
    expect(code(await small.query(await small.key(), "{ customers { nodes { id } } }"))).toBe("COST_LIMIT_EXCEEDED");
  });

  test("follows from the variables that it is sent with", async () => {
    const key = await gateway.key();
    const text = "query ($first: Int) { customers(first: $first) { nodes { id } } }";
    const costs = [];
    for (const first of [1, 30, null]) costs.push((await gateway.query(key, text, { first })).body.extensions.cost.requested);
    expect(costs).toEqual([2, 31, 21]);
  });
});

test("viewer tells what is left", async () => {
  const { body } = await gateway.query(
    await gateway.key(),
    "{ viewer { limits { limit remaining reset costLimit lookups { limit remaining } } } }",
  );
  expect(body.data.viewer.limits).toEqual({
    limit: 60,
    remaining: body.extensions.cost.remaining,
    reset: new Date((Math.floor(clock.now / 60_000) + 1) * 60_000).toISOString(),
    costLimit: 55,
    lookups: { limit: 3, remaining: 3 },
  });
});
