import { createGzip } from "node:zlib";
import { Readable } from "node:stream";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { afterAll, expect, test } from "vitest";
import { issueKey } from "../../src/access/issue-key.ts";
import { startGateway } from "../../src/start.ts";
import { ATTACKS, invalidDocument } from "../support/attacks.ts";
import { freshDatabase } from "../support/gateway.ts";

// How fast each is refused, and that others are served meanwhile, is measured by bench/abuse.ts.

const { config, remove } = await freshDatabase();
const gateway = await startGateway(config);
const tenant = { id: "alpha", kind: "BANK", name: "alpha" } as const;
const { key } = await issueKey(gateway.app.services.db, {
  tenant,
  mode: "SANDBOX",
  audience: "INTERNAL",
  scopes: ["batches:write", "customers:read", "keys:manage"],
});
afterAll(async () => {
  await gateway.stop();
  await remove();
});

async function post(body: BodyInit, headers: Record<string, string> = {}) {
  const response = await fetch(`${gateway.url}/graphql`, {
    method: "POST",
    headers: {
      authorization: `Bearer ${key}`,
      "content-type": "application/json",
      accept: "application/graphql-response+json",
      ...headers,
    },
    body,
    ...(body instanceof ReadableStream && { duplex: "half" }),
  });
  return { status: response.status, answer: (await response.json()) as { errors?: { extensions: { code: string } }[] } };
}

/** An ordinary request. */
const answers = async () => expect(await post('{"query":"{viewer{mode}}"}')).toMatchObject({ status: 200, answer: { data: {} } });

test.each(Object.entries(ATTACKS))("%s: refused with a code of the contract, in a short answer", async (_what, { body, codes }) => {
  const { status, answer } = await post(body);
  expect("data" in answer).toBe(false);
  const code = answer.errors?.[0]?.extensions.code;
  expect(codes).toContain(code);
  expect(status).toBe(code === "PAYLOAD_TOO_LARGE" ? 413 : 400);
  expect(JSON.stringify(answer).length).toBeLessThan(20_000);
  await answers();
});

/** Blanks without end, as long as anybody reads them. */
function* blanks(bytes: number) {
  for (let sent = 0; sent < bytes; sent += 100_000) yield Buffer.alloc(100_000, " ");
}

test.each([
  ["10 MB in chunks", () => Readable.from(blanks(10_000_000)), {}, 413, "PAYLOAD_TOO_LARGE"],
  ["a gzip bomb of 1 GB", () => Readable.from(blanks(1e9)).pipe(createGzip()), { "content-encoding": "gzip" }, 415, "BAD_USER_INPUT"],
] as const)("%s: refused before it has been sent", async (_what, stream, headers, status, code) => {
  const sending = stream();
  // The gateway closes the connection once it has answered.
  sending.on("error", () => {});
  expect(await post(Readable.toWeb(sending) as ReadableStream, headers)).toMatchObject({
    status,
    answer: { errors: [{ extensions: { code } }] },
  });
  sending.destroy();
  await answers();
});

test("5,000 different invalid documents leave nothing behind", async () => {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  const used = () => (collect(), process.memoryUsage().heapUsed);
  // Through the door without a socket: what the test itself keeps of each request is not the gateway's.
  const send = async (query: string) => {
    const request = new Request("http://gateway.test/graphql", {
      method: "POST",
      headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
      body: JSON.stringify({ query }),
    });
    return (await (await gateway.app.fetch(request)).json()) as object;
  };
  for (let number = 0; number < 100; number++) await send(invalidDocument(number));
  const before = used();
  for (let number = 100; number < 5100; number++) expect(await send(invalidDocument(number))).toHaveProperty("errors");
  expect(used() - before).toBeLessThan(50_000_000);
  await answers();
});
