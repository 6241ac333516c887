import { describe, expect, test } from "vitest";
import { readConfig } from "../../src/config.ts";
import { openGateway } from "../support/gateway.ts";

const OWN = "https://app.example.com";
const gateway = await openGateway({ corsOrigins: [OWN, "http://localhost:3000"] });
const closed = await openGateway();
const open = await openGateway({ corsOrigins: ["*"] });
const key = await gateway.key();

const ODD = [
  "https://evil.example",
  `${OWN}.evil.example`,
  "http://app.example.com",
  `${OWN}:8443`,
  "null",
  `${OWN}/`,
  "HTTPS://APP.EXAMPLE.COM",
];

const preflight = (origin: string, to = gateway) =>
  to.send("/graphql", {
    method: "OPTIONS",
    headers: { origin, "access-control-request-method": "POST", "access-control-request-headers": "authorization,content-type" },
  });
const call = (origin: string, headers: Record<string, string> = { authorization: `Bearer ${key}` }, to = gateway) =>
  to.send("/graphql?query=%7Bviewer%7Bmode%7D%7D", { headers: { origin, ...headers } });
/** The headers that a browser obeys. */
const grants = ({ headers }: Response) => [...headers.keys()].filter((name) => name.startsWith("access-control-"));

describe("a listed origin", () => {
  test.each([OWN, "http://localhost:3000"])("%s: its preflight is answered, without credentials", async (origin) => {
    const response = await preflight(origin);
    expect(response.status).toBe(204);
    expect(Object.fromEntries(response.headers)).toMatchObject({
      "access-control-allow-origin": origin,
      "access-control-allow-methods": "GET, POST",
      "access-control-allow-headers": expect.stringMatching(/Authorization.*Content-Type.*X-Visibility.*Idempotency-Key/),
      vary: "Authorization, X-Visibility, Accept, Origin",
    });
    expect(grants(response)).not.toContain("access-control-allow-credentials");
  });

  test("its scripts may read answers and refusals", async () => {
    for (const [headers, status] of [[undefined, 200] as const, [{}, 401] as const]) {
      const response = await call(OWN, headers);
      expect([response.status, response.headers.get("access-control-allow-origin")]).toEqual([status, OWN]);
      expect(response.headers.get("access-control-expose-headers")).toContain("X-Request-Id");
      expect(grants(response)).not.toContain("access-control-allow-credentials");
    }
  });
});

test.each(ODD)("an origin that is not listed is granted nothing: %s", async (origin) => {
  const asked = await preflight(origin);
  expect([asked.status, asked.headers.get("allow"), grants(asked)]).toEqual([405, "GET, POST", []]);
  expect(grants(await call(origin))).toEqual([]);
});

test("by default nothing is shared, and answers do not vary by origin", async () => {
  expect([(await preflight(OWN, closed)).status, grants(await preflight(OWN, closed))]).toEqual([405, []]);
  const response = await call(OWN, { authorization: `Bearer ${await closed.key()}` }, closed);
  expect([response.status, grants(response), response.headers.get("vary")]).toEqual([200, [], "Authorization, X-Visibility, Accept"]);
});

test("`*` stands for any site, in development", async () => {
  const response = await call("https://any.example", { authorization: `Bearer ${await open.key()}` }, open);
  expect([response.status, response.headers.get("access-control-allow-origin")]).toEqual([200, "https://any.example"]);
});

test("GraphiQL's page is never shared: it can hold a key", async () => {
  for (const one of [open, gateway]) {
    const page = await one.send("/graphql", { headers: { origin: OWN, accept: "text/html" } });
    expect([page.status, page.headers.get("content-type"), grants(page)]).toEqual([200, "text/html; charset=utf-8", []]);
  }
});

describe("CORS_ORIGINS", () => {
  const production = { NODE_ENV: "production", GATEWAY_KEYRING: Buffer.alloc(32, 1).toString("base64"), DATABASE_URL: "postgres://h/d" };

  test("is a list of origins, and empty by default", () => {
    expect(readConfig({}).corsOrigins).toEqual([]);
    expect(readConfig({ CORS_ORIGINS: `${OWN}, http://localhost:3000` }).corsOrigins).toEqual([OWN, "http://localhost:3000"]);
    expect(readConfig({ CORS_ORIGINS: "*" }).corsOrigins).toEqual(["*"]);
    expect(readConfig({ ...production, CORS_ORIGINS: OWN }).corsOrigins).toEqual([OWN]);
  });

  test.each([
    "app.example.com",
    `${OWN}/`,
    `${OWN}/path`,
    "https://*.example.com/",
    "null",
    "https://APP.example.com",
    "file:///x",
    `${OWN},`,
  ])("%j is malformed", (text) => expect(() => readConfig({ CORS_ORIGINS: text })).toThrow("CORS_ORIGINS"));

  test("production refuses `*`, alone or in a list", () => {
    for (const text of ["*", `${OWN},*`]) expect(() => readConfig({ ...production, CORS_ORIGINS: text })).toThrow("CORS_ORIGINS=*");
  });
});
