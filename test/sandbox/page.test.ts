import { execFile } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { promisify } from "node:util";
import { afterAll, expect, test } from "vitest";
import { printMagic } from "../../src/sandbox/magic.ts";
import { CURL_PATH } from "../support/environment.ts";
import { openGateway } from "../support/gateway.ts";

const page = readFileSync("docs/sandbox.md", "utf8");
const examples = [...page.matchAll(/```sh\n(curl [\s\S]*?)```\n\n```json\n([\s\S]*?)```/g)];

test("the page's tables are the code's, and the README leads to it", () => {
  for (const table of printMagic().split("\n\n")) expect(page).toContain(`\n${table}\n`);
  expect(readFileSync("README.md", "utf8")).toContain("](docs/sandbox.md)");
});

test.runIf(CURL_PATH)("the page's lines, pasted into a shell, answer as the page says", async () => {
  const gateway = await openGateway({ rateLimitPoints: 100_000 });
  const server = createServer(gateway.app.handle).listen(0, "127.0.0.1");
  afterAll(() => server.close());
  await once(server, "listening");
  const env = {
    GATEWAY_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    GATEWAY_KEY: await gateway.key(),
    PATH: process.env["PATH"],
  };
  expect(examples).toHaveLength(4);
  for (const [, line, answer] of examples) {
    const { stdout } = await promisify(execFile)("sh", ["-c", line!], { env });
    const { extensions: _counts, ...told } = JSON.parse(stdout);
    expect(told).toEqual(JSON.parse(answer!));
  }
});
