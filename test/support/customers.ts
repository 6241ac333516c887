import type { Answer, TestGateway } from "./gateway.ts";

/** A valid row of a batch, distinct for each number. Nobody is meant: example.com, numbers out of service. */
export function batchRow(number: number, changes: Record<string, unknown> = {}) {
  return {
    clientRef: `client-${number}`,
    firstname: `First${number}`,
    lastname: `Last${number}`,
    accountName: `First${number} Last${number}`,
    email: `customer.${number}@example.com`,
    country: "NG",
    accountNumber: String(1_000_000_000 + number),
    reference: `ref-${number}`,
    ...changes,
  };
}

/** The least that a single registration needs, distinct for each name. */
export function person(name: string, changes: object = {}) {
  return { firstname: name, lastname: "Person", email: `${name}@example.com`, country: "NG", ...changes };
}

/** Every field of a customer but the history. */
export const CUSTOMER_FIELDS = /* GraphQL */ `
  fragment Everything on Customer {
    id bankId phrase accountName gender displayPicture country firstname lastname middlename email phone dialCode
    address state clientRef reference consent { source at textVersion } blacklisted version createdAt updatedAt accountNumber
    blacklist { reason note actor since expiresAt }
  }
`;

/** Every field of the errors that a mutation may answer with. */
const ERROR = `... on Error { code message } ... on InvalidCustomerData { issues { field message } } `;

export const CREATE = /* GraphQL */ `
  mutation ($input: CreateCustomerInput!) {
    createCustomer(input: $input) { __typename ...Everything ${ERROR} ... on CustomerAlreadyExists { matchedOn } }
  }
  ${CUSTOMER_FIELDS}
`;

export const UPDATE = /* GraphQL */ `
  mutation ($input: UpdateCustomerInput!) {
    updateCustomer(input: $input) {
      __typename ...Everything ${ERROR} ... on CustomerAlreadyExists { matchedOn } ... on VersionConflict { currentVersion }
    }
  }
  ${CUSTOMER_FIELDS}
`;

export const BLACKLIST = /* GraphQL */ `
  mutation ($input: SetBlacklistInput!) {
    setBlacklist(input: $input) { __typename ...Everything ${ERROR} ... on VersionConflict { currentVersion } }
  }
  ${CUSTOMER_FIELDS}
`;

const ERASE = /* GraphQL */ `
  mutation ($input: EraseCustomerInput!) {
    eraseCustomer(input: $input) { __typename ... on CustomerErased { id phrase reason erasedAt } ... on Error { code message } }
  }
`;

const LINK = /* GraphQL */ `
  mutation ($input: LinkDeviceInput!) {
    linkDevice(input: $input) { __typename ... on Customer { devices { id deviceId } } ... on Error { code message } }
  }
`;

export const BATCH = /* GraphQL */ `
  mutation ($input: CreateCustomersBatchInput!) {
    createCustomersBatch(input: $input) {
      __typename
      ... on BatchResult {
        id status dryRun replayed createdCount customerIds createdAt completedAt
        summary { total successful failed duplicates invalidData pending rolledBack }
        failuresInline inlineFailureLimit failures { ...Failure }
      }
      ... on Error { code message }
      ... on InvalidBatch { maxRows }
    }
  }
  fragment Failure on BatchFailure {
    __typename
    ... on BatchItemFailure { index clientRef code message }
    ... on DuplicateInBatch { field firstIndex }
    ... on InvalidData { issues { field message } }
    ... on ExistingCustomer { matchedOn customerId }
    ... on ValidationError { issues { field message } }
  }
`;

/** The mutations as one caller sends them. Each gives what the union holds, and throws what stands in `errors`. */
export function caller(gateway: TestGateway, key: string, headers?: Record<string, string>) {
  const send = async (document: string, input: object) => {
    const { body } = await gateway.query(key, document, { input }, headers);
    return dataOf(body);
  };
  return {
    create: (input: object) => send(CREATE, input),
    update: (input: object) => send(UPDATE, input),
    blacklist: (input: object) => send(BLACKLIST, input),
    erase: (input: object) => send(ERASE, input),
    linkDevice: (input: object) => send(LINK, input),
    batch: (customers: unknown[], options: object = {}) => send(BATCH, { customers, ...options }),
    /** One customer with every field, or null. */
    async find(by: object) {
      const { body } = await gateway.query(key, `query ($by: CustomerBy!) { customer(by: $by) { ...Everything } } ${CUSTOMER_FIELDS}`, {
        by,
      });
      return dataOf(body);
    },
    /** A customer's history, oldest first. */
    async history(id: string): Promise<any[]> {
      const { body } = await gateway.query(
        key,
        "query ($id: ID!) { customer(by: { id: $id }) { history(first: 100) { nodes { version type actor at changedFields lifecycle reason expiresAt } } } }",
        { id },
      );
      return dataOf(body).history.nodes.toReversed();
    },
  };
}

/** The one root field of an answer. */
export function dataOf({ data, errors }: Answer["body"]): any {
  if (errors) throw new Error(JSON.stringify(errors));
  return Object.values(data)[0];
}

/** The texts of every row of every table of every schema, the queue's too, as a thief of the database would read them. */
export async function everyRow({ app: { services } }: TestGateway): Promise<{ table: string; text: string }[]> {
  const tables = await services.db.$queryRaw<{ name: string }[]>`
    SELECT concat_ws('.', nullif(schemaname, current_schema()), tablename) AS name FROM pg_tables
    WHERE schemaname NOT IN ('pg_catalog', 'information_schema')`;
  const rows = await Promise.all(
    tables.map(async ({ name }) => {
      const found = await services.db.$queryRawUnsafe<{ text: string }[]>(`SELECT t::text AS text FROM "${name.replace(".", '"."')}" AS t`);
      return found.map(({ text }) => ({ table: name, text }));
    }),
  );
  return rows.flat();
}
