import { expect, test } from "vitest";
import { documentHash } from "../../src/documents/register.ts";
import { partnerWith } from "../support/partner.ts";
import { freshEnv, type GatewayProcess, keyFor, send, startGateway } from "../support/process.ts";

const PAGE = "query PageOfPartner($first: Int) { customers(first: $first) { nodes { id } } }";

/** The lines that tell of requests, in the order of their answers. */
const linesOf = ({ stderr }: GatewayProcess) =>
  stderr
    .split("\n")
    .filter((line) => line.startsWith("{"))
    .map((line) => JSON.parse(line) as Record<string, unknown>)
    .filter(({ msg }) => msg === "request");

test("a line says who ran what, at what cost and with which errors, and nothing of what was asked for", async () => {
  const env = await freshEnv();
  const key = await keyFor(env);
  const gateway = await startGateway({ ...env, LOG_LEVEL: "info" });
  const partner = await partnerWith(gateway.url, key, [PAGE]);
  // Of the two requests that made the partner.
  await expect.poll(() => linesOf(gateway).length).toBe(2);

  await partner.run(PAGE, { first: 7 });
  await send(gateway.url, key, "query Mine { viewer { mode } nothing }");
  await send(gateway.url, key, "query Mine { viewer { mode } }");
  await send(gateway.url, key, `query ${"x".repeat(101)} { viewer { mode } }`);
  await fetch(`${gateway.url}/v1/customers/zq@example.com`, { headers: { authorization: `Bearer ${key}` } });
  await fetch(`${gateway.url}/zqpath?zq=1`);
  await send(gateway.url, "no key", "{ viewer { mode } }");
  await expect.poll(() => linesOf(gateway).length).toBe(9);

  const lines = linesOf(gateway).slice(2);
  const keyId = key.split("_")[2]!;
  const told = { level: 30, time: expect.any(String) as string, requestId: expect.any(String) as string, msg: "request" };
  const ms = expect.any(Number) as number;
  const post = { ...told, method: "POST", route: "/graphql", ms };
  const hash = documentHash(PAGE);
  expect(lines).toEqual([
    { ...post, status: 200, keyId: partner.key.split("_")[2]!, document: "PageOfPartner", hash, points: 8 },
    // A document that is not valid has no operation.
    { ...post, status: 200, keyId, points: 1, codes: ["GRAPHQL_VALIDATION_FAILED"] },
    { ...post, status: 200, keyId, operation: "Mine", points: 1 },
    { ...post, status: 200, keyId, points: 1 },
    {
      ...told,
      method: "GET",
      route: "/v1/customers/{idOrReferenceOrEmail}",
      status: 404,
      keyId,
      operation: "RestCustomer",
      points: ms,
      ms,
    },
    { ...told, method: "GET", route: "other", status: 404, ms },
    { ...post, status: 401, codes: ["UNAUTHENTICATED"] },
  ]);
});
