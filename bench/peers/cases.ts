import { documentHash } from "../../src/documents/register.ts";

/** What a case asks about: one bank, for `one` one of its customers, and for `search` the beginning of a name. */
export interface Subject {
  readonly bank: string;
  readonly id: string;
  readonly word: string;
  /** The bank's API key; only the gateway asks for one. */
  readonly key: string;
}

export interface HttpRequest {
  readonly method: "GET" | "POST";
  readonly path: string;
  readonly headers: Record<string, string>;
  readonly body?: string;
}

export const SERVERS = ["gateway", "mercurius", "postgraphile", "apollo", "bare"] as const;
export type Server = (typeof SERVERS)[number];

export interface Case {
  readonly title: string;
  /** How each server is asked; a server without an entry has no such way. */
  readonly ask: Partial<Record<Server, (subject: Subject) => HttpRequest>>;
}

const JSON_HEADERS = { "content-type": "application/json", accept: "application/json" };

function post(body: object, headers: Record<string, string> = {}): HttpRequest {
  return { method: "POST", path: "/graphql", headers: { ...JSON_HEADERS, ...headers }, body: JSON.stringify(body) };
}

const ONE_FIELDS = "phrase accountName country firstname lastname email state createdAt";
const FIFTY_FIELDS = "accountName country state";

/** The documents that the gateway's clients have registered. */
export const GATEWAY = {
  search: `query Search($word: String!) { customers(first: 20, filter: { search: $word }) { nodes { id ${FIFTY_FIELDS} } } }`,
  one: `query One($id: ID!) { customer(by: { id: $id }) { id ${ONE_FIELDS} } }`,
  fifty: `query Fifty { customers(first: 50) { nodes { id ${FIFTY_FIELDS} history(first: 5) { nodes { version type at } } } } }`,
};

/** Those of the servers whose schema was written for this: bank and mode are arguments, since nobody is asked for a key. */
export const PLAIN = {
  search: `query Search($bank: String!, $word: String!) { customers: search(bank: $bank, word: $word, first: 20) { nodes { id ${FIFTY_FIELDS} } } }`,
  one: `query One($bank: String!, $id: ID!) { customer(bank: $bank, id: $id) { id ${ONE_FIELDS} } }`,
  fifty: `query Fifty($bank: String!) { customers(bank: $bank, first: 50) { nodes { id ${FIFTY_FIELDS} history(first: 5) { nodes { version type at } } } } }`,
};

/** PostGraphile makes its schema from the tables; the aliases give the answer the others' form. */
const POSTGRAPHILE = {
  one: `query One($bank: String!, $id: UUID!) { customer: customerByBankIdAndModeAndRowId(bankId: $bank, mode: SANDBOX, rowId: $id) { id: rowId ${ONE_FIELDS} } }`,
  fifty: `query Fifty($bank: String!) { customers: allCustomers(first: 50, condition: { bankId: $bank, mode: SANDBOX }, orderBy: [CREATED_AT_DESC, ROW_ID_DESC]) { nodes { id: rowId ${FIFTY_FIELDS} history: customerEventsByBankIdAndModeAndCustomerId(first: 5, orderBy: VERSION_DESC) { nodes { version type at } } } } }`,
};

const persisted = (text: string) => `sha256:${documentHash(text)}`;
const bearer = (key: string) => ({ authorization: `Bearer ${key}` });

export const CASES: Record<string, Case> = {
  one: {
    title: "one customer by id, persisted, POST",
    ask: {
      gateway: ({ id, key }) => post({ documentId: persisted(GATEWAY.one), variables: { id } }, bearer(key)),
      mercurius: ({ bank, id }) => post({ query: documentHash(PLAIN.one), persisted: true, variables: { bank, id } }),
      postgraphile: ({ bank, id }) => post({ query: POSTGRAPHILE.one, variables: { bank, id } }),
      apollo: ({ bank, id }) => post({ query: PLAIN.one, variables: { bank, id } }),
      bare: ({ bank, id }) => post({ bank, id }),
    },
  },
  oneGet: {
    title: "one customer by id, persisted, GET",
    ask: {
      gateway: ({ id, key }) => ({
        method: "GET",
        path: `/graphql?${new URLSearchParams({ documentId: persisted(GATEWAY.one), variables: JSON.stringify({ id }) })}`,
        headers: { accept: "application/json", ...bearer(key) },
      }),
    },
  },
  fifty: {
    title: "50 customers, each with a nested list, POST",
    ask: {
      gateway: ({ key }) => post({ documentId: persisted(GATEWAY.fifty) }, bearer(key)),
      mercurius: ({ bank }) => post({ query: documentHash(PLAIN.fifty), persisted: true, variables: { bank } }),
      postgraphile: ({ bank }) => post({ query: POSTGRAPHILE.fifty, variables: { bank } }),
      apollo: ({ bank }) => post({ query: PLAIN.fifty, variables: { bank } }),
      bare: ({ bank }) => post({ bank }),
    },
  },
  search: {
    title: "20 customers by the beginning of a name, POST",
    ask: {
      gateway: ({ word, key }) => post({ documentId: persisted(GATEWAY.search), variables: { word } }, bearer(key)),
      mercurius: ({ bank, word }) => post({ query: documentHash(PLAIN.search), persisted: true, variables: { bank, word } }),
      apollo: ({ bank, word }) => post({ query: PLAIN.search, variables: { bank, word } }),
      bare: ({ bank, word }) => post({ bank, word }),
    },
  },
};
