import { once } from "node:events";
import { connect } from "node:net";
import { expect, test } from "vitest";
import { startGateway } from "../src/start.ts";
import { freshDatabase } from "./support/gateway.ts";

test("a stop does not wait for a connection that was opened and never used, as browsers do", async () => {
  const { config, remove } = await freshDatabase();
  const gateway = await startGateway(config);
  const socket = connect(Number(new URL(gateway.url).port), "127.0.0.1");
  await once(socket, "connect");
  const closed = once(socket, "close");
  // Answered, so the connection before it has been taken as well.
  expect((await fetch(`${gateway.url}/health/ready`)).status).toBe(200);
  await gateway.stop();
  await closed;
  await remove();
});
