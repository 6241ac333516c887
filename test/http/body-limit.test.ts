import { once } from "node:events";
import { type IncomingMessage, request } from "node:http";
import { expect, test } from "vitest";
import { issueKey } from "../../src/access/issue-key.ts";
import { startGateway } from "../../src/start.ts";
import { freshDatabase } from "../support/gateway.ts";

test("a body over the limit gets its answer through a real connection while it is still being sent", async () => {
  const { config, remove } = await freshDatabase();
  const gateway = await startGateway(config);
  const tenant = { id: "alpha", kind: "BANK", name: "alpha" } as const;
  const { key } = await issueKey(gateway.app.services.db, { tenant, mode: "SANDBOX", audience: "INTERNAL", scopes: ["customers:read"] });

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
