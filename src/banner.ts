import { resolve } from "node:path";
import type { Config } from "./config.ts";
import { DEMO_DOCUMENTS } from "./demo/demo-documents.ts";
import type { DemoKeys } from "./demo/demo-bank.ts";
import { documentHash } from "./documents/register.ts";
import type { RunningGateway } from "./start.ts";

/** What a start says: where the gateway is; on the first one, the demo's keys and a line to paste for each. */
export function banner({ app, url, metricsUrl }: RunningGateway, config: Config): string {
  const lines = [`Customer Gateway is ready at ${url}/graphql${config.graphiql ? " (open it in a browser for GraphiQL)" : ""}.`];
  if (metricsUrl) lines.push(`It tells its metrics at ${metricsUrl}`);
  if (!app.demo) return lines.join("\n");
  const dataDir = resolve(config.dataDir);
  if (app.demo.isNew)
    lines.push(
      "",
      "A demo bank was made, with customers in sandbox mode. Its keys, shown this once:",
      "",
      ...demoLines(app.demo.keys, url),
    );
  lines.push(
    "",
    `Data lies in ${dataDir}; keys are kept in ${dataDir}/dev-keys.json.`,
    `To start over: stop the gateway, then rm -r ${shellWord(dataDir)}`,
  );
  return lines.join("\n");
}

function demoLines(keys: DemoKeys, url: string): string[] {
  const viewer = { query: "{ viewer { audience scopes } }" };
  const examples: [keyof DemoKeys, string, object][] = [
    [
      "app",
      "a front end: reads EXTENDED fields and writes",
      { query: "{ customers(first: 3) { nodes { id accountName email } totalCount } }" },
    ],
    [
      "internal",
      "staff and GraphiQL: every scope of the bank",
      { query: "{ customers(first: 3) { nodes { phrase accountNumber history { nodes { type at } } } } }" },
    ],
    [
      "partner",
      "an integrator: registered documents only",
      { documentId: `sha256:${documentHash(DEMO_DOCUMENTS[1]!)}`, variables: { first: 3 } },
    ],
    ["operator", "runs the gateway: sees no customer", viewer],
  ];
  return examples.flatMap(([name, what, body]) => [
    `${name} (${what})`,
    `  ${keys[name]}`,
    `  curl -s ${url}/graphql -H 'authorization: Bearer ${keys[name]}' -H 'content-type: application/json' -d ${shellWord(JSON.stringify(body))}`,
  ]);
}

/** A word as a shell reads it back. */
function shellWord(text: string): string {
  return /^[\w./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
