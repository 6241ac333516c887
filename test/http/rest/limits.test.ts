import { describe, expect, test } from "vitest";
import { batchRow } from "../../support/customers.ts";
import { openGateway } from "../../support/gateway.ts";
import { rest } from "../../support/rest.ts";

const NOW = Date.UTC(2026, 0, 1, 12, 0, 15);
const gateway = await openGateway({ rateLimitPoints: 100, costLimit: 60, lookupLimit: 2 }, { limitsNow: () => NOW });

test("routes are charged as their documents, tell what is left, and refuse with Retry-After", async () => {
  const call = rest(gateway, await gateway.key());
  const remaining = async (path: string) => (await call("GET", path)).headers.get("x-ratelimit-remaining");
  // A row a point; a count ten; a look-up by e-mail twenty.
  expect(await remaining("/v1/bank/customers?limit=20")).toBe("79");
  expect(await remaining(`/v1/bank/customers/${crypto.randomUUID()}`)).toBe("78");
  expect(await remaining("/v1/bank/customer?email=none%40example.com")).toBe("58");
  expect(await remaining("/v1/customers?nothing=1")).toBe("57");
  expect(await remaining("/v1/customers?take=30")).toBe("16");
  const refused = await call("GET", "/v1/bank/customers?limit=20");
  expect([refused.status, refused.headers.get("retry-after"), refused.headers.get("x-ratelimit-limit")]).toEqual([429, "45", "100"]);
  expect(refused.body).toEqual({ statusCode: 429, success: false, message: expect.stringContaining("of 100 points are left") });
});

test("a route that costs more than a request may is refused whole", async () => {
  const { status, body } = await rest(gateway, await gateway.key())("GET", "/v1/bank/customers?limit=100");
  expect([status, body.message, body.errors]).toEqual([
    400,
    "Invalid customer data",
    [{ field: null, message: expect.stringMatching(/^The request costs \d+ points; at most 60 are allowed\.$/) }],
  ]);
});

test("look-ups by what is not seen by all are capped, also when they are tried one after the other", async () => {
  const call = rest(gateway, await gateway.key());
  await call("POST", "/v1/bank/customers", { customers: [batchRow(1)] });
  expect((await call("GET", `/v1/customers/${batchRow(1).reference}`)).status).toBe(200);
  // By e-mail it is found; as a reference it is not tried.
  expect((await call("GET", `/v1/customers/${batchRow(1).email}`)).status).toBe(200);
  expect((await call("GET", `/v1/customers/${batchRow(1).reference}`)).status).toBe(429);
  const byId = (await call("GET", "/v1/customers?take=1")).body.data[0].id as string;
  expect((await call("GET", `/v1/customers/${byId}`)).status).toBe(200);
});

describe("faults are in the envelope, and say no more", async () => {
  const broken = await openGateway({ requestTimeoutMs: 2000 });
  const { db } = broken.app.services;
  const call = rest(broken, await broken.key());
  const person = { firstName: "Ada", lastName: "Example", email: "ada@example.com", country: "NG" };

  /** What a registration answers when the database does this to its event. */
  async function answerWhen(body: string) {
    await db.$executeRawUnsafe(`CREATE FUNCTION breaks() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN ${body}; RETURN NULL; END $$`);
    await db.$executeRawUnsafe("CREATE TRIGGER breaks AFTER INSERT ON customer_event FOR EACH STATEMENT EXECUTE FUNCTION breaks()");
    const { status, headers, body: told } = await call("POST", "/v1/customers", person);
    await db.$executeRawUnsafe("DROP TRIGGER breaks ON customer_event");
    await db.$executeRawUnsafe("DROP FUNCTION breaks");
    return { status, told, retryAfter: headers.get("retry-after") };
  }
  const envelope = (statusCode: number, message: unknown) => ({ statusCode, success: false, message });

  test.each([
    ["a request that takes too long", "PERFORM pg_sleep(6)", 504, expect.stringMatching(/^The (database|request) took too long\. /), null],
    [
      "a database without connections left",
      "RAISE EXCEPTION 'x' USING ERRCODE = '53300'",
      503,
      "The database cannot be had at the moment. Try again shortly.",
      "1",
    ],
    ["any other fault", "RAISE EXCEPTION 'x'", 500, "Internal server error", null],
  ])("%s", async (_what, does, status, message, retryAfter) => {
    expect(await answerWhen(does)).toEqual({ status, told: envelope(status, message), retryAfter });
  });
});
