import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Command, Option } from "commander";
import {
  buildClientSchema,
  buildSchema,
  getIntrospectionQuery,
  type GraphQLSchema,
  type IntrospectionQuery,
  parse,
  validate,
} from "graphql";
import { StartupError } from "../startup-error.ts";
import { breaksBetween } from "./document-breaks.ts";
import { accepted, type DocumentIssue, FIELDS, type Registered, registered, type Result, told } from "./document-calls.ts";
import { readManifest } from "./document-manifest.ts";
import { pushManifest } from "./document-push.ts";
import { callGateway, type GatewayAddress, withGateway } from "./gateway-client.ts";
import { wholeNumber } from "./whole-number.ts";

interface Options extends GatewayAddress {
  json?: boolean;
}
interface ClientOptions extends Options {
  client: string;
}

/** `documents push|list|diff|deprecate|retire|check|client`: the register of persisted documents. */
export function documentsCommand(): Command {
  const ofClient = (name: string, description: string) =>
    withGateway(new Command(name)).description(description).requiredOption("--client <name>", "the client whose documents they are");

  const push = ofClient("push", "publish a manifest's documents: all of them, or none with the reasons")
    .argument("<manifest>", "the file that graphql-codegen's client preset, Relay or Apollo writes")
    .action(pushManifest);

  const list = withGateway(new Command("list"))
    .description("list registered documents with their state, cost and use")
    .option("--client <name>", "only this client's")
    .action(async (options: Options & { client?: string }) => {
      const documents = await registered(options, options.client);
      if (options.json) return console.log(JSON.stringify(documents));
      console.table(documents);
    });

  const diff = ofClient("diff", "what a manifest has that is not registered, and what is registered that it has not")
    .argument("<manifest>", "the file")
    .action(async (manifest: string, options: ClientOptions) => {
      const sent = readManifest(manifest);
      const known = await registered(options, options.client);
      const running = known.filter(({ state }) => state !== "RETIRED");
      const result = {
        added: sent.filter(({ hash }) => !known.some((document) => document.hash === hash)).map(({ hash }) => ({ hash })),
        missing: running
          .filter(({ hash }) => !sent.some((document) => document.hash === hash))
          .map(({ hash, name, uses, lastUsedAt }) => ({ hash, name, uses, lastUsedAt })),
        retired: known
          .filter(({ hash, state }) => state === "RETIRED" && sent.some((document) => document.hash === hash))
          .map(({ hash, name }) => ({ hash, name })),
      };
      if (options.json) return console.log(JSON.stringify(result));
      for (const { hash } of result.added) console.log(`+ ${hash}`);
      for (const { hash, name, uses } of result.missing) console.log(`- ${hash} ${name}, used ${uses} times`);
      for (const { hash, name } of result.retired) console.log(`! ${hash} ${name} is retired`);
      console.log(
        `${result.added.length} to publish, ${result.missing.length} registered and not in the manifest, ${result.retired.length} retired.`,
      );
    });

  const step = (name: "deprecate" | "retire", description: string) =>
    ofClient(name, description)
      .argument("<hash...>", "which documents: 64 hex digits each")
      .action(async (hashes: string[], options: ClientOptions) => {
        for (const hash of hashes) {
          const type = `${name === "retire" ? "Retire" : "Deprecate"}DocumentInput!`;
          const { result } = await callGateway<{ result: Result<Registered> }>(
            options,
            `mutation ($input: ${type}) { result: ${name}Document(input: $input) { __typename ... on PersistedDocument { ${FIELDS} } ... on Error { message } } }`,
            { input: { client: options.client, hash } },
          );
          const document = accepted(result);
          console.log(options.json ? JSON.stringify(document) : `${document.name} is ${document.state.toLowerCase()}.`);
        }
      });

  const check = withGateway(new Command("check"))
    .description(
      "whether all documents that run, and who sends them, could go on with a schema; those that would break are named, with exit code 1",
    )
    .option(
      "--schema <file>",
      "the schema, in SDL; default: this version's own",
      fileURLToPath(new URL("../../schema.graphql", import.meta.url)),
    )
    .option("--client <name>", "only this client's")
    .action(checkDocuments);

  const client = ofClient("client", "set what a client may")
    .addOption(
      new Option("--access <access>", "whether its APP keys may send text, or registered documents only").choices(["open", "trusted"]),
    )
    .option("--cost-limit <points>", "the most points that one request may cost; 0: the gateway's limit", wholeNumber(0, 2_000_000_000))
    .action(async ({ client: name, access, costLimit, ...options }: ClientOptions & { access?: string; costLimit?: number }) => {
      const input = { client: name, access: access?.toUpperCase(), costLimit: costLimit === 0 ? null : costLimit };
      const { result } = await callGateway<{ result: Result<{ access: string; costLimit: number | null }> }>(
        options,
        "mutation ($input: UpdateClientInput!) { result: updateClient(input: $input) { __typename ... on Client { name access costLimit } ... on Error { message } } }",
        { input },
      );
      const set = accepted(result);
      console.log(
        options.json
          ? JSON.stringify(set)
          : `${name} is ${set.access.toLowerCase()}; its requests may cost ${set.costLimit ?? "what the gateway allows"}.`,
      );
    });

  return new Command("documents")
    .description("publish, list and end persisted documents")
    .addCommand(push)
    .addCommand(list)
    .addCommand(diff)
    .addCommand(step("deprecate", "have documents' answers say that they are deprecated"))
    .addCommand(step("retire", "end documents for good"))
    .addCommand(check)
    .addCommand(client);
}

async function checkDocuments({ schema: file, client, json, ...address }: Options & { schema: string; client?: string }): Promise<void> {
  const schema = readSchema(file);
  const documents = (await registered(address, client, "text")).filter(({ state }) => state !== "RETIRED");
  const breaksOf = breaksBetween(await runningSchema(address), schema);
  const issues = documents.flatMap(({ client: owner, name, hash, text }): DocumentIssue[] => {
    const document = parse(text!);
    const faults = validate(schema, document).map(({ message, locations }) => ({ line: locations?.[0]?.line ?? null, message }));
    return [...faults, ...breaksOf(document).map((message) => ({ line: null, message }))].map((issue) => ({
      client: owner,
      document: name,
      hash,
      ...issue,
    }));
  });
  if (json) console.log(JSON.stringify({ documents: documents.length, issues }));
  else {
    for (const issue of issues) console.log(told(issue));
    console.log(`${documents.length} documents, ${new Set(issues.map(({ hash }) => hash)).size} of them would break.`);
  }
  if (issues.length > 0) process.exitCode = 1;
}

/** The schema that the gateway runs, which documents were published against. */
async function runningSchema(address: GatewayAddress): Promise<GraphQLSchema> {
  return buildClientSchema(await callGateway<IntrospectionQuery>(address, getIntrospectionQuery({ inputValueDeprecation: true })));
}

function readSchema(file: string): GraphQLSchema {
  try {
    return buildSchema(readFileSync(file, "utf8"));
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new StartupError({
      what: `the schema ${file} cannot be read`,
      cause: code ?? message,
      fix: "give a schema in SDL, such as schema.graphql",
    });
  }
}
