import { parse, validate } from "graphql";
import { describe, expect, test } from "vitest";
import { schema } from "../../src/graphql/schema.ts";
import { graphiqlTabs } from "../../src/http/graphiql-tabs.ts";
import { openGateway, type TestGateway } from "../support/gateway.ts";

const gateway = await openGateway();
const { demo } = gateway.app;
const HERE = { host: "127.0.0.1:4000" };

/** What a browser gets that sends these headers. */
async function open(headers: Record<string, string>, at: TestGateway = gateway) {
  const response = await at.send("/graphql", { headers: { accept: "text/html,*/*;q=0.8", ...headers } });
  expect(response.status).toBe(200);
  expect(response.headers.get("content-type")).toBe("text/html; charset=utf-8");
  return response;
}

const KEY = /cgw_(sandbox|live)_[0-9a-f]{16}/;
const TABS = ["FindCustomer", "PageThrough", "OnboardBatch", "Blacklist"];

/** The page's text, and which of what only a demo may hold is in it. */
async function read(headers: Record<string, string>, at?: TestGateway) {
  const html = await (await open(headers, at)).text();
  for (const name of TABS) expect(html).toMatch(new RegExp(`(query|mutation) ${name}\\(`));
  return { html, key: KEY.test(html), demoCustomer: html.includes("customer.0001@example.com") };
}

describe.runIf(demo)("the demo's key is in the page", () => {
  test.each(["127.0.0.1:4000", "127.0.0.1", "localhost:4000", "LOCALHOST", "[::1]:4000", "127.1.2.3:80"])("for %s", async (host) => {
    const { html, demoCustomer } = await read({ host });
    expect(html).toContain(`Bearer ${demo!.keys.internal}`);
    expect(html).not.toContain("YOUR_KEY");
    expect(demoCustomer).toBe(true);
    for (const name of ["app", "partner", "operator"] as const) expect(html).not.toContain(demo!.keys[name]);
  });

  test("with the id of a customer who is there", async () => {
    const { html } = await read(HERE);
    const answer = await gateway.query(demo!.keys.internal, `{ customer(by: {clientRef: "demo-0002"}) { id } }`);
    expect(html).toContain(answer.body.data.customer.id);
  });
});

describe("no key and no customer is in the page", () => {
  const elsewhere: [what: string, headers: Record<string, string>][] = [
    ["another site's name that resolves here", { host: "attacker.example:4000" }],
    ["a name that begins like this machine's", { host: "127.0.0.1.attacker.example" }],
    ["a name that ends like it", { host: "not-localhost" }],
    ["an address that is no loopback", { host: "10.0.0.1:4000" }],
    ["any address", { host: "0.0.0.0:4000" }],
    ["no host", {}],
    ["what came by a proxy", { ...HERE, "x-forwarded-for": "203.0.113.7" }],
  ];
  test.each(elsewhere)("for %s", async (_what, headers) => {
    const { html, key, demoCustomer } = await read(headers);
    expect({ key, demoCustomer }).toEqual({ key: false, demoCustomer: false });
    for (const placeholder of ["YOUR_KEY", "A_CUSTOMERS_ID", "A_CUSTOMERS_EMAIL"]) expect(html).toContain(placeholder);
  });

  test("in production", async () => {
    const production = await openGateway({ production: true });
    expect(await read(HERE, production)).toMatchObject({ key: false, demoCustomer: false });
  });

  test.each(["0.0.0.0", "192.0.2.1", "::"])("of a gateway that listens on %s", async (host) => {
    expect(await read(HERE, await openGateway({ host }))).toMatchObject({ key: false, demoCustomer: false });
  });

  test.skipIf(demo)("of a gateway with a database of its own", async () => {
    expect(await read(HERE)).toMatchObject({ key: false, demoCustomer: false });
  });
});

describe("the page", () => {
  test("is sent compressed once, and known again by its ETag", async () => {
    const first = await open({ ...HERE, "accept-encoding": "gzip, br" });
    expect(first.headers.get("content-encoding")).toBe("gzip");
    const size = (await first.arrayBuffer()).byteLength;
    const etag = first.headers.get("etag")!;
    expect(size).toBeLessThan(3_000_000);
    const headers = { ...HERE, accept: "text/html", "accept-encoding": "gzip" };
    const again = await gateway.send("/graphql", { headers: { ...headers, "if-none-match": `W/${etag}` } });
    expect([again.status, await again.text(), again.headers.get("etag")]).toEqual([304, "", etag]);
    const changed = await gateway.send("/graphql", { headers: { ...headers, "if-none-match": '"another"' } });
    expect(changed.status).toBe(200);
  });

  test("is another one for another host, by another ETag", async () => {
    const etags = await Promise.all(
      ["127.0.0.1", "attacker.example"].map(async (host) => (await open({ host, "accept-encoding": "gzip" })).headers.get("etag")),
    );
    expect(new Set(etags).size).toBe(demo ? 2 : 1);
  });

  test("is sent plain to who takes no gzip", async () => {
    const response = await open({ ...HERE, "accept-encoding": "identity" });
    expect(response.headers.get("content-encoding")).toBeNull();
    expect(await response.text()).toMatch(/^\s*<!doctype html>/);
  });

  test("may be framed by nobody, and load and send nothing elsewhere", async () => {
    const { headers } = await open(HERE);
    expect(Object.fromEntries(headers)).toMatchObject({
      "x-frame-options": "DENY",
      "x-content-type-options": "nosniff",
      "referrer-policy": "no-referrer",
      "cross-origin-resource-policy": "same-origin",
      "cache-control": "private, no-cache",
    });
    const policy = headers.get("content-security-policy")!;
    expect(policy).toMatch(/script-src 'sha256-[\w+/]{43}='(;|$)/);
    for (const rule of ["default-src 'none'", "connect-src 'self'", "frame-ancestors 'none'", "base-uri 'none'"]) {
      expect(policy.split("; ")).toContain(rule);
    }
  });

  test("is not sent to a program, nor instead of an operation's answer", async () => {
    const authorization = `Bearer ${await gateway.key()}`;
    const code = async (path: string, headers: Record<string, string>) => {
      const response = await gateway.send(path, { headers });
      expect(response.headers.get("content-type")).toMatch(/json/);
      return [response.status, (await response.json()).errors?.[0].extensions.code];
    };
    expect(await code("/graphql", { accept: "application/graphql-response+json", authorization })).toEqual([400, "BAD_USER_INPUT"]);
    expect(await code("/graphql", { accept: "*/*" })).toEqual([401, "UNAUTHENTICATED"]);
    const operation = `/graphql?query=${encodeURIComponent("{viewer{keyId}}")}`;
    expect(await code(operation, { accept: "text/html" })).toEqual([401, "UNAUTHENTICATED"]);
    expect(await code(operation, { accept: "text/html, application/json", authorization })).toEqual([200, undefined]);
  });
});

describe("the tabs", () => {
  const id = "00000000-0000-4000-8000-000000000000";
  test.each([null, { key: "", customerId: id }, { key: "", customerId: null }])("are valid and named, with demo values %o", (values) => {
    const tabs = graphiqlTabs(values);
    expect(tabs.map(({ query }) => /^(?:query|mutation) (\w+)/m.exec(query)?.[1])).toEqual(TABS);
    for (const { query, variables } of tabs) {
      expect(validate(schema, parse(query))).toEqual([]);
      expect(query).toMatch(/^# /);
      // What is longer is cut off at the edge of the pane, in a window of 1,440 points.
      for (const line of query.split("\n")) expect(line.length, line).toBeLessThanOrEqual(60);
      JSON.parse(variables);
    }
  });

  test("without a demo write nothing as they stand", async () => {
    const key = await gateway.key();
    for (const { query, variables } of graphiqlTabs(null)) {
      const { body } = await gateway.query(key, query, JSON.parse(variables));
      expect(body.errors).toBeUndefined();
      expect(query).toMatch(/put your key in place of/);
    }
    const { body } = await gateway.query(key, "{ customers { totalCount } }");
    expect(body.data.customers.totalCount).toBe(0);
  });
});
