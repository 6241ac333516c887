import { once } from "node:events";
import { createServer, type IncomingHttpHeaders, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, vi } from "vitest";

/** A webhook message as it arrived. */
export interface Received {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  readonly body: any;
}

/** Somebody who takes webhooks. */
export interface Receiver {
  readonly url: string;
  /** In the order in which they arrived, refused ones included. */
  readonly received: Received[];
  /** How many connections it was offered. */
  connections(): number;
  /** How it answers from now on; by default 204. */
  answer(how: (response: ServerResponse, message: Received) => void): void;
  /** Waits until so many have arrived. */
  until(count: number): Promise<Received[]>;
  close(): Promise<void>;
}

export async function openReceiver(): Promise<Receiver> {
  const received: Received[] = [];
  let connections = 0;
  let answer: (response: ServerResponse, message: Received) => void = (response) => response.writeHead(204).end();
  const server = createServer((request, response) => {
    let text = "";
    request.on("data", (data) => (text += String(data)));
    request.on("end", () => {
      const message = { path: request.url!, headers: request.headers, text, body: text === "" ? null : JSON.parse(text) };
      received.push(message);
      answer(response, message);
    });
  });
  server.on("connection", () => (connections += 1));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hooks`,
    received,
    connections: () => connections,
    answer: (how) => void (answer = how),
    async until(count) {
      await vi.waitFor(() => expect(received.length).toBeGreaterThanOrEqual(count), { timeout: 30_000, interval: 20 });
      return received;
    },
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}
