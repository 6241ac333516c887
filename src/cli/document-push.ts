import { accepted, FIELDS, type Registered, type Result } from "./document-calls.ts";
import { type ManifestDocument, readManifest } from "./document-manifest.ts";
import { callGateway, type GatewayAddress } from "./gateway-client.ts";

/** The most documents that one call publishes, and about how many bytes of a body they may take. */
const MOST_AT_ONCE = 500;
const MOST_BYTES = 80_000;

/** Publishes a manifest and says what became of it. Of a manifest that is more than a body takes, all is checked first, and then published part by part: a
 * push that breaks off is pushed again. */
export async function pushManifest(
  manifest: string,
  { client, json, ...address }: GatewayAddress & { client: string; json?: boolean },
): Promise<void> {
  let added = 0;
  const documents: Registered[] = [];
  const parts = partsOf(readManifest(manifest));
  const publish = async (part: ManifestDocument[], checkOnly: boolean) => {
    const { result } = await callGateway<{ result: Result<{ added: number; documents: Registered[] }> }>(
      address,
      `mutation ($input: PublishDocumentsInput!) { result: publishDocuments(input: $input) {
        __typename ... on DocumentsPublished { added documents { ${FIELDS} } } ... on InvalidDocuments { issues { document hash line message } } ... on Error { message } } }`,
      { input: { client, documents: part, checkOnly } },
    );
    return result;
  };
  // What goes in several calls is checked as a whole before any of it is registered.
  const checks = parts.length > 1 ? await Promise.all(parts.map((part) => publish(part, true))) : [];
  const refused = checks.filter(({ message }) => message !== undefined);
  if (refused[0]) accepted({ ...refused[0], issues: refused.flatMap(({ issues }) => issues ?? []) });
  for (const part of parts) {
    const published = accepted(await publish(part, false));
    added += published.added;
    documents.push(...published.documents);
  }
  if (json) console.log(JSON.stringify({ added, documents }));
  else console.log(`${documents.length} documents are registered for ${client}; ${added} of them are new.`);
}

/** As many documents as one body takes; a manifest of usual size is one part, published whole or not at all. */
function partsOf(documents: readonly ManifestDocument[]): ManifestDocument[][] {
  const parts: ManifestDocument[][] = [];
  let bytes = Infinity;
  for (const document of documents) {
    const size = Buffer.byteLength(JSON.stringify(document));
    if (bytes + size > MOST_BYTES || parts.at(-1)!.length === MOST_AT_ONCE) {
      parts.push([]);
      bytes = 0;
    }
    parts.at(-1)!.push(document);
    bytes += size;
  }
  return parts;
}
