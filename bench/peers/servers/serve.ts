import type { Server } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";

/** The database that all servers read. */
export const DATABASE_URL = process.env["DATABASE_URL"]!;

/** As many connections as the gateway has by default. */
export const CONNECTIONS = 10;

/** Listens on a free port, and says where. */
export async function serve(server: Server): Promise<void> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  say((server.address() as AddressInfo).port);
}

export function say(port: number): void {
  console.log(`ready at http://127.0.0.1:${port}/graphql`);
}
