import { Command, Option } from "commander";
import { StartupError } from "../startup-error.ts";
import { callGateway, type GatewayAddress, pagesOf, withGateway } from "./gateway-client.ts";

interface Options extends GatewayAddress {
  json?: boolean;
}

/** A result union as the commands ask for it. */
type Result<Data> = Data & { __typename: string; message?: string; issues?: { field: string | null; message: string }[] };

interface Endpoint {
  id: string;
  url: string;
  events: string[];
  visibility: string;
  enabled: boolean;
  disabledReason: string | null;
}
interface Issued {
  endpoint: Endpoint;
  secret: string;
}

const ENDPOINT = "id url events visibility enabled disabledReason";
const DELIVERY = "id type sequence state attempts outcome triedAt dueAt";
const REFUSED = "... on Error { message } ... on InvalidWebhookEndpoint { issues { field message } }";
const ISSUED = `... on WebhookEndpointIssued { secret endpoint { ${ENDPOINT} } }`;

/** Runs a mutation with its one input; a refusal ends the command with its reasons. */
async function change<Data>(address: GatewayAddress, mutation: string, selection: string, input: object): Promise<Data> {
  const type = `${mutation[0]!.toUpperCase()}${mutation.slice(1)}Input!`;
  const document = `mutation ($input: ${type}) { result: ${mutation}(input: $input) { __typename ${selection} ${REFUSED} } }`;
  const { result } = await callGateway<{ result: Result<Data> }>(address, document, { input });
  if (result.message === undefined) return result;
  const issues = result.issues?.map(({ field, message }) => [field, message].filter(Boolean).join(" ")) ?? [];
  throw new StartupError({
    what: "the gateway refused",
    cause: [result.message.replace(/\.$/, ""), ...issues].join("; "),
    fix: result.issues ? "mend what is named" : "name an endpoint that `webhooks list` shows",
  });
}

/** Both `customer.created` and `CUSTOMER_CREATED` are understood. */
const toEvents = (text: string) => text.split(",").map((event) => event.trim().toUpperCase().replace(".", "_"));

/** Prints for a script, or a sentence for a person. */
const tell = (json: boolean | undefined, value: object, sentence: string) => console.log(json ? JSON.stringify(value) : sentence);

const command = (name: string, description: string) => withGateway(new Command(name)).description(description);
const ofEndpoint = (name: string, description: string) => command(name, description).argument("<id>", "the endpoint: `whe_` and a UUID");

const withSettings = (settings: Command, required = false) =>
  [
    new Option("--to <url>", "where messages are posted: an https:// URL"),
    new Option("--events <list>", "what to be told of, e.g. customer.created,batch.completed").argParser(toEvents),
    new Option("--visibility <tier>", "which fields of a customer its messages show: standard, extended or sensitive"),
  ].reduce((whole, option) => whole.addOption(option.makeOptionMandatory(required)), settings);

interface Settings extends Options {
  to?: string;
  events?: string[];
  visibility?: string;
}
const inputOf = ({ to, events, visibility }: Settings) => ({ url: to, events, visibility: visibility?.toUpperCase() });

/** `webhooks create|list|update|delete|rotate|deliveries|replay|test`: where the bank is told what happens. */
export function webhooksCommand(): Command {
  const create = withSettings(command("create", "make an endpoint, and print its secret once"), true).action(async (options: Settings) => {
    const made = await change<Issued>(options, "createWebhookEndpoint", ISSUED, inputOf(options));
    tell(options.json, made, `${made.endpoint.id} is made. Its secret, shown only now: ${made.secret}`);
  });

  const update = withSettings(ofEndpoint("update", "change an endpoint; what is left out stays"))
    .option("--on", "switch it on")
    .option("--off", "switch it off: what happens meanwhile is not kept for it")
    .action(async (id: string, options: Settings & { on?: true; off?: true }) => {
      const enabled = options.on ? true : options.off ? false : undefined;
      const input = { id, ...inputOf(options), enabled };
      const endpoint = await change<Endpoint>(options, "updateWebhookEndpoint", `... on WebhookEndpoint { ${ENDPOINT} }`, input);
      tell(
        options.json,
        endpoint,
        `${id} is ${endpoint.enabled ? "on" : "off"}, and is told ${endpoint.events.join(", ")} at ${endpoint.url}.`,
      );
    });

  const list = command("list", "list the endpoints").action(async ({ json, ...address }: Options) => {
    const rows = await pagesOf<Endpoint>(address, "webhookEndpoints(", ENDPOINT);
    if (json) return console.log(JSON.stringify(rows));
    console.table(rows.map(({ events, ...row }) => ({ ...row, events: events.join(",") })));
  });

  const remove = ofEndpoint("delete", "end an endpoint, and what it was still to be told").action(async (id: string, options: Options) => {
    const gone = await change<{ id: string }>(options, "deleteWebhookEndpoint", "... on WebhookEndpointDeleted { id }", { id });
    tell(options.json, gone, `${id} is no more.`);
  });

  const rotate = ofEndpoint("rotate", "make a new secret, and let the one before sign too for a while")
    .option("--overlap <seconds>", "how long both sign", Number, 86_400)
    .action(async (id: string, { overlap, ...options }: Options & { overlap: number }) => {
      const made = await change<Issued>(options, "rotateWebhookSecret", ISSUED, { id, overlapSeconds: overlap });
      tell(options.json, made, `The new secret, shown only now: ${made.secret}`);
    });

  const deliveries = ofEndpoint("deliveries", "list what an endpoint was told, or is to be told, for 30 days")
    .option("--state <state>", "only those that are pending, delivered or failed")
    .action(async (id: string, { state, json, ...address }: Options & { state?: string }) => {
      const states = state ? `states: [${state.toUpperCase().replaceAll(/\W/g, "")}], ` : "";
      const rows = await pagesOf<object>(address, `webhookDeliveries(endpointId: $id, ${states}`, DELIVERY, {
        declared: "$id: ID!",
        variables: { id },
      });
      if (json) return console.log(JSON.stringify(rows));
      console.table(rows);
    });

  const replay = ofEndpoint("replay", "send deliveries again: those that are named, or those of events from a time on")
    .argument("[message...]", "ids of messages: `msg_` and a UUID each")
    .option("--from <time>", "e.g. 2026-01-31T00:00:00Z")
    .option("--to <time>", "until when, exclusively; default: now")
    .action(async (endpointId: string, messages: string[], { from, to, ...options }: Options & { from?: string; to?: string }) => {
      const input = { endpointId, ids: messages.length > 0 ? messages : undefined, from, to };
      const replayed = await change<{ count: number }>(options, "replayWebhooks", "... on WebhooksReplayed { count }", input);
      tell(options.json, replayed, `${replayed.count} are sent again.`);
    });

  const test = ofEndpoint("test", "send a message of type `test`").action(async (id: string, options: Options) => {
    const sent = await change<{ id: string }>(options, "sendWebhookTest", `... on WebhookDelivery { ${DELIVERY} }`, { id });
    tell(options.json, sent, `${sent.id} is on its way; \`webhooks deliveries ${id}\` tells what came of it.`);
  });

  const all = [create, list, update, remove, rotate, deliveries, replay, test];
  return all.reduce((whole, one) => whole.addCommand(one), new Command("webhooks").description("where the bank is told what happens"));
}
