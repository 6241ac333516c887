import { Command, InvalidArgumentError, Option } from "commander";
import { BANK_ID_RULE, isBankId } from "../access/bank-id.ts";
import { isScope, type Scope, SCOPES } from "../access/scopes.ts";
import { Audience } from "../database/generated/enums.ts";
import { StartupError } from "../startup-error.ts";
import { createFirstKey } from "./first-key.ts";
import { callGateway, type GatewayAddress, isAddressed, pagesOf, withGateway } from "./gateway-client.ts";

/** What `keys create` is told. */
export interface CreateKeyOptions extends GatewayAddress {
  bank?: string;
  kind?: "bank" | "provider";
  merchant?: string;
  mode: "sandbox" | "live";
  audience: Audience;
  scopes: Scope[];
  client?: string;
  expires?: string;
  json?: boolean;
}

interface Listed {
  id: string;
  audience: string;
  scopes: string[];
  client: string | null;
  createdAt: string;
  expiresAt: string | null;
  revokedAt: string | null;
  lastUsedAt: string | null;
}

/** A result union as the commands ask for it. */
type Result<Data> = Data & { __typename: string; message?: string; issues?: { field: string | null; message: string }[] };

const REFUSAL = "... on Error { message } ... on InvalidApiKey { issues { field message } }";

/** `keys create|list|revoke|rotate`. */
export function keysCommand(): Command {
  const create = withGateway(new Command("create"))
    .description(
      "make a key, through a running gateway; on a database without any key that may make keys, on DATABASE_URL directly. It is shown this once",
    )
    .option("--bank <id>", "the bank's id: lower-case letters, digits and single dashes; none for the operator's key", bankId)
    .addOption(new Option("--kind <kind>", "what the bank is made as: a bank, or a provider of merchants").choices(["bank", "provider"]))
    .option("--merchant <id>", "the merchant that it is for, by its id: one of the asking provider's own")
    .addOption(new Option("--mode <mode>", "the set of data it works on").choices(["sandbox", "live"]).makeOptionMandatory())
    .addOption(new Option("--audience <audience>", "whom it is for").choices(Object.keys(Audience)).makeOptionMandatory())
    .requiredOption("--scopes <list>", `what it grants, separated by commas: ${SCOPES.join(", ")}`, scopeList)
    .option("--client <name>", "the client that it belongs to, for persisted documents")
    .option("--expires <date>", "when it ends by itself, e.g. 2030-01-31T00:00:00Z", instant)
    .action(async (options: CreateKeyOptions) => {
      printKey(isAddressed(options) ? await createKey(options) : await createFirstKey(options), options.json);
    });

  const list = withGateway(new Command("list"))
    .description("list the keys of the asking key's bank and mode, or of one of its merchants")
    .option("--merchant <id>", "the merchant, by its id")
    .action(listKeys);

  const revoke = withGateway(new Command("revoke"))
    .description("end a key; every process refuses it within a second")
    .argument("<id>", "the public part of the key: 16 hex digits")
    .action(async (id: string, options: GatewayAddress & { json?: boolean }) => {
      const data = await callGateway<{ result: Result<{ id: string; revokedAt: string }> }>(
        options,
        `mutation ($id: ID!) { result: revokeApiKey(input: { id: $id }) { __typename ... on ApiKey { id revokedAt } ... on Error { message } } }`,
        { id },
      );
      const result = accepted(data.result);
      console.log(options.json ? JSON.stringify({ id: result.id, revokedAt: result.revokedAt }) : `Key ${result.id} is revoked.`);
    });

  const rotate = withGateway(new Command("rotate"))
    .description("make a new key with the same grants, and let the old one go on for a while")
    .argument("<id>", "the public part of the key: 16 hex digits")
    .option("--overlap <seconds>", "how long the old key goes on", Number, 86_400)
    .action(async (id: string, { overlap, ...options }: GatewayAddress & { json?: boolean; overlap: number }) => {
      const data = await callGateway<{ result: Result<{ key: string; apiKey: { id: string } }> }>(
        options,
        `mutation ($id: ID!, $overlap: Int) { result: rotateApiKey(input: { id: $id, overlapSeconds: $overlap }) { __typename ... on ApiKeyIssued { key apiKey { id } } ${REFUSAL} } }`,
        { id, overlap },
      );
      printKey(newKey(accepted(data.result)), options.json);
    });

  return new Command("keys")
    .description("make, list and end keys")
    .addCommand(create)
    .addCommand(list)
    .addCommand(revoke)
    .addCommand(rotate);
}

async function createKey({ bank, kind, merchant, mode, audience, scopes, client, expires, ...address }: CreateKeyOptions): Promise<NewKey> {
  if (address.key === undefined) {
    throw new StartupError({
      what: "no key was made",
      cause: `--url or GATEWAY_URL names a gateway, ${address.url}, and there is no key to ask it with`,
      fix: "give --key or GATEWAY_KEY; for the first key of a database, leave --url out and unset GATEWAY_URL",
    });
  }
  const data = await callGateway<{ result: Result<{ key: string; apiKey: { id: string } }> }>(
    address,
    `mutation ($input: CreateApiKeyInput!) { result: createApiKey(input: $input) { __typename ... on ApiKeyIssued { key apiKey { id } } ${REFUSAL} } }`,
    { input: { bank, kind: kind?.toUpperCase(), merchant, mode: mode.toUpperCase(), audience, scopes, client, expiresAt: expires } },
  );
  return newKey(accepted(data.result));
}

async function listKeys({ json, merchant, ...address }: GatewayAddress & { json?: boolean; merchant?: string }): Promise<void> {
  const fields = "id audience scopes client createdAt expiresAt revokedAt lastUsedAt";
  const variables = { declared: "$merchant: ID,", variables: { merchant } };
  const keys = await pagesOf<Listed>(address, "apiKeys(merchant: $merchant, ", fields, variables);
  if (json) return console.log(JSON.stringify(keys));
  console.table(keys.map(({ scopes, ...key }) => ({ ...key, scopes: scopes.join(",") })));
}

/** The result, unless it is one of the refusals: those end the command with their reasons. */
function accepted<Data>(result: Result<Data>): Result<Data> {
  if (result.message === undefined) return result;
  const reasons = result.issues?.map(({ field, message }) => [field, message].filter(Boolean).join(" "));
  throw new StartupError({
    what: "the gateway refused",
    cause: reasons?.join("; ") ?? result.message,
    fix: "ask for what the key may have",
  });
}

/** A key as the gateway gives it once: its public part and the whole. */
interface NewKey {
  id: string;
  key: string;
}

const newKey = ({ key, apiKey: { id } }: { key: string; apiKey: { id: string } }): NewKey => ({ id, key });

/** Prints a new key, the only time that it is seen. */
function printKey({ id, key }: NewKey, json: boolean | undefined): void {
  console.log(json ? JSON.stringify({ id, key }) : `${key}\n\nKeep it now: it is shown this once, and only a hash of it is stored.`);
}

function bankId(text: string): string {
  if (!isBankId(text)) throw new InvalidArgumentError(`A bank's id ${BANK_ID_RULE}.`);
  return text;
}

function instant(text: string): string {
  if (Number.isNaN(Date.parse(text))) throw new InvalidArgumentError("It is a date, e.g. 2030-01-31T00:00:00Z.");
  return new Date(text).toISOString();
}

function scopeList(text: string): Scope[] {
  const names = text.split(",").map((name) => name.trim());
  const unknown = names.filter((name) => !isScope(name));
  if (unknown.length > 0) throw new InvalidArgumentError(`There is no scope ${unknown.join(", ")}.`);
  return names as Scope[];
}
