import { StartupError } from "../startup-error.ts";
import { type GatewayAddress, pagesOf } from "./gateway-client.ts";

/** A registered document as the commands ask for it. */
export interface Registered {
  client?: string;
  hash: string;
  name: string;
  state: string;
  cost: number | null;
  uses: number;
  points: number;
  lastUsedAt: string | null;
  text?: string;
}

/** Why a document is refused, or would break. */
export interface DocumentIssue {
  /** Where documents of several clients are told of. */
  client?: string;
  document: string;
  hash: string;
  line: number | null;
  message: string;
}

/** A result union as the commands ask for it. */
export type Result<Data> = Data & { __typename: string; message?: string; issues?: DocumentIssue[] };

/** What is asked of each. */
export const FIELDS = "hash name state cost uses points lastUsedAt";

/** A client's registered documents, newest first; without a name, those of all clients. Throws StartupError for a client that there is not. */
export async function registered(address: GatewayAddress, client?: string, more = ""): Promise<Registered[]> {
  const known = (await pagesOf<{ name: string }>(address, "clients(", "name")).map(({ name }) => name);
  if (client !== undefined && !known.includes(client)) {
    throw new StartupError({ what: "there is no such client", cause: "no key of this mode belongs to it", fix: "name one that has a key" });
  }
  const names = client === undefined ? known : [client];
  const all: Registered[] = [];
  for (const name of names) {
    const documents = await pagesOf<Registered>(address, "documents(client: $client, ", `${FIELDS} ${more}`, {
      declared: "$client: String!",
      variables: { client: name },
    });
    all.push(...documents.map((document) => ({ client: name, ...document })));
  }
  return all;
}

/** The result, unless it is one of the refusals: those end the command with their reasons. */
export function accepted<Data>(result: Result<Data>): Result<Data> {
  if (result.message === undefined) return result;
  for (const issue of result.issues ?? []) console.error(told(issue));
  throw new StartupError({
    what: "the gateway refused",
    cause: result.message.replace(/\.$/, ""),
    fix: result.issues ? "mend what is named above" : "name what the bank has",
  });
}

/** An issue for a person. */
export const told = ({ client, document, line, message }: DocumentIssue) =>
  `${client === undefined ? "" : `${client}: `}${document || "the call"}${line === null ? "" : `, line ${line}`}: ${message}`;
