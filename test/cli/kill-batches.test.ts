import { randomInt } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, it, vi } from "vitest";
import { batchRow } from "../support/customers.ts";
import { freshEnv, type GatewayProcess, keyFor, send, startGateway } from "../support/process.ts";

const BATCHES = 100;

const BATCH = `mutation ($input: CreateCustomersBatchInput!) {
  result: createCustomersBatch(input: $input) { ... on BatchResult { id status } }
}`;
const READ = `query ($id: ID!) { batch(id: $id) { status customerIds summary { total successful failed rolledBack pending } } }`;
const FIND = `query ($emails: [String!], $after: String) {
  customers(first: 100, after: $after, filter: { emails: $emails }) { nodes { id version } pageInfo { hasNextPage endCursor } }
}`;

/** A way to send a batch, and what becomes of its rows: all good, or with a last one that repeats the first. */
const WAYS = [
  { rows: 20, repeats: true, written: 20, options: {} },
  { rows: 20, repeats: false, written: 20, options: { atomicity: "ALL_OR_NOTHING" } },
  { rows: 20, repeats: true, written: 0, options: { atomicity: "ALL_OR_NOTHING" } },
  { rows: 250, repeats: true, written: 250, options: { processing: "BACKGROUND" } },
  { rows: 150, repeats: true, written: 0, options: { processing: "BACKGROUND", atomicity: "ALL_OR_NOTHING" } },
];

interface Sent {
  readonly way: (typeof WAYS)[number];
  readonly input: { idempotencyKey: string };
  readonly emails: string[];
  /** Once it was answered. */
  id: string | null;
}

function makeBatch(number: number): Sent {
  const way = WAYS[number % WAYS.length]!;
  const name = `batch.${number}`;
  const row = (n: number) =>
    batchRow(n, { clientRef: `${name}-${n}`, email: `${name}.${n}@example.com`, reference: `${name}-${n}` }) as { email: string };
  const customers = Array.from({ length: way.rows }, (_, n) => row(n));
  const emails = customers.map(({ email }) => email);
  if (way.repeats) customers.push(row(0));
  return { way, input: { customers, idempotencyKey: name, ...way.options } as never, emails, id: null };
}

async function perform(url: string, key: string, batch: Sent): Promise<void> {
  const { data, errors } = await send(url, key, BATCH, { input: batch.input });
  expect(errors).toBeUndefined();
  if (batch.id) expect(data.result.id).toBe(batch.id);
  batch.id = data.result.id;
}

/** The ids of those whose e-mails are given; each written once. */
async function find(url: string, key: string, emails: string[]): Promise<string[]> {
  const ids: string[] = [];
  for (let after: string | null = null; ;) {
    const { data } = await send(url, key, FIND, { emails, after });
    for (const { id, version } of data.customers.nodes) expect([version, ids.push(id)]).toEqual([1, ids.length]);
    if (!data.customers.pageInfo.hasNextPage) return ids.sort();
    after = data.customers.pageInfo.endCursor;
  }
}

it(
  `kill -9 at random moments during ${BATCHES} batches of every kind, each sent until it is answered: none lost, none twice, none half`,
  { timeout: 600_000 },
  async () => {
    const env = await freshEnv();
    const key = await keyFor(env);
    let gateway: GatewayProcess = await startGateway(env);
    const count = async () => (await send(gateway.url, key, "{ customers { totalCount } }")).data.customers.totalCount as number;
    const before = await count();
    const batches = Array.from({ length: BATCHES }, (_, number) => makeBatch(number));
    const open = [...batches];
    let kills = 0;
    while (open.length > 0) {
      // Two senders, until the gateway is gone.
      const senders = [0, 1].map(async () => {
        for (let batch = open.shift(); batch; batch = open.shift()) {
          try {
            await perform(gateway.url, key, batch);
          } catch (error) {
            // The connection broke, or the answer did: to be sent again.
            open.unshift(batch);
            if (error instanceof TypeError || error instanceof SyntaxError) return;
            throw error;
          }
        }
      });
      // At first soon, however fast the gateway is; later with more time, however slow the machine is.
      await sleep(randomInt(50, 300 + 50 * kills));
      await gateway.end("SIGKILL");
      await Promise.all(senders);
      kills += 1;
      gateway = await startGateway(env);
    }
    expect(kills).toBeGreaterThan(3);

    for (const { id, way, emails } of batches) {
      const batch = await vi.waitFor(
        async () => {
          const { data } = await send(gateway.url, key, READ, { id });
          expect(data.batch.status).not.toBe("PROCESSING");
          return data.batch;
        },
        { timeout: 90_000, interval: 100 },
      );
      const isAtomicFailure = way.written === 0;
      expect(batch.status).toBe(isAtomicFailure ? "FAILED" : "COMPLETED");
      expect(batch.summary).toEqual({
        total: way.rows + Number(way.repeats),
        successful: way.written,
        failed: Number(way.repeats),
        rolledBack: isAtomicFailure ? way.rows : 0,
        pending: 0,
      });
      // Its rows are there, and under the ids that its record names.
      expect(await find(gateway.url, key, emails)).toEqual(batch.customerIds.toSorted());
      expect(batch.customerIds).toHaveLength(way.written);
    }
    expect((await count()) - before).toBe(batches.reduce((sum, { way }) => sum + way.written, 0));
    expect(await gateway.end("SIGTERM")).toMatchObject({ code: 0, stderr: "" });
  },
);
