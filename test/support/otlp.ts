import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";

/** A span as it came over the wire, with what tests look at. */
export interface ReceivedSpan {
  traceId: string;
  spanId: string;
  parentSpanId?: string;
  name: string;
  /** 1 internal, 2 server, 3 client. */
  kind: number;
  /** 2: it failed. */
  status: { code?: number; message?: string };
  attributes: Record<string, unknown>;
}

/** A collector that keeps what it is sent by OTLP over HTTP, as JSON. */
export interface OtlpReceiver {
  url: string;
  /** All that came, as it came. */
  text(): string;
  spans(): ReceivedSpan[];
}

/** Opens one on this machine; it is closed with the test. */
export async function openOtlpReceiver(): Promise<OtlpReceiver> {
  const bodies: string[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    if (request.url === "/v1/traces") bodies.push(Buffer.concat(chunks).toString("utf8"));
    response.writeHead(request.url === "/v1/traces" ? 200 : 404, { "content-type": "application/json" }).end("{}");
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    text: () => bodies.join("\n"),
    spans: () =>
      bodies
        .flatMap((body) => (JSON.parse(body) as Export).resourceSpans)
        .flatMap(({ scopeSpans }) => scopeSpans)
        .flatMap(({ spans }) => spans)
        .map(({ attributes, status, ...span }) => ({
          ...span,
          status: status ?? {},
          attributes: Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]])),
        })),
  };
}

type Raw = Omit<ReceivedSpan, "attributes"> & { attributes: { key: string; value: Record<string, unknown> }[] };

interface Export {
  resourceSpans: { scopeSpans: { spans: Raw[] }[] }[];
}
