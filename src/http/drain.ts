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

/** Watches a server's connections from its beginning. */
export function createDrain(server: Server): Drain {
  const connections = new Set<Socket>();
  server.on("connection", (socket) => {
    connections.add(socket);
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
      // Right after a look at the network: the system would reset what it has taken and nobody has looked at.
      await setImmediate();
      server.close();
      while (connections.size > 0) {
        // What was never used, as browsers open in advance, is not idle to the server.
        for (const socket of connections) if (socket.bytesRead === 0) socket.destroy();
        server.closeIdleConnections();
        await sleep(LOOK_EVERY_MS);
      }
      await closed;
      clearTimeout(timeout);
      return cutOff;
    },
  };
}
