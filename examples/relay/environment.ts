import { Environment, type GraphQLResponse, Network, type RequestParameters, RecordSource, Store, type Variables } from "relay-runtime";
import { authorization, url } from "../settings.ts";

/** Sends the id that the compiler gave the query; the query's text is not in the program. */
async function fetchById({ id }: RequestParameters, variables: Variables): Promise<GraphQLResponse> {
  const response = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json", authorization },
    body: JSON.stringify({ documentId: `sha256:${id}`, variables }),
  });
  return (await response.json()) as GraphQLResponse;
}

export const environment = new Environment({ network: Network.create(fetchById), store: new Store(new RecordSource()) });
