import { once } from "node:events";
import type { IncomingMessage, RequestListener, Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { setImmediate, setTimeout as sleep } from "node:timers/promises";

/** How long a connection that has been used may still bring a request, and how often a stop looks; in milliseconds. */
const GRACE_MS = 500;
const LOOK_EVERY_MS = 25;

/** A server's open connections, and how to end them. */
export interface Drain {
  /**
   * Ends every connection after an answer that says `Connection: close`; what seems idle, or is about to be opened, may bring
   * one more request within half a second. Then takes no new connection and ends the idle ones, at a moment when nothing
   * waits to be read: what comes just before is answered up to three seconds later. Gives the number of connections that
   * were still busy after `timeoutMs`, and were cut off.
   */
  run(timeoutMs: number): Promise<number>;
}

/** How long requests may wait for a turn of the event loop in which nothing waits, in milliseconds. */
const HOLD_MS = 3000;

/** How many of them begin at once then, and for how many milliseconds one has its place at most: slow senders hold nobody up. */
const AT_ONCE = 50;
const PLACE_MS = 500;

/**
 * Waits for a turn of the event loop that took no connection and found hardly anything to do: right after it, none is left that
 * the system has taken, or that has brought a request, and nobody has looked at; closing the port would reset it. Node takes
 * one connection a turn, so that a busy gateway has a line of them; what comes meanwhile is kept, which makes turns short.
 * Gives what begins the requests kept.
 */
async function quietTurn(server: Server, holdMs: number): Promise<() => void> {
  const listeners = server.listeners("request");
  const kept: [IncomingMessage, ServerResponse][] = [];
  server.removeAllListeners("request").on("request", (...request) => kept.push(request));
  let taken = 0;
  const take = () => (taken += 1);
  server.on("connection", take);
  const until = performance.now() + holdMs;
  for (let isQuiet = false, begun = 0; !isQuiet && begun < until; isQuiet = taken === 0 && performance.now() - begun < 0.2) {
    begun = performance.now();
    taken = 0;
    await setImmediate();
  }
  server.off("connection", take);
  return () => {
    server.removeAllListeners("request");
    for (const listener of listeners) server.on("request", listener as RequestListener);
    for (let place = 0; place < AT_ONCE; place += 1) void beginInTurn();
  };

  async function beginInTurn(): Promise<void> {
    for (let request = kept.shift(); request; request = kept.shift()) {
      const [, response] = request;
      // Whose client has gone meanwhile ends no more.
      if (response.destroyed) continue;
      server.emit("request", ...request);
      await Promise.race([new Promise((answered) => response.once("close", answered)), sleep(PLACE_MS, undefined, { ref: false })]);
    }
  }
}

/** Watches a server's connections from its beginning. */
export function createDrain(server: Server): Drain {
  /** With the time of their opening. */
  const connections = new Map<Socket, number>();
  server.on("connection", (socket) => {
    connections.set(socket, performance.now());
    socket.once("close", () => connections.delete(socket));
  });
  return {
    async run(timeoutMs) {
      let cutOff = 0;
      const closed = once(server, "close");
      server.prependListener("request", (_request, response) => response.setHeader("connection", "close"));
      const over = performance.now() + timeoutMs;
      const timeout = setTimeout(() => {
        cutOff = connections.size;
        server.close();
        server.closeAllConnections();
      }, timeoutMs);
      const graceOver = Math.min(over, performance.now() + GRACE_MS);
      while (connections.size > 0 && performance.now() < graceOver) await sleep(LOOK_EVERY_MS);
      const begin = await quietTurn(server, Math.min(HOLD_MS, over - performance.now()));
      server.close();
      begin();
      while (connections.size > 0) {
        // What was never used, as browsers open in advance, is not idle to the server; of a new one the request is yet to come,
        // or, after a long turn, to be read.
        const old = performance.now() - GRACE_MS;
        await setImmediate();
        for (const [socket, opened] of connections) if (socket.bytesRead === 0 && opened < old) socket.destroy();
        server.closeIdleConnections();
        await sleep(LOOK_EVERY_MS);
      }
      await closed;
      clearTimeout(timeout);
      return cutOff;
    },
  };
}
