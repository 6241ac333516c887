import { registerDocuments } from "../../src/documents/register.ts";
import { TypedDocumentString } from "../generated/graphql.ts";
import manifest from "../generated/persisted-documents.json" with { type: "json" };
import type { Answer, TestGateway } from "./gateway.ts";

/** Variables may be left out where the document needs none. */
type VariablesOf<Variables> = {} extends Variables ? [variables?: Variables] : [variables: Variables];

/** Calls the gateway as a front end does, with documents of `graphql(…)`: the types of the data follow from them. */
export interface Client {
  /** Sends a document as text and returns its data. Throws an Error that lists the answer's errors. */
  run<Data, Variables>(document: TypedDocumentString<Data, Variables>, ...variables: VariablesOf<Variables>): Promise<Data>;
  /** The same by the document's id alone; it must be registered for the key's client. */
  runById<Data, Variables>(document: TypedDocumentString<Data, Variables>, ...variables: VariablesOf<Variables>): Promise<Data>;
}

export function client(gateway: TestGateway, key: string): Client {
  return {
    run: async (document, ...[variables]) => dataOf(await gateway.query(key, textOf(document), variables as object)),
    async runById(document, ...[variables]) {
      const response = await gateway.send("/graphql", {
        method: "POST",
        headers: { "content-type": "application/json", authorization: `Bearer ${key}` },
        body: JSON.stringify({ documentId: documentId(document), variables }),
      });
      return dataOf({ body: (await response.json()) as Answer["body"] });
    },
  };
}

/** What a document is called by: `sha256:` and 64 hex digits. */
export function documentId(document: TypedDocumentString<any, any>): string {
  textOf(document);
  return document.__meta__!["hash"];
}

/** Registers documents for a client of a bank, from the manifest that the generator wrote. The client must have a key. */
export async function registerFor(
  { app }: TestGateway,
  owner: { bank: string; client: string },
  documents: TypedDocumentString<any, any>[],
): Promise<void> {
  const { db } = app.services;
  const { id } = await db.client.findUniqueOrThrow({ where: { tenantId_name: { tenantId: owner.bank, name: owner.client } } });
  await registerDocuments(
    db,
    id,
    documents.map((document) => (manifest as Record<string, string>)[documentId(document)]!),
  );
}

/** Of a document that the generator has not seen, `graphql()` makes an empty object. */
function textOf(document: TypedDocumentString<any, any>): string {
  if (!(document instanceof TypedDocumentString)) throw new Error("a document is new or changed: npm run generate");
  return document.toString();
}

function dataOf<Data>({ body }: { body: Answer<Data>["body"] }): Data {
  if (body.errors)
    throw new Error(
      body.errors.map(({ message, path, extensions }) => `${extensions.code} at ${path?.join(".") ?? "-"}: ${message}`).join("\n"),
    );
  return body.data;
}
