import { setInterval as every } from "node:timers/promises";
import { parentPort, workerData } from "node:worker_threads";

/** The ordinary client of bench/abuse.ts: a page of five customers 20 times a second, whether or not the last has come. Tells how long each took. */
const { url, key } = workerData as { url: string; key: string };
const body = JSON.stringify({ query: "{ customers(first: 5) { nodes { id accountName email } } }" });

async function ask(): Promise<void> {
  const started = performance.now();
  const response = await fetch(`${url}/graphql`, {
    method: "POST",
    headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
    body,
  });
  await response.arrayBuffer();
  // What is not answered counts as never.
  parentPort!.postMessage(response.status === 200 ? performance.now() - started : Infinity);
}

for await (const _ of every(50)) ask().catch(() => parentPort!.postMessage(Infinity));
