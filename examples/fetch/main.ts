import { authorization, url } from "../settings.ts";

/** CustomerPage of persisted-documents.json. */
const documentId = "sha256:8ad2fa78ea83489d8564deddf4ae5b66f678e6295e5147236ca1634bfe525f0a";

const address = `${url}?${new URLSearchParams({ documentId, variables: JSON.stringify({ first: 3 }) })}`;

interface CustomerPage {
  data?: { customers: { nodes: { phrase: string; accountName: string; country: string }[] } };
  errors?: { message: string; extensions: { code: string } }[];
}

const first = await fetch(address, { headers: { authorization } });
const { data, errors } = (await first.json()) as CustomerPage;
if (!data) throw new Error(errors?.map(({ message, extensions }) => `${extensions.code}: ${message}`).join("\n"));
for (const { accountName, country, phrase } of data.customers.nodes) console.log(`${accountName} (${country}), ${phrase}`);

// Asked again with the answer's ETag: as long as nothing has changed, there is no body to be sent.
const etag = first.headers.get("etag")!;
const again = await fetch(address, { headers: { authorization, "if-none-match": etag } });
console.log(`again: ${again.status}${again.status === 304 ? ", not changed" : ""}`);
