import { once } from "node:events";
import { type IncomingMessage, request } from "node:http";
import { Client } from "undici";
import { expect, test } from "vitest";
import { issueKey } from "../../src/access/issue-key.ts";
import { type RunningGateway, startGateway } from "../../src/start.ts";
import { freshDatabase } from "../support/gateway.ts";

async function keyOf({ app }: RunningGateway): Promise<string> {
  const tenant = { id: "alpha", kind: "BANK", name: "alpha" } as const;
  return (await issueKey(app.services.db, { tenant, mode: "SANDBOX", audience: "INTERNAL", scopes: ["customers:read"] })).key;
}

test("a body of 10 MB, by one that reads when it has sent all, gets its answer, and the connection goes on", async () => {
  const { config, remove } = await freshDatabase();
  const gateway = await startGateway(config);
  const client = new Client(gateway.url);
  const headers = { authorization: `Bearer ${await keyOf(gateway)}`, "content-type": "application/json" };
  for (const [body, expected] of [
    ["x".repeat(10_000_000), 413],
    ['{"query":"{viewer{mode}}"}', 200],
  ] as const) {
    const answer = await client.request({ path: "/graphql", method: "POST", headers, body });
    expect([answer.statusCode, answer.headers["connection"]]).toEqual([expected, "keep-alive"]);
    await answer.body.dump();
  }
  await client.close();
  await gateway.stop();
  await remove();
});

test("a body over the limit gets its answer through a real connection while it is still being sent", async () => {
  const { config, remove } = await freshDatabase();
  const gateway = await startGateway(config);
  const key = await keyOf(gateway);
  const sending = request(`${gateway.url}/graphql`, {
    method: "POST",
    headers: { authorization: `Bearer ${key}`, "content-type": "application/json", "transfer-encoding": "chunked" },
  });
  // The gateway closes the connection once it has answered; what is still under way is lost, as it should be.
  sending.on("error", () => {});
  const answered = once(sending, "response") as Promise<[IncomingMessage]>;
  sending.write("x".repeat(300_000));
  const [response] = await answered;
  let text = "";
  for await (const chunk of response) text += String(chunk);
  expect([response.statusCode, JSON.parse(text).errors[0].extensions.code]).toEqual([413, "PAYLOAD_TOO_LARGE"]);
  sending.destroy();
  await gateway.stop();
  await remove();
});
