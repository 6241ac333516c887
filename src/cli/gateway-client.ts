import { type Command, Option } from "commander";
import { StartupError } from "../startup-error.ts";

/** Where a running gateway is, and with which key to call it. */
export interface GatewayAddress {
  readonly url?: string;
  readonly key?: string;
}

/** Adds `--url` and `--key`, which GATEWAY_URL and GATEWAY_KEY stand in for, and `--json`. */
export function withGateway(command: Command): Command {
  return command
    .addOption(new Option("--url <url>", "the gateway's address").env("GATEWAY_URL"))
    .addOption(new Option("--key <key>", "the key to call it with").env("GATEWAY_KEY"))
    .option("--json", "print what a script can read");
}

/** Whether a gateway is to be called. A key without an address means the local default. */
export function isAddressed({ url, key }: GatewayAddress): boolean {
  return url !== undefined || key !== undefined;
}

/** The default of `--url`. */
export const LOCAL_GATEWAY = "http://127.0.0.1:4000";

/** Where an address takes documents. Throws StartupError for what is no http or https address, or has more than a host and a port. */
export function endpointOf(url: string): URL {
  const address = URL.canParse(url) ? new URL(url) : null;
  const isHttp = address !== null && /^https?:$/.test(address.protocol);
  const isWhole = isHttp && /^(\/(graphql\/?)?)?$/.test(address.pathname) && address.search + address.username === "";
  if (isWhole) return new URL("/graphql", address);
  throw new StartupError({
    what: `${isHttp ? address.origin : url} is no address of a gateway`,
    cause: isHttp ? "it is given with more than a host and a port" : "it is no http:// or https:// URL",
    fix: "give one such as http://127.0.0.1:4000 with --url or GATEWAY_URL",
  });
}

/** A GraphQL answer. */
export interface Answer<Data> {
  data?: Data | null;
  errors?: { message: string; extensions?: { code?: string } }[];
  extensions?: Record<string, unknown>;
}

/** What came back over HTTP; `answer` is null when it was not JSON. */
export interface GatewayReply<Data> {
  readonly status: number;
  readonly headers: Headers;
  readonly answer: Answer<Data> | null;
}

/**
 * Sends a document once; `variables` is JSON. Throws StartupError without a key or for a wrong address, and what fetch throws when nobody
 * answers. A redirect is not followed: the key is for this address.
 */
export async function postDocument<Data>(
  { url = LOCAL_GATEWAY, key }: GatewayAddress,
  query: string,
  variables: string,
  signal?: AbortSignal,
): Promise<GatewayReply<Data>> {
  if (key === undefined) {
    throw new StartupError({
      what: "the gateway cannot be called",
      cause: "there is no key to call it with",
      fix: "give --key, or set GATEWAY_KEY",
    });
  }
  // Else the error would quote it.
  if (!/^[\x21-\x7e]+$/.test(key)) {
    throw new StartupError({ what: "the gateway cannot be called", cause: "the key is malformed", fix: "give it as it was printed" });
  }
  const response = await fetch(endpointOf(url), {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${key}` },
    body: `{"query":${JSON.stringify(query)},"variables":${variables}}`,
    redirect: "manual",
    signal,
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, answer: readAnswer(text) };
}

function readAnswer<Data>(text: string): Answer<Data> | null {
  try {
    const value = JSON.parse(text) as Answer<Data> | null;
    return typeof value === "object" ? value : null;
  } catch {
    return null;
  }
}

/**
 * Runs a document on a gateway and gives its data. Throws StartupError, in one sentence, for a missing key, an
 * address that does not answer, and whatever the gateway refuses.
 */
export async function callGateway<Data>(address: GatewayAddress, query: string, variables: object = {}): Promise<Data> {
  let answer: Answer<Data> | null;
  try {
    ({ answer } = await postDocument<Data>(address, query, JSON.stringify(variables)));
    if (answer === null) throw new Error("it answers with something else than JSON");
  } catch (error) {
    if (error instanceof StartupError) throw error;
    const { cause, message } = error as Error & { cause?: { code?: string } };
    throw new StartupError({
      what: `no gateway answers at ${address.url ?? LOCAL_GATEWAY}`,
      cause: cause?.code ?? message,
      fix: "start it, or give its address with --url or GATEWAY_URL",
    });
  }
  if (answer.errors) {
    throw new StartupError({
      what: "the gateway refused",
      cause: answer.errors.map(({ message }) => message.replace(/\.$/, "")).join("; "),
      fix: "use a key that may do this",
    });
  }
  return answer.data!;
}

interface NodesPage<Node> {
  list: { nodes: Node[]; pageInfo: { hasNextPage: boolean; endCursor: string | null } };
}

/**
 * All rows of a list of nodes, page by page. `list` is its field with its arguments begun, e.g. `documents(client: $client, `;
 * `declared` are the variables in them. Throws as callGateway.
 */
export async function pagesOf<Node>(
  address: GatewayAddress,
  list: string,
  fields: string,
  { declared = "", variables = {} }: { declared?: string; variables?: object } = {},
): Promise<Node[]> {
  const document = `query (${declared} $after: String) { list: ${list}first: 100, after: $after) { nodes { ${fields} } pageInfo { hasNextPage endCursor } } }`;
  const rows: Node[] = [];
  for (let after: string | null = null, next = true; next;) {
    const { list: page }: NodesPage<Node> = await callGateway(address, document, { ...variables, after });
    rows.push(...page.nodes);
    ({ hasNextPage: next, endCursor: after } = page.pageInfo);
  }
  return rows;
}
