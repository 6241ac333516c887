import { expect, test } from "vitest";
import { openGateway } from "../support/gateway.ts";

const gateway = await openGateway();
const production = await openGateway({ production: true });

const PATHS = ["/", "/graphql", "/graphql?query=%7Bviewer%7Bmode%7D%7D", "/health/live", "/health/ready", "/nothing"];

test.each(PATHS)("%s lets nothing run, frame, guess or keep it", async (path) => {
  const { headers } = await gateway.send(path);
  expect(Object.fromEntries(headers)).toMatchObject({
    "content-security-policy": "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    "x-frame-options": "DENY",
    "cache-control": "private, no-store",
  });
});

test("GraphiQL's page has a policy of its own, and the rest", async () => {
  const { headers } = await gateway.send("/graphql", { headers: { accept: "text/html" } });
  expect(headers.get("content-security-policy")).toMatch(/^default-src 'none'; script-src 'sha256-[^']+'; .*frame-ancestors 'none'$/);
  expect([headers.get("x-content-type-options"), headers.get("x-frame-options")]).toEqual(["nosniff", "DENY"]);
});

test("production keeps browsers to HTTPS, development does not", async () => {
  for (const path of PATHS) {
    expect((await production.send(path)).headers.get("strict-transport-security"), path).toBe("max-age=31536000");
    expect((await gateway.send(path)).headers.get("strict-transport-security"), path).toBeNull();
  }
});
