import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { batchRow, caller } from "../../support/customers.ts";
import { openGateway, withoutCost } from "../../support/gateway.ts";
import { readsOf } from "../../support/statements.ts";

const gateway = await openGateway();
const key = await gateway.key();
const FOLLOW =
  "subscription ($id: ID!) { batchProgress(id: $id) { batchId status completedAt summary { total successful failed pending } } }";

/** Opens a stream. */
const follow = (id: string, bearer = key, accept = "text/event-stream") =>
  gateway.send("/graphql", {
    method: "POST",
    headers: { authorization: `Bearer ${bearer}`, "content-type": "application/json", accept },
    body: JSON.stringify({ query: FOLLOW, variables: { id } }),
  });

/** A stream that has told its first event: all that it tells, when it is over. */
async function begun({ body }: Response): Promise<{ text: Promise<string> }> {
  const first = Promise.withResolvers<void>();
  const collect = async () => {
    let text = "";
    for await (const bytes of body!) {
      text += Buffer.from(bytes).toString();
      if (text.includes("event: next")) first.resolve();
    }
    return text;
  };
  const text = collect();
  await first.promise;
  return { text };
}

/** The results of a stream's `next` events, and whether it was completed. */
function read(text: string) {
  const events = withoutCost(text)
    .replaceAll(',"extensions":{}', "")
    .split("\n\n")
    .filter((event) => event.startsWith("event: "));
  const results = events.flatMap((event) =>
    event.startsWith("event: next\ndata: ") ? [JSON.parse(event.slice("event: next\ndata: ".length))] : [],
  );
  return { results, isComplete: events.at(-1)?.startsWith("event: complete") ?? false };
}

const rows = (count: number, from = 0) => Array.from({ length: count }, (_, index) => batchRow(from + index));

test("a batch is told as it goes on, until its last row is decided", async () => {
  const { id } = await caller(gateway, key).batch(rows(450), { processing: "BACKGROUND" });
  const response = await follow(id);
  expect(response.headers.get("content-type")).toContain("text/event-stream");
  expect(response.headers.get("x-request-id")).toBeTruthy();
  const { results, isComplete } = read(await response.text());
  const states = results.map(({ data }) => data.batchProgress);
  expect(isComplete).toBe(true);
  for (const { batchId, summary } of states) {
    expect(batchId).toBe(id);
    expect(summary.successful + summary.failed + summary.pending).toBe(450);
  }
  const pending = states.map(({ summary }) => summary.pending);
  expect(pending).toEqual(pending.toSorted((one, other) => other - one));
  expect(states.at(-1)).toMatchObject({ status: "COMPLETED", summary: { successful: 450, pending: 0 }, completedAt: expect.any(String) });
  // Of a batch that is completed: one event.
  expect(read(await (await follow(id)).text()).results).toEqual([results.at(-1)]);
});

test("another bank's is like none: one null; without the scope the stream does not begin", async () => {
  const { id } = await caller(gateway, key).batch(rows(1, 1000));
  const beta = await gateway.key({ bank: "beta" });
  const live = await gateway.key({ mode: "LIVE" });
  const nothing = withoutCost(await (await follow(`bat_${crypto.randomUUID()}`)).text());
  expect(read(nothing)).toEqual({ results: [{ data: { batchProgress: null } }], isComplete: true });
  for (const [thing, bearer] of [
    [id, beta],
    [id, live],
    ["bat_none", key],
    [id.slice(4), key],
  ] as const)
    expect(withoutCost(await (await follow(thing, bearer)).text())).toBe(nothing);
  const standard = await gateway.key({ scopes: ["customers:read"] });
  const refused = read(await (await follow(id, standard)).text());
  expect(refused.results).toMatchObject([{ errors: [{ extensions: { code: "FORBIDDEN" } }] }]);
});

test("who cannot take a stream is told so", async () => {
  const { id } = await caller(gateway, key).batch(rows(1, 2000));
  const response = await follow(id, key, "application/json");
  expect([response.status, await response.text()]).toEqual([406, ""]);
});

/** A batch that no worker goes on with. Gives its id. */
async function unfinished(): Promise<string> {
  const id = crypto.randomUUID();
  const counts = { total: 1, successful: 0, failed: 0, duplicates: 0, invalidData: 0, pending: 1, rolledBack: 0 };
  await gateway.app.services.db.batch.create({
    data: {
      id,
      bankId: "alpha",
      mode: "SANDBOX",
      kind: "CUSTOMER",
      status: "PROCESSING",
      dryRun: false,
      createdAt: new Date(),
      createdIds: [],
      ...counts,
    },
  });
  return `bat_${id}`;
}

test("a reader who goes away is noticed: nothing is looked at for it any more, and its key pays no more", async () => {
  const server = createServer(gateway.app.handle).listen(0, "127.0.0.1");
  await once(server, "listening");
  const leaving = new AbortController();
  const response = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/graphql`, {
    method: "POST",
    headers: { authorization: `Bearer ${key}`, "content-type": "application/json", accept: "text/event-stream" },
    body: JSON.stringify({ query: FOLLOW, variables: { id: await unfinished() } }),
    signal: leaving.signal,
  });
  await response.body!.getReader().read();
  /** How often a batch is read in the time of two looks and more. */
  const looks = async () => {
    gateway.statements.length = 0;
    await sleep(1500);
    return readsOf(gateway.statements)["batch"] ?? 0;
  };
  await expect.poll(looks).toBeGreaterThan(0);
  leaving.abort();
  await expect.poll(looks).toBe(0);
  server.close();
});

test("it ends with its key, and when the gateway stops", { timeout: 120_000 }, async () => {
  const own = await gateway.key({ scopes: ["batches:write"] });
  const id = await unfinished();
  const streams = await Promise.all([await follow(id, own), await follow(id)].map(begun));
  await gateway.app.services.db.apiKey.update({ where: { id: own.split("_")[2]! }, data: { revokedAt: new Date() } });
  const ended = read(await streams[0]!.text);
  expect(ended.results).toMatchObject([
    { data: { batchProgress: { status: "PROCESSING" } } },
    { errors: [{ extensions: { code: "UNAUTHENTICATED" } }] },
  ]);
  gateway.app.endStreams();
  expect(read(await streams[1]!.text).results).toHaveLength(1);
});
