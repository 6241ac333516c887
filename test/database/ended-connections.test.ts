import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { expect, onTestFinished, test, vi } from "vitest";
import { createClient } from "../../src/database/client.ts";
import { freshDatabase } from "../support/gateway.ts";
import { ON_POSTGRES } from "../support/process.ts";

/** What PostgreSQL says to a connection that an administrator ends. */
function fatal(): Buffer {
  const body = Buffer.from("SFATAL\0VFATAL\0C57P01\0Mterminating connection due to administrator command\0\0");
  const head = Buffer.alloc(5);
  head.write("E");
  head.writeInt32BE(body.length + 4, 1);
  return Buffer.concat([head, body]);
}

const READY_FOR_QUERY = Buffer.from([0x5a, 0, 0, 0, 5]);

/** Passes all on, and while `ends` says so ends a connection in the same piece with which its statement is over. */
async function openProxy(target: URL, ends: () => boolean) {
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const upstream = connect(Number(target.port), target.hostname);
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on("error", () => {});
    }
    client.pipe(upstream);
    client.on("close", () => upstream.destroy());
    upstream.on("data", (piece: Buffer) => {
      const isOver = piece.subarray(-6, -1).equals(READY_FOR_QUERY);
      if (!isOver || !ends()) return client.write(piece);
      upstream.destroy();
      return client.end(Buffer.concat([piece, fatal()]));
    });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const close = () => {
    for (const socket of sockets) socket.destroy();
    server.close();
  };
  return { port: (server.address() as AddressInfo).port, close };
}

test.runIf(ON_POSTGRES)(
  "a connection that is ended between one statement and the next, while others wait for it, is nobody's end",
  async () => {
    const { config, remove } = await freshDatabase();
    onTestFinished(remove);
    const url = new URL(config.databaseUrl!);
    let ends = false;
    let ended = 0;
    const proxy = await openProxy(new URL(url), () => ends && Math.random() < 0.5 && (ended += 1) > 0);
    url.port = String(proxy.port);
    const db = createClient({ connectionString: url.href }, { max: 3 });
    const faults = vi.fn<(error: Error) => void>();
    process.on("uncaughtException", faults);
    try {
      for (let round = 0; round < 5; round += 1) {
        ends = true;
        const asked = Array.from({ length: 40 }, (_, index) =>
          index % 2 === 0 ? db.$queryRaw`SELECT 1` : db.$transaction([db.$queryRaw`SELECT 1`, db.$queryRaw`SELECT 2`]),
        );
        await Promise.allSettled(asked);
        ends = false;
        await vi.waitFor(async () => expect(await db.$queryRaw`SELECT 1 AS one`).toEqual([{ one: 1 }]), { timeout: 10_000 });
      }
      expect(ended).toBeGreaterThan(20);
      expect(faults).not.toHaveBeenCalled();
    } finally {
      process.off("uncaughtException", faults);
      await db.$disconnect();
      proxy.close();
    }
  },
);
