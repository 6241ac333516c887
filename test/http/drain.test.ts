import { once } from "node:events";
import { createServer } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, expect, test } from "vitest";
import { createDrain } from "../../src/http/drain.ts";

/** So many more than begin at once. */
const MANY = 60;
const GET = "GET / HTTP/1.1\r\nhost: drain.test\r\n\r\n";
const STALLED = "POST / HTTP/1.1\r\nhost: drain.test\r\ncontent-length: 10\r\n\r\n";

let isBusy = false;
afterEach(() => void (isBusy = false));

/** Keeps every turn of the event loop long, so that a stop finds none that is quiet, until it is told otherwise. */
function keepBusy(): void {
  isBusy = true;
  const work = () => {
    const until = performance.now() + 3;
    while (performance.now() < until);
    if (isBusy) setImmediate(work);
  };
  work();
}

/** A server that answers a request when all of it has come, with connections that are open already. */
async function open(connections: number) {
  const server = createServer((request, response) => void request.resume().on("end", () => response.end("done"))).listen(0, "127.0.0.1");
  const drain = createDrain(server);
  await once(server, "listening");
  const clients = await Promise.all(
    Array.from({ length: connections }, async () => {
      const socket = connect((server.address() as AddressInfo).port, "127.0.0.1");
      const client = { socket, received: "" };
      socket.setEncoding("utf8").on("data", (text: string) => (client.received += text));
      socket.on("error", () => {});
      await once(socket, "connect");
      return client;
    }),
  );
  return { server, drain, clients };
}

const send = (clients: readonly { socket: Socket }[], text: string) => clients.forEach(({ socket }) => socket.write(text));
const answered = (clients: readonly { received: string }[]) => clients.filter(({ received }) => received.includes("200 OK")).length;

test("what is kept until the loop is quiet is answered, whoever of them has gone meanwhile", async () => {
  const { drain, clients } = await open(2 * MANY);
  const [gone, staying] = [clients.slice(0, MANY), clients.slice(MANY)];
  keepBusy();
  const ended = drain.run(20_000);
  await sleep(800);
  send(gone, GET);
  await sleep(200);
  for (const { socket } of gone) socket.resetAndDestroy();
  send(staying, GET);
  await sleep(200);
  expect(answered(staying)).toBe(0);
  isBusy = false;
  expect(await ended).toBe(0);
  expect(answered(staying)).toBe(MANY);
});

test("who sends slowly holds up nobody else, and is cut off in the end", async () => {
  const { drain, clients } = await open(2 * MANY);
  const [slow, quick] = [clients.slice(0, MANY), clients.slice(MANY)];
  keepBusy();
  const ended = drain.run(8000);
  await sleep(800);
  send(slow, STALLED);
  await sleep(100);
  send(quick, GET);
  await sleep(200);
  isBusy = false;
  expect(await ended).toBe(MANY);
  expect(answered(quick)).toBe(MANY);
  expect(answered(slow)).toBe(0);
});

test("when the time is over nobody is let in any more, though the loop was never quiet", async () => {
  const { server, drain } = await open(1);
  keepBusy();
  const ended = drain.run(700);
  await sleep(900);
  expect(server.listening).toBe(false);
  await ended;
});
