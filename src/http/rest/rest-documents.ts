/**
 * The documents that the REST routes run. A variable is a member of the request's body, or of its path or query string, by
 * the same name; a response key is a member of the answer. Who runs registered documents only, as partners do, may call a
 * route when its document is registered for the client: `docs/rest-documents.json` is the manifest to publish from.
 */

const ON_BANK_CUSTOMER = /* GraphQL */ `
fragment BankCustomer on Customer {
  id
  accountName
  gender
  displayPicture
  bankId
  phrase
  country
}`;

const ON_CUSTOMER = /* GraphQL */ `
fragment Customer on Customer {
  id
  firstName: firstname
  lastName: lastname
  email
  phone
  dialCode
  blacklist: blacklisted
  createdAt
  updatedAt
}`;

/** What any mutation answers when it did not do what was asked. */
export const ON_FAILURE = /* GraphQL */ `__typename
    ... on Error {
      code
      message
    }`;

/** The same of one that checks a customer's data. */
const ON_ERROR = /* GraphQL */ `${ON_FAILURE}
    ... on InvalidCustomerData {
      issues {
        field
        message
      }
    }`;

/** What becomes of a batch, whatever its rows are; indented for where it stands. */
export const ON_BATCH = /* GraphQL */ `batchId: id
      status
      summary {
        total
        successful
        failed
        duplicates
        invalidData
      }
      failures {
        ... on BatchItemFailure {
          index
          clientRef
          code
          message
        }
        ... on InvalidData {
          issues {
            field
            message
          }
        }
        ... on ValidationError {
          issues {
            field
            message
          }
        }
        ... on DuplicateInBatch {
          field
          firstIndex
        }
        ... on ExistingCustomer {
          matchedOn
          customerId
        }
      }
      failuresInline
      inlineFailureLimit
      createdCount`;

/** STANDARD fields: GET /v1/bank/customer and /v1/bank/customers/{id}. */
export const FIND_BANK_CUSTOMER = /* GraphQL */ `query RestBankCustomer($by: CustomerBy!) {
  customer(by: $by) {
    ...BankCustomer
  }
}
${ON_BANK_CUSTOMER}`;

/** STANDARD fields: GET /v1/bank/customers. */
export const LIST_BANK_CUSTOMERS = /* GraphQL */ `query RestBankCustomers($ids: [ID!], $phrases: [String!], $sortBy: CustomerOrder, $limit: Int) {
  customers(first: $limit, filter: { ids: $ids, phrases: $phrases }, orderBy: $sortBy) {
    nodes {
      ...BankCustomer
    }
  }
}
${ON_BANK_CUSTOMER}`;

/** POST /v1/bank/customers. */
export const CREATE_BANK_CUSTOMERS = /* GraphQL */ `mutation RestCreateBankCustomers($customers: [BatchCustomerInput]!) {
  createCustomersBatch(input: { customers: $customers }) {
    ${ON_FAILURE}
    ... on BatchResult {
      ${ON_BATCH}
      customerIds
    }
  }
}
`;

/** PATCH /v1/bank/customer. */
export const UPDATE_BANK_CUSTOMER = /* GraphQL */ `mutation RestUpdateBankCustomer($id: ID!, $update: CustomerUpdateInput!) {
  updateCustomer(input: { id: $id, update: $update }) {
    ${ON_ERROR}
    ... on Customer {
      id
      email
      phone
    }
  }
}
`;

/** POST /v1/bank/customer/device/link. */
export const LINK_DEVICE = /* GraphQL */ `mutation RestLinkDevice($id: ID!, $deviceId: String!) {
  linkDevice(input: { id: $id, deviceId: $deviceId }) {
    ${ON_ERROR}
    ... on Customer {
      id
      lifecycle
      paymentsEnabled
    }
  }
}
`;

/** POST /v1/bank/customer/device/unlink. */
export const UNLINK_DEVICE = /* GraphQL */ `mutation RestUnlinkDevice($id: ID!, $deviceId: String!) {
  unlinkDevice(input: { id: $id, deviceId: $deviceId }) {
    ${ON_ERROR}
    ... on Customer {
      id
      lifecycle
      paymentsEnabled
    }
  }
}
`;

/** DELETE /v1/customers/{id}. */
export const ERASE_CUSTOMER = /* GraphQL */ `mutation RestEraseCustomer($id: ID!, $reason: ErasureReason! = OTHER) {
  eraseCustomer(input: { id: $id, reason: $reason }) {
    ${ON_FAILURE}
    ... on CustomerErased {
      id
      erasedAt
    }
  }
}
`;

/** GET /v1/customers/{idOrReferenceOrEmail}. */
export const FIND_CUSTOMER = /* GraphQL */ `query RestCustomer($by: CustomerBy!) {
  customer(by: $by) {
    ...Customer
  }
}
${ON_CUSTOMER}`;

/** GET /v1/customers/{id}/export. */
export const EXPORT_CUSTOMER = /* GraphQL */ `query RestCustomerExport($id: ID!) {
  exportCustomerData(id: $id) {
    formatVersion
    customerId
    madeAt
    categories {
      name
      purpose
      source
      kept
      records
    }
  }
}`;

/** GET /v1/customers. */
export const LIST_CUSTOMERS = /* GraphQL */ `query RestCustomers($take: Int) {
  customers(first: $take) {
    nodes {
      ...Customer
    }
    totalCount
  }
}
${ON_CUSTOMER}`;

/** POST /v1/customers. */
export const CREATE_CUSTOMER = /* GraphQL */ `mutation RestCreateCustomer($firstName: String, $lastName: String, $email: String, $phone: String, $country: String) {
  createCustomer(input: { firstname: $firstName, lastname: $lastName, email: $email, phone: $phone, country: $country }) {
    ${ON_ERROR}
    ...Customer
  }
}
${ON_CUSTOMER}`;

/** PATCH /v1/customers/{id}. */
export const UPDATE_CUSTOMER = /* GraphQL */ `mutation RestUpdateCustomer($id: ID!, $firstName: String, $lastName: String, $email: String, $phone: String) {
  updateCustomer(input: { id: $id, update: { firstname: $firstName, lastname: $lastName, email: $email, phone: $phone } }) {
    ${ON_ERROR}
    ...Customer
  }
}
${ON_CUSTOMER}`;

/** PATCH /v1/customers/{id}/blacklist. */
export const SET_BLACKLIST = /* GraphQL */ `mutation RestSetBlacklist($id: ID!, $blacklist: Boolean!) {
  setBlacklist(input: { id: $id, blacklisted: $blacklist }) {
    ${ON_ERROR}
    ...Customer
  }
}
${ON_CUSTOMER}`;

/** GET /v1/customer/banks. */
export const CUSTOMER_BANKS = /* GraphQL */ `query RestCustomerBanks($email: String!, $entityId: ID) {
  customerBanks(email: $email, entityId: $entityId) {
    bankId
    phrase
  }
}
`;

/** POST /v1/customer/device/lookup. */
export const DEVICE_LOOKUP = /* GraphQL */ `query RestDeviceLookup($deviceId: String!, $entityId: ID) {
  deviceLookup(deviceId: $deviceId, entityId: $entityId) {
    bankId
    phrase
  }
}
`;

/** Those that a key of STANDARD visibility sees the whole answer of. */
export const STANDARD_REST_DOCUMENTS = [FIND_BANK_CUSTOMER, LIST_BANK_CUSTOMERS];
