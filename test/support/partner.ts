import { documentHash } from "../../src/documents/register.ts";
import type { Answer } from "./gateway.ts";
import { send } from "./process.ts";

/** A partner of a running gateway, with documents that are registered for it. */
export interface Partner {
  key: string;
  /** Runs one of them by its hash. */
  run(text: string, variables?: object): Promise<Answer["body"]>;
}

/** Makes one as staff would: a key, then its documents. `key` may do both. */
export async function partnerWith(url: string, key: string, texts: readonly string[]): Promise<Partner> {
  const made = await send(
    url,
    key,
    `mutation { createApiKey(input: { mode: SANDBOX, audience: PARTNER, client: "watched", scopes: ["customers:read:sensitive", "customers:write"] }) {
      ... on ApiKeyIssued { key } ... on Error { message } } }`,
  );
  const documents = texts.map((text) => ({ hash: documentHash(text), text }));
  const published = await send(
    url,
    key,
    `mutation ($input: PublishDocumentsInput!) { publishDocuments(input: $input) { __typename ... on Error { message } ... on InvalidDocuments { issues { message } } } }`,
    { input: { client: "watched", documents } },
  );
  const partner = made.data?.createApiKey.key as string | undefined;
  if (!partner || published.data?.publishDocuments.message) throw new Error(JSON.stringify([made, published]));
  return {
    key: partner,
    async run(text, variables) {
      const response = await fetch(`${url}/graphql`, {
        method: "POST",
        headers: { "content-type": "application/json", authorization: `Bearer ${partner}` },
        body: JSON.stringify({ documentId: `sha256:${documentHash(text)}`, variables }),
      });
      return (await response.json()) as Answer["body"];
    },
  };
}
