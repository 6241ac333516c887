import { expect, test } from "vitest";
import { CANARIES as CUSTOMER } from "../access/canary.customer.ts";
import { openOtlpReceiver } from "../support/otlp.ts";
import { batchRow } from "../support/customers.ts";
import { partnerWith } from "../support/partner.ts";
import { freshEnv, keyFor, send, startGateway } from "../support/process.ts";

/** What nothing else in a gateway says, of what a batch's row can hold. */
const {
  blacklist: NOTE,
  devices: DEVICE,
  consent: _consent,
  version: _v,
  createdAt: _c,
  updatedAt: _u,
  lifecycle: _l,
  ...PERSONAL
} = CUSTOMER;
const CANARIES = { ...PERSONAL, accountName: "Zqaccount" };

const FIND = `query Find($email: String!) { customers(filter: { emails: [$email] }) { nodes { id email accountNumber } } }`;
const CREATE = `mutation Enrol($rows: [BatchCustomerInput]!, $processing: BatchProcessing) {
  createCustomersBatch(input: { customers: $rows, processing: $processing }) { __typename ... on BatchResult { id customerIds } ... on Error { message } } }`;

test("nothing of a customer is in the log, in the metrics or in a trace", { timeout: 120_000 }, async () => {
  const receiver = await openOtlpReceiver();
  const env = await freshEnv();
  const key = await keyFor(env);
  const settings = { METRICS_PORT: "0", LOG_LEVEL: "debug", OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url, ROW_LEVEL_SECURITY: "on" };
  const gateway = await startGateway({ ...env, ...settings });
  const { url } = gateway;
  const bearer = { authorization: `Bearer ${key}` };
  const ask = (path: string, { headers, ...init }: { method?: string; body?: string; headers?: Record<string, string> } = {}) =>
    fetch(`${url}${path}`, { ...init, headers: { ...bearer, ...headers } });

  // Made, in the batch and one by one, twice, and refused.
  const batch = await send(url, key, CREATE, { rows: [batchRow(1, CANARIES)] });
  const id = batch.data.createCustomersBatch.customerIds[0] as string;
  const { clientRef, accountNumber, ...person } = { ...CANARIES, country: "NG" };
  const single = `mutation ($input: CreateCustomerInput!) { createCustomer(input: $input) { __typename } }`;
  expect((await send(url, key, single, { input: person })).data.createCustomer.__typename).toBe("CustomerAlreadyExists");
  await send(url, key, single, { input: { ...person, country: CANARIES.state, accountNumber } });
  await send(url, key, CREATE, { rows: [batchRow(2, { ...CANARIES, email: `${clientRef} not an address` })], processing: "BACKGROUND" });
  await send(url, key, `mutation { linkDevice(input: { id: "${id}", deviceId: "${DEVICE}" }) { __typename } }`);
  await send(url, key, `query ($id: ID!) { exportCustomerData(id: $id) { categories { records } } }`, { id });
  await send(url, key, `mutation { setBlacklist(input: { id: "${id}", blacklisted: true, note: "${NOTE}" }) { __typename } }`);
  await send(url, key, `mutation { updateCustomer(input: { id: "${id}", update: { address: "${CANARIES.address}" } }) { __typename } }`);

  // Found, in each way that a value can be named.
  const partner = await partnerWith(url, key, [FIND]);
  expect((await partner.run(FIND, { email: CANARIES.email })).data.customers.nodes).toHaveLength(1);
  await partner.run(FIND, { email: CANARIES.lastname });
  await send(url, key, `{ customers(filter: { search: "${CANARIES.firstname}" }) { nodes { ${Object.keys(CANARIES).join(" ")} } } }`);
  await send(url, key, `{ customer(by: { reference: "${CANARIES.reference}" }) { id } node(id: "${NOTE}") { id } }`);
  await send(url, key, `{ customers { nodes { ${CANARIES.lastname} } } }`);
  await send(url, key, `{ customers(first: "${CANARIES.phone}") { `);
  const variables = JSON.stringify({ email: CANARIES.email });
  await ask(`/graphql?${new URLSearchParams({ query: FIND, variables })}`);
  await ask(`/v1/customers/${CANARIES.email}`, { headers: { "user-agent": CANARIES.firstname, baggage: `who=${CANARIES.reference}` } });
  await ask(`/v1/customers/${CANARIES.reference}?take=${CANARIES.lastname}`, { headers: { tracestate: `v=${NOTE}` } });
  await ask("/v1/customers", { method: "POST", body: JSON.stringify(person), headers: { "content-type": "application/json" } });
  await ask(`/${CANARIES.lastname}?${CANARIES.firstname}`, { headers: { "x-request-id": CANARIES.email, traceparent: CANARIES.lastname } });
  await ask("/graphql", { method: "POST", body: `{"query": "${CANARIES.state}`, headers: { "content-type": "application/json" } });

  const [, metricsUrl] = await gateway.printed(/metrics at (\S+)/);
  const metrics = await (await fetch(metricsUrl!)).text();
  expect(await gateway.end("SIGTERM")).toMatchObject({ code: 0 });
  expect(gateway.stderr.match(/"msg":"request"/g)!.length).toBeGreaterThan(15);
  expect(receiver.spans().filter(({ kind }) => kind === 3).length).toBeGreaterThan(30);
  expect(metrics).toContain('gateway_document_requests_total{document="Find"} 2');
  const told = { log: gateway.stderr, metrics, spans: receiver.text() };
  for (const [where, text] of Object.entries(told)) {
    for (const canary of [...Object.values(CANARIES), NOTE, DEVICE, "8031234567", id])
      expect(text.toLowerCase(), where).not.toContain(canary.toLowerCase());
    // Nor any part of them that a driver or a parser would quote.
    expect(text.toLowerCase().match(/.{40}zq.{40}/) ?? [], where).toEqual([]);
  }
  // Ids of keys stand in the log alone.
  const keyId = key.split("_")[2]!;
  expect([told.log, told.metrics, told.spans].map((text) => text.includes(keyId))).toEqual([true, false, false]);
});
