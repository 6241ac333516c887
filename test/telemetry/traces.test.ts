import { expect, onTestFinished, test } from "vitest";
import { createClient } from "../../src/database/client.ts";
import { openOtlpReceiver } from "../support/otlp.ts";
import { freshEnv, keyFor, ON_POSTGRES, send, startGateway } from "../support/process.ts";

test("OTEL_EXPORTER_OTLP_ENDPOINT: a request's trace goes on from the caller's, down to its SQL", async () => {
  const receiver = await openOtlpReceiver();
  const env = await freshEnv();
  const key = await keyFor(env);
  const gateway = await startGateway({ ...env, OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url });
  const [traceId, callersSpan] = ["0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"];
  const response = await fetch(`${gateway.url}/graphql`, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      authorization: `Bearer ${key}`,
      "x-request-id": "traced-1",
      traceparent: `00-${traceId}-${callersSpan}-01`,
      tracestate: "vendor=zqstate",
    },
    body: JSON.stringify({ query: "query Page { customers(first: 2) { nodes { id } } }" }),
  });
  expect(response.status).toBe(200);
  await response.text();
  await expect.poll(() => receiver.spans().filter((span) => span.kind === 2 && span.traceId === traceId)).toHaveLength(1);

  const spans = receiver.spans().filter((span) => span.traceId === traceId);
  const request = spans.find(({ kind }) => kind === 2)!;
  expect(request).toMatchObject({ name: "POST /graphql", parentSpanId: callersSpan });
  expect(request.attributes).toMatchObject({
    "http.request.method": "POST",
    "http.route": "/graphql",
    "http.response.status_code": 200,
    "gateway.request_id": "traced-1",
  });
  const operation = spans.find(({ name }) => name === "query")!;
  expect(operation).toMatchObject({ parentSpanId: request.spanId, attributes: { "graphql.operation.name": "Page" } });
  const statements = spans.filter(({ kind }) => kind === 3);
  const reads = statements.filter(({ parentSpanId }) => parentSpanId === operation.spanId);
  expect(reads.map(({ attributes }) => attributes["db.query.text"])).toContainEqual(
    expect.stringMatching(/FROM "public"\."customer".*\$1/s),
  );
  expect(reads.find(({ name }) => name === "SELECT")!.attributes).toMatchObject({ "db.system.name": "postgresql" });
  expect(receiver.text()).not.toContain("zqstate");
  expect(receiver.text()).toContain('"customer-gateway"');
});

test("a trace that the caller does not keep is not sent", async () => {
  const receiver = await openOtlpReceiver();
  const env = await freshEnv();
  const key = await keyFor(env);
  const gateway = await startGateway({ ...env, OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url });
  const ask = (traceId: string, flags: string) =>
    fetch(`${gateway.url}/graphql?query={viewer{mode}}`, {
      headers: { authorization: `Bearer ${key}`, traceparent: `00-${traceId}-b7ad6b7169203331-${flags}` },
    });
  await ask("1".repeat(32), "00");
  await ask("2".repeat(32), "01");
  await expect.poll(() => receiver.text()).toContain("2".repeat(32));
  expect(receiver.text()).not.toContain("1".repeat(32));
});

test("what was gathered is sent before the end", async () => {
  const receiver = await openOtlpReceiver();
  const env = await freshEnv();
  const key = await keyFor(env);
  const gateway = await startGateway({ ...env, OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url });
  await send(gateway.url, key, "{ viewer { mode } }");
  expect(await gateway.end("SIGTERM")).toMatchObject({ code: 0 });
  expect(receiver.spans().filter(({ kind }) => kind === 2)).toHaveLength(1);
});

test.runIf(ON_POSTGRES)("a statement that fails is marked by its code alone", async () => {
  const receiver = await openOtlpReceiver();
  const env = await freshEnv();
  const key = await keyFor(env);
  const gateway = await startGateway({ ...env, OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url, REQUEST_TIMEOUT_MS: "500" });
  const db = createClient({ connectionString: env["DATABASE_URL"]! });
  onTestFinished(() => db.$disconnect());
  await db.$transaction(async (tx) => {
    await tx.$executeRaw`LOCK TABLE customer IN ACCESS EXCLUSIVE MODE`;
    const { errors } = await send(gateway.url, key, "{ customers(first: 1) { nodes { id } } }");
    expect(errors!.map(({ extensions }) => extensions.code)).toEqual(["TIMEOUT"]);
  });
  const failed = () => receiver.spans().filter(({ kind, status }) => kind === 3 && status.code === 2);
  await expect.poll(failed).not.toEqual([]);
  expect(failed()[0]).toMatchObject({ name: "SELECT", attributes: { "error.type": "57014" } });
  expect(failed()[0]!.status.message).toBeUndefined();
  expect(receiver.spans().find(({ kind }) => kind === 2)!.attributes["gateway.error_codes"]).toEqual({
    values: [{ stringValue: "TIMEOUT" }],
  });
});

test("a collector that is not there fails no request and holds up no stop", async () => {
  const env = await freshEnv();
  const key = await keyFor(env);
  const gateway = await startGateway({ ...env, OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:1" });
  expect((await send(gateway.url, key, "{ viewer { mode } }")).errors).toBeUndefined();
  await expect.poll(() => gateway.stderr).toContain("spans cannot be sent");
  const began = performance.now();
  expect(await gateway.end("SIGTERM")).toMatchObject({ code: 0 });
  expect(performance.now() - began).toBeLessThan(9_000);
});
