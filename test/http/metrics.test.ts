import { expect, test } from "vitest";
import { freshEnv, keyFor, send, startGateway } from "../support/process.ts";

test("METRICS_PORT tells Prometheus what was answered, and nothing of who asked", async () => {
  const env = await freshEnv();
  const key = await keyFor(env);
  const gateway = await startGateway({ ...env, METRICS_PORT: "0" });
  await send(gateway.url, key, "{ viewer { mode } }");
  await send(gateway.url, key, "{ nothing }");
  await send(gateway.url, "no key", "{ viewer { mode } }");

  const [, url] = await gateway.printed(/metrics at (\S+)/);
  const response = await fetch(url!);
  const text = await response.text();
  expect([response.status, response.headers.get("content-type")]).toEqual([200, expect.stringContaining("text/plain")]);
  expect(text).toContain('gateway_http_responses_total{status="200"} 2');
  expect(text).toContain('gateway_http_responses_total{status="401"} 1');
  expect(text).toContain('gateway_errors_total{code="GRAPHQL_VALIDATION_FAILED"} 1');
  expect(text).toContain('gateway_errors_total{code="UNAUTHENTICATED"} 1');
  expect(text).toContain("gateway_limits_fallback 0");
  expect(text).not.toContain(key.split("_")[2]!);
  expect((await fetch(new URL("/", url))).status).toBe(404);
  // Not on the port that clients call.
  expect((await fetch(`${gateway.url}/metrics`)).status).toBe(404);
});
