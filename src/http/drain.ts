import { once } from "node:events";
import type { Server } from "node:http";
import { Server as NetServer, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

/** How long a connection that has been used may still bring a request, and how often a stop looks; in milliseconds. */
const GRACE_MS = 500;
const LOOK_EVERY_MS = 25;

/** A server's open connections, and how to end them. */
export interface Drain {
  /**
   * Takes no new connection, and ends the open ones: after an answer that says `Connection: close`; without one when it was
   * never used, or brings nothing for half a second, for a request may be on its way when it seems idle. Gives the
   * number of connections that were still busy after `timeoutMs`, and were cut off.
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
      // An HTTP server's own close would end the idle connections at once.
      NetServer.prototype.close.call(server);
      server.prependListener("request", (_request, response) => response.setHeader("connection", "close"));
      const timeout = setTimeout(() => {
        cutOff = connections.size;
        server.closeAllConnections();
      }, timeoutMs);
      const graceOver = performance.now() + Math.min(GRACE_MS, timeoutMs);
      while (connections.size > 0) {
        for (const socket of connections) if (socket.bytesRead === 0) socket.destroy();
        if (performance.now() > graceOver) server.closeIdleConnections();
        await sleep(LOOK_EVERY_MS);
      }
      // Stops looking for slow connections, which it would do for ever.
      server.close(() => {});
      await closed;
      clearTimeout(timeout);
      return cutOff;
    },
  };
}
