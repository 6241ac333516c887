import { serverAudits } from "graphql-http";
import { expect, test } from "vitest";
import { openGateway } from "../support/gateway.ts";

const gateway = await openGateway();
const key = await gateway.key();

/** The audits know nothing of keys: each of their requests is given one. */
const audits = serverAudits({
  url: "http://gateway.test/graphql",
  fetchFn: (url: string, init: RequestInit = {}) => {
    const headers = new Headers(init.headers);
    headers.set("authorization", `Bearer ${key}`);
    return gateway.app.fetch(new Request(url, { ...init, headers }));
  },
});

test("there are 61 audits", () => expect(audits).toHaveLength(61));

test.each(audits.map(({ id, name, fn }) => ({ id, name, fn })))("$id $name", async ({ fn }) => {
  expect(await fn()).toMatchObject({ status: "ok" });
});
