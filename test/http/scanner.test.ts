import { expect, test } from "vitest";
import { openGateway, type TestGateway } from "../support/gateway.ts";

/**
 * What public security scanners of GraphQL look for, sent as they send it, with their sign of a finding. The first twelve
 * are graphql-cop's (github.com/dolevf/graphql-cop, its `lib/tests`), the one that it keeps switched off included; the
 * others are of the kind that InQL, clairvoyance and Escape's checks look for.
 */
interface Probe {
  readonly path?: string;
  readonly method?: string;
  readonly type?: string;
  readonly accept?: string;
  readonly body?: string;
  /** Whether an answer is a finding. Of an answer that is no JSON, `json` is null. */
  readonly found: (answer: { status: number; text: string; json: any }) => boolean;
}

const post = (query: string, found: Probe["found"]): Probe => ({ body: JSON.stringify({ query, operationName: "cop" }), found });
const get = (query: string, found: Probe["found"]): Probe => ({ path: `/graphql?${new URLSearchParams({ query })}`, found });
const form = (type: string, body: string): Probe => ({ type, body, found: ({ json }) => ran(json) });
const many = (count: number, part: (index: number) => string) => Array.from({ length: count }, (_, index) => part(index)).join(" ");
const ran = (json: any) => Boolean(json?.data?.__typename);
const showsSchema = ({ json }: { json: any }) => Boolean(json?.data?.__schema ?? json?.data?.s ?? json?.data?.__type);
const suggests = ({ text }: { text: string }) => /Did you mean/i.test(text);

const PROBES: Record<string, Probe> = {
  "alias overloading": post(`query cop { ${many(101, (index) => `alias${index}:__typename`)} }`, ({ json }) =>
    Boolean(json?.data?.alias100),
  ),
  "array-based batching": {
    body: JSON.stringify(Array.from({ length: 10 }, () => ({ query: "query cop { __typename }" }))),
    found: ({ json }) => Array.isArray(json) && json.length >= 10,
  },
  "circular introspection": post(
    "query cop { __schema { types { fields { type { fields { type { fields { type { fields { type { name } } } } } } } } } } }",
    showsSchema,
  ),
  "directive overloading": post(`query cop { __typename ${"@aa".repeat(10)} }`, ({ json }) => json?.errors?.length === 10),
  "field duplication": post(`query cop { ${many(500, () => "__typename")} }`, ({ json }) => ran(json)),
  "field suggestions": post("query cop { __schema { directive } }", suggests),
  "mutation by GET": get("mutation cop {__typename}", ({ json }) => ran(json)),
  "query by GET": get("query cop {__typename}", ({ json }) => ran(json)),
  GraphiQL: { accept: "text/html", found: ({ text }) => /graphiql|graphql.playground/i.test(text) },
  introspection: post("query cop { __schema { types { name fields { name } } } }", showsSchema),
  "form that runs": form("application/x-www-form-urlencoded", "query=query+cop+%7B+__typename+%7D"),
  "trace mode": post("query cop { __typename }", ({ text }) => /"tracing":/i.test(text)),
  "unhandled error": post("qwerty cop { abc }", ({ text }) => /"exception":|stacktrace|node_modules/i.test(text)),

  "introspection by GET": get("{ __schema { types { name } } }", showsSchema),
  "introspection of one type": post('query cop { __type(name: "Customer") { fields { name } } }', showsSchema),
  "introspection behind a name and a fragment": post(
    "query cop { ...F } fragment F on Query { s:__schema\n,{ queryType { name } } }",
    showsSchema,
  ),
  "introspection among others": {
    body: JSON.stringify({ query: "query cop { s: __typename } query other { __schema { description } }", operationName: "other" }),
    found: showsSchema,
  },
  "suggested fields": post("query cop { customer(by: { id: 1 }) { accountNam emial } }", suggests),
  "suggested types and arguments": post(
    "query cop { customers(frist: 1) { ...F } } fragment F on Custmer { id } query b($a: CustomerB) { viewer { mode } }",
    suggests,
  ),
  "suggested enum values": post("query cop { customers(orderBy: { field: CREATED, direction: ASC }) { totalCount } }", suggests),
  "suggested fields of an input": post('query cop { customer(by: { phrse: "x" }) { id } }', suggests),
  "multipart form that runs": form(
    "multipart/form-data; boundary=x",
    '--x\r\nContent-Disposition: form-data; name="operations"\r\n\r\n{"query":"{__typename}"}\r\n--x\r\nContent-Disposition: form-data; name="map"\r\n\r\n{}\r\n--x--\r\n',
  ),
  "plain text that runs": form("text/plain", '{"query":"{__typename}"}'),
  "no type that runs": form("", '{"query":"{__typename}"}'),
  "GraphQL text that runs": form("application/graphql", "{__typename}"),
  "query by PUT": { method: "PUT", body: '{"query":"{__typename}"}', found: ({ json }) => ran(json) },
  "a document registers itself": {
    body: JSON.stringify({
      query: "{__typename}",
      extensions: { persistedQuery: { version: 1, sha256Hash: "ecf4edb46db40b5132295c0291d62fb65d6759a9eedfa4d5d612dd5ec54a6b38" } },
    }),
    found: ({ json }) => ran(json),
  },
  "an error's insides": post('query cop { node(id: "\\u0000") { id } }', ({ text }) =>
    /"stack|prisma|node_modules|select .* from/i.test(text),
  ),
  ...Object.fromEntries(
    [
      "/graphiql",
      "/playground",
      "/altair",
      "/voyager",
      "/console",
      "/v1/graphql",
      "/api/graphql",
      "/graphql/schema.json",
      "/graphql/health",
    ].map((path) => [`a page at ${path}`, { path, accept: "text/html", found: ({ status }) => status < 400 } satisfies Probe]),
  ),
};

/** The contract has these; what makes each no way in is tested below. */
const BY_CONTRACT: Record<string, (gateway: string) => boolean> = {
  GraphiQL: (gateway) => gateway === "development",
};

const GATEWAYS: Record<string, TestGateway> = {
  production: await openGateway({ production: true, graphiql: false }),
  development: await openGateway(),
};
/** An APP as production has it: its client is trusted, and sends no text. An open one is shown the schema by contract. */
const CALLERS = ["nobody", "PARTNER", "APP"] as const;

const cases = Object.keys(GATEWAYS).flatMap((mode) => CALLERS.map((caller) => [mode, caller] as const));

test.each(cases)("in %s a scanner with the key of %s finds nothing", async (mode, caller) => {
  const gateway = GATEWAYS[mode]!;
  const key = caller === "nobody" ? null : await gateway.key({ audience: caller, client: `scanned-${caller}`, scopes: ["customers:read"] });
  if (caller === "APP") {
    const { id: clientId } = await gateway.app.services.db.client.findFirstOrThrow({ where: { name: "scanned-APP" } });
    await gateway.app.services.db.clientSettings.create({ data: { clientId, mode: "SANDBOX", access: "TRUSTED" } });
  }
  const findings: string[] = [];
  for (const [name, probe] of Object.entries(PROBES)) if (probe.found(await send(gateway, key, probe))) findings.push(name);
  expect(findings).toEqual(
    Object.keys(BY_CONTRACT)
      .filter((name) => BY_CONTRACT[name]!(mode))
      .sort((a, b) => order(a) - order(b)),
  );
});

const order = (name: string) => Object.keys(PROBES).indexOf(name);

async function send(
  gateway: TestGateway,
  key: string | null,
  { path = "/graphql", type = "application/json", ...probe }: Probe,
  more = {},
) {
  const response = await gateway.send(path, {
    method: probe.method ?? (probe.body === undefined ? "GET" : "POST"),
    headers: {
      ...(key !== null && { authorization: `Bearer ${key}` }),
      ...(probe.body !== undefined && { "content-type": type }),
      ...(probe.accept !== undefined && { accept: probe.accept }),
      ...more,
    },
    body: probe.body,
  });
  expect(response.status, "the gateway's own fault").not.toBe(500);
  const text = await response.text();
  return { status: response.status, text, json: parsed(text) };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

test("the probes find what is there: an INTERNAL key is shown the schema and its suggestions", async () => {
  const gateway = GATEWAYS["development"]!;
  const key = await gateway.key();
  for (const name of ["introspection", "introspection by GET", "field suggestions", "suggested fields", "query by GET", "GraphiQL"])
    expect(PROBES[name]!.found(await send(gateway, key, PROBES[name]!)), name).toBe(true);
});

test("a query by GET is no way in for another site: a browser sends no key unasked, and no cookie is one", async () => {
  const gateway = GATEWAYS["production"]!;
  const key = await gateway.key({ audience: "APP", scopes: ["customers:read"] });
  const probe = PROBES["query by GET"]!;
  for (const more of [{ cookie: `authorization=Bearer ${key}; key=${key}` }, { origin: "https://evil.example" }])
    expect((await send(gateway, null, probe, more)).status).toBe(401);
  expect((await send(gateway, null, { ...probe, path: `${probe.path}&authorization=${key}&key=${key}&access_token=${key}` })).status).toBe(
    401,
  );
  const preflight = await gateway.send("/graphql", {
    method: "OPTIONS",
    headers: { origin: "https://evil.example", "access-control-request-method": "GET", "access-control-request-headers": "authorization" },
  });
  expect([preflight.status, preflight.headers.get("access-control-allow-origin")]).toEqual([405, null]);
});
