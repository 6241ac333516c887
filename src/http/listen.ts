import cluster from "node:cluster";
import { once } from "node:events";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { StartupError } from "../startup-error.ts";

/**
 * Workers share a port by the system's own means where it can: what is under way to one that dies fails at once, where the
 * cluster module's hand-over would leave it hanging. Elsewhere that module does.
 */
const SHARES_PORT = cluster.isWorker && process.platform === "linux";

/** The address as a client on this machine calls it: one that stands for all of them is no place to call. */
export function urlOf(server: Server): string {
  const { address, port, family } = server.address() as AddressInfo;
  const host = address === "0.0.0.0" ? "127.0.0.1" : address === "::" ? "::1" : address;
  return `http://${family === "IPv6" ? `[${host}]` : host}:${port}`;
}

/** Listens, or throws a StartupError that says why not; `variable` is the one that names the port. */
export async function listen(server: Server, { host, port, variable }: { host: string; port: number; variable: string }): Promise<void> {
  try {
    server.listen({ host, port, ...(SHARES_PORT && { reusePort: true, exclusive: true }) });
    await once(server, "listening");
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const causes: Record<string, string> = {
      EADDRINUSE: "another process is listening there",
      EACCES: "this user may not listen there",
      EADDRNOTAVAIL: "this machine has no such address",
      ENOTFOUND: "the name is unknown",
    };
    throw new StartupError({
      what: `the gateway cannot listen on ${host}:${port}`,
      cause: causes[code ?? ""] ?? message,
      fix: `stop the other process, or choose another ${variable} or HOST`,
    });
  }
}
