import { afterAll, expect, test } from "vitest";
import { issueKey } from "../../src/access/issue-key.ts";
import { type App, buildApp } from "../../src/app.ts";
import { Keyring } from "../../src/crypto/keyring.ts";
import { batchRow, BLACKLIST, CREATE, UPDATE } from "../support/customers.ts";
import { EVERY_SCOPE, freshDatabase } from "../support/gateway.ts";

const [OLD, NEW] = [Buffer.alloc(32, 1), Buffer.alloc(32, 2)];
const IDS = { old: new Keyring([OLD]).ids[0]!, new: new Keyring([NEW]).ids[0]! };
/** The embedded database serves one gateway, which is restarted; PostgreSQL serves two, replaced in turn. */
const isShared = process.env["TEST_ON"] === "postgres";

/** A gateway and its requests under way. */
interface Serving {
  app: App;
  under: Set<Promise<unknown>>;
}

const { config, remove } = await freshDatabase();
const open = async (keyring: Keyring): Promise<Serving> => ({ app: await buildApp({ ...config, keyring }), under: new Set() });
const old = new Keyring([OLD]);
// The template's demo bank was sealed by the tests' own keyring.
if (!isShared) {
  const app = await buildApp(config);
  await app.services.db.$executeRaw`UPDATE customer SET account_number = NULL`;
  await app.services.db.$executeRaw`UPDATE blacklist_entry SET note = NULL`;
  await app.services.db.$executeRaw`DELETE FROM blacklisted_identity`;
  await app.close();
}
let serving: Promise<Serving>[] = [open(old), ...(isShared ? [open(old)] : [])];
afterAll(async () => {
  for (const one of serving) await (await one).app.close();
  await remove();
});
const database = async () => (await serving[0]!).app.services.db;

const { key } = await issueKey(await database(), {
  tenant: { id: "alpha", kind: "BANK", name: "alpha" },
  mode: "SANDBOX",
  audience: "INTERNAL",
  scopes: EVERY_SCOPE,
});

/** Asks any of the gateways that serve. */
async function ask(query: string, variables: object = {}): Promise<{ data: any; errors?: { extensions: { code: string } }[] }> {
  const { app, under } = await serving[Math.floor(Math.random() * serving.length)]!;
  const request = app
    .fetch(
      new Request("http://gateway.test/graphql", {
        method: "POST",
        headers: { "content-type": "application/json", authorization: `Bearer ${key}` },
        body: JSON.stringify({ query, variables }),
      }),
    )
    .then((response) => response.json());
  under.add(request);
  return request.finally(() => under.delete(request));
}

async function give(query: string, variables: object = {}): Promise<any> {
  const { data, errors } = await ask(query, variables);
  if (errors) throw new Error(JSON.stringify(errors));
  return Object.values(data)[0];
}

/** Replaces each gateway by one with another keyring, one after the other, while the rest serve. */
async function rotate(keyring: Keyring): Promise<void> {
  for (const [place, one] of serving.entries()) {
    const before = await one;
    const end = async () => (await Promise.all(before.under), before.app.close());
    if (isShared) {
      serving[place] = Promise.resolve(await open(keyring));
      await end();
    } else {
      await (serving[place] = end().then(() => open(keyring)));
    }
  }
}

async function keysInUse(): Promise<string[]> {
  const rows = await (
    await database()
  ).$queryRaw<{ key: string }[]>`
    SELECT DISTINCT encode(substring(text FROM 1 FOR 4), 'hex') AS key
    FROM (SELECT account_number AS text FROM customer UNION ALL SELECT note FROM blacklist_entry) AS texts WHERE text IS NOT NULL`;
  return rows.map((row) => row.key).toSorted();
}

const READ = `query ($id: ID!) { customer(by: { id: $id }) { accountNumber blacklist { note } version updatedAt history(first: 50) { nodes { version } } } }`;
const BATCH = `mutation ($customers: [BatchCustomerInput]!, $key: String) {
  createCustomersBatch(input: { customers: $customers, idempotencyKey: $key }) { ... on BatchResult { customerIds replayed } ... on Error { code } }
}`;
const LIST = `query ($after: String) { customers(first: 5, after: $after, filter: { countries: ["GH"] }) { nodes { id } pageInfo { endCursor } } }`;
const registration = (email: string) => ({ input: { firstname: "A", lastname: "B", country: "NG", email } });

let made = 0;
const rows = (count: number) => Array.from({ length: count }, () => batchRow((made += 1)));
const stop = { asked: false };

/** Reads customers that nobody writes: each answer must be exactly the first one. */
async function readQuietly(known: Map<string, object>, round: () => number): Promise<void> {
  const ids = [...known.keys()];
  while (!stop.asked) {
    const id = ids[round() % ids.length]!;
    expect(await give(READ, { id })).toEqual(known.get(id));
  }
}

/** Writes customers and reads each write back. */
async function writeAndRead(round: () => number): Promise<void> {
  while (!stop.asked) {
    const note = `note ${round()}`;
    const batch = rows(3);
    const { customerIds } = await give(BATCH, { customers: batch });
    await give(BLACKLIST, { input: { id: customerIds[1], blacklisted: true, note } });
    for (const [index, id] of customerIds.entries()) {
      expect(await give(READ, { id })).toMatchObject({
        accountNumber: batch[index]!.accountNumber,
        blacklist: index === 1 ? { note } : null,
      });
    }
  }
}

test("keys rotate while reads and writes go on, and nothing is left under the old one", { timeout: 110_000 }, async () => {
  const quiet = rows(40).map((row) => ({ ...row, country: "GH" }));
  const first = await give(BATCH, { customers: quiet, key: "before" });
  const ids: string[] = first.customerIds;
  for (const id of ids.slice(0, 5)) await give(BLACKLIST, { input: { id, blacklisted: true, note: `Note of ${id}` } });
  // The sixth leaves an e-mail behind, whose hash nobody can make anew.
  await give(BLACKLIST, { input: { id: ids[5], blacklisted: true } });
  await give(UPDATE, { input: { id: ids[5], update: { email: "later@example.com" } } });
  const known = new Map<string, object>();
  for (const id of ids) known.set(id, await give(READ, { id }));
  expect([...known.values()].map((customer: any) => customer.accountNumber)).toEqual(quiet.map((row) => row.accountNumber));
  const {
    pageInfo: { endCursor },
    nodes,
  } = await give(LIST);
  const next = await give(LIST, { after: endCursor });
  expect(next.nodes).not.toEqual(nodes);
  expect(await keysInUse()).toEqual([IDS.old]);

  const rounds = [0, 0, 0, 0];
  const round = (worker: number) => () => (rounds[worker]! += 1);
  const load = Promise.all([readQuietly(known, round(0)), readQuietly(known, round(1)), writeAndRead(round(2)), writeAndRead(round(3))]);
  load.catch(() => (stop.asked = true));
  /** Until each worker has begun two more rounds, so finished one, or failed. */
  const underLoad = async () => {
    const before = [...rounds];
    await expect.poll(() => stop.asked || rounds.every((count, worker) => count > before[worker]! + 1), { timeout: 30_000 }).toBe(true);
  };
  await underLoad();
  await rotate(new Keyring([OLD, NEW]));
  await underLoad();
  expect(await keysInUse()).toEqual([IDS.old]);
  await rotate(new Keyring([NEW, OLD]));
  await underLoad();
  expect(await give(LIST, { after: endCursor })).toMatchObject({ nodes: next.nodes });
  expect(await give(BATCH, { customers: quiet, key: "before" })).toEqual({ customerIds: ids, replayed: true });
  await expect.poll(keysInUse, { timeout: 40_000, interval: 500 }).toEqual([IDS.new]);
  const ownHashes = async () => {
    const found = await (
      await database()
    ).$queryRaw<{ key: string }[]>`SELECT encode(substring(hash FROM 1 FOR 4), 'hex') AS key FROM blacklisted_identity`;
    return found.filter((row) => row.key === IDS.old).length;
  };
  await expect.poll(ownHashes, { timeout: 40_000, interval: 500 }).toBe(1);
  await rotate(new Keyring([NEW], [OLD]));
  await underLoad();
  stop.asked = true;
  await load;

  for (const id of ids) expect(await give(READ, { id })).toEqual(known.get(id));
  expect((await ask(LIST, { after: endCursor })).errors).toMatchObject([{ extensions: { code: "BAD_CURSOR" } }]);
  expect(await keysInUse()).toEqual([IDS.new]);
  // The blacklist knows both e-mails of the sixth, and the first one's through its new hash.
  for (const email of [quiet[5]!.email, "later@example.com", quiet[0]!.email]) {
    expect(await give(CREATE, registration(email)), email).toMatchObject({
      __typename: expect.stringMatching(email === quiet[5]!.email ? /^InvalidCustomerData$/ : /^CustomerAlreadyExists$/),
    });
  }
  await rotate(new Keyring([NEW]));
  for (const id of ids.slice(0, 6)) await give(UPDATE, { input: { id, update: { state: "Accra" } } });
  await (
    await database()
  ).$executeRaw`UPDATE customer SET email = 'moved.' || email WHERE id = ${ids[0]}::uuid`;
  expect(await give(CREATE, registration(quiet[0]!.email))).toMatchObject({ __typename: "InvalidCustomerData" });
});

test("a key that is missing is an internal fault of the field, never a wrong value; none at all ends the start", async () => {
  const {
    customerIds: [id],
  } = await give(BATCH, { customers: rows(1) });
  const { app } = await serving[0]!;
  const other = new Keyring([OLD]);
  const db = app.services.db;
  const context = `alpha|SANDBOX|${id}|accountNumber`;
  await db.$executeRaw`UPDATE customer SET account_number = ${Buffer.from(other.seal("encryption", "1234567890", context))} WHERE id = ${id}::uuid`;
  const { data, errors } = await ask("query ($id: ID!) { customer(by: { id: $id }) { phrase accountNumber } }", { id });
  expect(data.customer).toEqual({ phrase: expect.any(String), accountNumber: null });
  expect(errors).toMatchObject([
    { message: "Internal server error", path: ["customer", "accountNumber"], extensions: { code: "INTERNAL_SERVER_ERROR" } },
  ]);

  if (!isShared) {
    await app.close();
    serving = [];
  }
  const start = buildApp({ ...config, keyring: new Keyring([Buffer.alloc(32, 3)]) });
  await expect(start).rejects.toThrow(
    /^the keyring does not belong to this database: .* Fix: put the keys that the data was encrypted with into GATEWAY_KEYRING/,
  );
});
