import { once } from "node:events";
import type { Server } from "node:http";
import type { Socket } from "node:net";
import { setImmediate, setTimeout as sleep } from "node:timers/promises";

/** How long a connection that has been used may still bring a request, and how often a stop looks; in milliseconds. */
const GRACE_MS = 500;
const LOOK_EVERY_MS = 25;

/** A server's open connections, and how to end them. */
export interface Drain {
  /**
   * Ends every connection after an answer that says `Connection: close`; what seems idle, or is about to be opened, may bring
   * one more request within half a second. Then takes no new connection and ends the idle ones. Gives the number of those
   * that were still busy after `timeoutMs`, and were cut off.
   */
  run(timeoutMs: number): Promise<number>;
}

/**
 * Waits for a turn of the event loop that found nothing to do, for a second at most: right after it, hardly a
 * connection is one that the system has taken and nobody has looked at, which closing the port resets.
 */
async function quietTurn(): Promise<void> {
  const until = performance.now() + 1000;
  while (performance.now() < until) {
    const begun = performance.now();
    await setImmediate();
    if (performance.now() - begun < 0.2) return;
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
      const timeout = setTimeout(() => {
        cutOff = connections.size;
        server.closeAllConnections();
      }, timeoutMs);
      const graceOver = performance.now() + Math.min(GRACE_MS, timeoutMs);
      while (connections.size > 0 && performance.now() < graceOver) await sleep(LOOK_EVERY_MS);
      await quietTurn();
      server.close();
      while (connections.size > 0) {
        // What was never used, as browsers open in advance, is not idle to the server; of a new one the request is yet to come.
        const old = performance.now() - GRACE_MS;
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
