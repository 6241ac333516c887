import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { freshEnv, keyFor, send, startGateway } from "../support/process.ts";

interface Dashboard {
  templating: { list: { query: string }[] };
  panels: { title: string; description: string; targets: { expr: string }[] }[];
}

/** The metrics that a query names: its words that are no function, no label and no text. */
const namesIn = (query: string) =>
  [...query.replaceAll(/"[^"]*"|\{[^}]*\}|\[[^\]]*\]|\bby \([^)]*\)/g, "").matchAll(/[a-z_]\w*(?!\w|\s*\()/g)].map(([name]) => name);

test("names are found in queries", () => {
  expect(namesIn('topk(5, sum by (status) (rate(a_total{b="c"}[$__rate_interval]))) / d_e - time()')).toEqual(["a_total", "d_e"]);
});

test("the dashboard and the manual name the metrics that a gateway tells, and the manual all of its own", async () => {
  const env = await freshEnv();
  const key = await keyFor(env);
  const gateway = await startGateway({ ...env, METRICS_PORT: "0" });
  await send(gateway.url, key, "{ nothing }");
  const [, url] = await gateway.printed(/metrics at (\S+)/);
  const text = await (await fetch(url!)).text();
  const types = [...text.matchAll(/^# TYPE (\w+) (\w+)$/gm)].map(([, name, type]) => ({ name: name!, type }));
  const told = types.flatMap(({ name, type }) =>
    type === "histogram" ? [name, ...["_bucket", "_sum", "_count"].map((part) => name + part)] : [name],
  );

  const { panels, templating } = JSON.parse(readFileSync("deploy/grafana-dashboard.json", "utf8")) as Dashboard;
  const variables = templating.list.flatMap(({ query }) => /^label_values\((\w+),/.exec(query)?.[1] ?? []);
  const shown = [...variables, ...panels.flatMap(({ targets }) => targets.flatMap(({ expr }) => namesIn(expr)))];
  expect(shown.length).toBeGreaterThan(15);
  expect(shown.filter((name) => !told.includes(name))).toEqual([]);

  const manual = readFileSync("docs/observe.md", "utf8");
  const explained = [...manual.matchAll(/`((?:gateway|nodejs|process)_\w+)(?:\{\w+(?:,\w+)*\})?`/g)].map(([, name]) => name!);
  expect(explained.filter((name) => !told.includes(name))).toEqual([]);
  const own = types.map(({ name }) => name).filter((name) => name.startsWith("gateway_"));
  expect(own.filter((name) => !explained.includes(name))).toEqual([]);
  expect(own.filter((name) => !shown.some((one) => one.startsWith(name)))).toEqual([]);

  // What they say is so: pool, queue and process at this moment.
  expect(text).toMatch(/^gateway_database_connections [1-9]/m);
  expect(text).toContain('gateway_queue_jobs{queue="batch",state="waiting"} 0');
  expect(text).toContain('gateway_document_requests_total{document="other"} 1');
  expect(text).toMatch(/gateway_http_request_duration_seconds_count\{route="\/graphql"\} 1/);
});
