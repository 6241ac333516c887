import { randomInt } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, it } from "vitest";
import { batchRow } from "../support/customers.ts";
import { freshEnv, type GatewayProcess, keyFor, send, startGateway } from "../support/process.ts";

const KILLS = 20;
const ROWS = 20;

/** One write as it was sent; the ids once it was acknowledged. */
interface Write {
  readonly query: string;
  readonly input: { idempotencyKey: string };
  /** The e-mails of the customers that it makes. */
  readonly emails: string[];
  ids: string[] | null;
}

const CREATE = `mutation ($input: CreateCustomerInput!) {
  result: createCustomer(input: $input) { __typename ... on Customer { id } }
}`;
const BATCH = `mutation ($input: CreateCustomersBatchInput!) {
  result: createCustomersBatch(input: $input) { __typename ... on BatchResult { id replayed customerIds summary { total successful duplicates } } }
}`;
const FIND = `query ($emails: [String!]) {
  customers(first: 100, filter: { emails: $emails }) { nodes { id version history { nodes { type version } } } }
}`;

let writes = 0;

function single(): Write {
  const email = `single.${(writes += 1)}@example.com`;
  return {
    query: CREATE,
    input: { firstname: "Ada", lastname: "Obi", email, country: "NG", idempotencyKey: `key-${writes}` } as never,
    emails: [email],
    ids: null,
  };
}

/** A PARTIAL batch whose last row repeats the first. */
function batch(): Write {
  const name = `batch.${(writes += 1)}`;
  const row = (n: number) =>
    batchRow(n, { clientRef: `${name}-${n}`, email: `${name}.${n}@example.com`, reference: `${name}-${n}` }) as { email: string };
  const customers = [...Array.from({ length: ROWS }, (_, n) => row(n)), row(0)];
  return {
    query: BATCH,
    input: { customers, idempotencyKey: `key-${writes}` } as never,
    emails: customers.slice(0, ROWS).map(({ email }) => email),
    ids: null,
  };
}

/** Sends a write, or sends it again: it must succeed. Gives whether the gateway says that it was there before. */
async function perform(url: string, key: string, write: Write): Promise<boolean | undefined> {
  const { data, errors } = await send(url, key, write.query, { input: write.input });
  expect(errors).toBeUndefined();
  const { __typename, id, customerIds, replayed, summary } = data.result;
  if (__typename === "BatchResult") expect(summary).toEqual({ total: ROWS + 1, successful: ROWS, duplicates: 1 });
  else expect(__typename).toBe("Customer");
  write.ids = customerIds ?? [id];
  return replayed;
}

/** Writes one after the other until the gateway is gone. The last write is the one that was not acknowledged. */
async function writeOn(url: string, key: string, next: () => Write): Promise<Write[]> {
  const sent: Write[] = [];
  for (;;) {
    const write = next();
    sent.push(write);
    try {
      await perform(url, key, write);
    } catch (error) {
      // The connection broke, or the answer did.
      if (error instanceof TypeError || error instanceof SyntaxError) return sent;
      throw error;
    }
  }
}

/** The ids that stand in the database; each must have its one row of history. */
async function find(url: string, key: string, { emails }: Write): Promise<string[]> {
  const { data } = await send(url, key, FIND, { emails });
  for (const { version, history } of data.customers.nodes) {
    expect({ version, history: history.nodes }).toEqual({ version: 1, history: [{ type: "CREATED", version: 1 }] });
  }
  return data.customers.nodes.map(({ id }: { id: string }) => id).sort();
}

/** How many customers were made since a moment. Of all rounds there may be more than a count goes to. */
async function totalSince(url: string, key: string, from: Date): Promise<number> {
  const document = "query ($from: DateTime!) { customers(filter: { createdAt: { from: $from } }) { totalCount totalCountPrecision } }";
  const { totalCount, totalCountPrecision } = (await send(url, key, document, { from })).data.customers;
  expect(totalCountPrecision).toBe("EXACT");
  return totalCount;
}

it(
  `kill -9 during writes, ${KILLS} times: it opens again, every acknowledged row is there, and a retry doubles nothing`,
  { timeout: 600_000 },
  async () => {
    const env = await freshEnv();
    const key = await keyFor(env);
    let gateway: GatewayProcess = await startGateway(env);
    for (let kill = 1; kill <= KILLS; kill += 1) {
      const began = new Date();
      let expected = 0;
      const writers = [writeOn(gateway.url, key, single), writeOn(gateway.url, key, batch)];
      const moment = randomInt(50, 700);
      await sleep(moment);
      await gateway.end("SIGKILL");
      const sent = await Promise.all(writers);
      gateway = await startGateway(env);

      for (const write of sent.flat()) {
        const where = `${write.input.idempotencyKey}, killed for the ${kill}th time after ${moment} ms`;
        const found = await find(gateway.url, key, write);
        if (write.ids) expect(found, where).toEqual(write.ids.toSorted());
        else expect([0, write.emails.length], where).toContain(found.length);
        expected += write.emails.length;
      }
      // Of each writer: the write that nobody acknowledged, and the one before it.
      for (const write of sent.flatMap((of) => of.slice(-2))) {
        const [before, acknowledged] = [await find(gateway.url, key, write), write.ids];
        const replayed = await perform(gateway.url, key, write);
        if (replayed !== undefined) expect(replayed).toBe(before.length > 0);
        if (acknowledged) expect(write.ids).toEqual(acknowledged);
        expect(await find(gateway.url, key, write)).toEqual(write.ids!.toSorted());
        if (before.length > 0) expect(write.ids!.toSorted()).toEqual(before);
      }
      expect(await totalSince(gateway.url, key, began)).toBe(expected);
    }
    expect(await gateway.end("SIGTERM")).toMatchObject({ code: 0, stderr: "" });
  },
);
