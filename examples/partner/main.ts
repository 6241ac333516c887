import { call } from "./call.ts";

/** CustomerPage of persisted-documents.json. */
const documentId = "sha256:8ad2fa78ea83489d8564deddf4ae5b66f678e6295e5147236ca1634bfe525f0a";

interface CustomerPage {
  customers: { nodes: { phrase: string }[]; pageInfo: { hasNextPage: boolean; endCursor: string | null } };
}

/** Reads every customer, page by page. Each page costs points; when those of the minute are used up, it waits. */
const phrases = new Set<string>();
for (let after: string | null = null, more = true; more;) {
  const { customers }: CustomerPage = await call<CustomerPage>(documentId, { first: 50, after });
  for (const { phrase } of customers.nodes) phrases.add(phrase);
  ({ hasNextPage: more, endCursor: after } = customers.pageInfo);
}
console.log(`${phrases.size} customers`);
