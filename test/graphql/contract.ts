/**
 * What every client may rely on, copied by hand from the contract's §2 to §4 for what there is so far. The schema may
 * have more, but for unions, which are closed, and for inputs, which can set nothing else.
 */
export const CONTRACT = /* GraphQL */ `
type Query {
  viewer: Viewer!
  node(id: ID!): Node
  customer(by: CustomerBy!): Customer
  customers(first: Int, after: String, last: Int, before: String, filter: CustomerFilter, orderBy: CustomerOrder): CustomerConnection!
  batch(id: ID!): BatchResult
  batches(first: Int, after: String, last: Int, before: String): BatchResultConnection!
  customerBanks(email: String!, entityId: ID): [CustomerBank!]!
  deviceLookup(deviceId: String!, entityId: ID): [CustomerBank!]!
}
type CustomerBank { bankId: ID!  phrase: String! }
interface Node { id: ID! }
input CustomerBy @oneOf { id: ID  email: String  phrase: String  reference: String  clientRef: String }
input CustomerFilter {
  ids: [ID!]  phrases: [String!]  references: [String!]  clientRefs: [String!]  emails: [String!]
  countries: [String!]  genders: [Gender!]  blacklisted: Boolean
  createdAt: DateTimeRange  updatedAt: DateTimeRange
  search: String
}
input DateTimeRange { from: DateTime  to: DateTime }
input CustomerOrder { field: CustomerOrderField!  direction: OrderDirection! }
enum CustomerOrderField { CREATED_AT UPDATED_AT ACCOUNT_NAME }
enum OrderDirection { ASC DESC }
type CustomerConnection { edges: [CustomerEdge!]!  nodes: [Customer!]!  pageInfo: PageInfo!  totalCount: Int!  totalCountPrecision: CountPrecision! }
type CustomerEdge { node: Customer!  cursor: String! }
type PageInfo { hasNextPage: Boolean!  hasPreviousPage: Boolean!  startCursor: String  endCursor: String }
enum CountPrecision { EXACT AT_LEAST }

type Customer implements Node {
  id: ID!  bankId: ID!  phrase: String!  accountName: String!  gender: Gender  displayPicture: URL  country: CountryCode!
  firstname: String  lastname: String  middlename: String
  email: EmailAddress
  phone: String  dialCode: String
  address: String  state: String
  clientRef: String  reference: String
  consent: Consent
  lifecycle: CustomerLifecycle  paymentsEnabled: Boolean
  blacklisted: Boolean
  version: Int
  createdAt: DateTime  updatedAt: DateTime
  accountNumber: String
  blacklist: BlacklistEntry
  history(first: Int, after: String): CustomerEventConnection
  devices: [Device!]
  redactedFields: [CustomerField!]!
}
type Consent { source: String!  at: DateTime!  textVersion: String! }
type Device implements Node { id: ID!  deviceId: String!  actor: String!  linkedAt: DateTime! }
enum CustomerLifecycle { REGISTERED ONBOARDED DEVICE_LINKED PAYMENTS_ENABLED }
enum Gender { MALE FEMALE OTHER }
enum BlacklistReason { FRAUD CHARGEBACK COMPLIANCE REQUEST OTHER }
type BlacklistEntry { reason: BlacklistReason!  note: String  actor: String!  since: DateTime!  expiresAt: DateTime }

type Mutation {
  createCustomer(input: CreateCustomerInput!): CreateCustomerResult!
  updateCustomer(input: UpdateCustomerInput!): UpdateCustomerResult!
  setBlacklist(input: SetBlacklistInput!): SetBlacklistResult!
  createCustomersBatch(input: CreateCustomersBatchInput!): CreateCustomersBatchResult!
  eraseCustomer(input: EraseCustomerInput!): EraseCustomerResult!
  setConsent(input: SetConsentInput!): SetConsentResult!
  linkDevice(input: LinkDeviceInput!): LinkDeviceResult!
  unlinkDevice(input: UnlinkDeviceInput!): UnlinkDeviceResult!
}
type Subscription { batchProgress(id: ID!): BatchProgress }
interface Error { code: ErrorCode!  message: String! }
union CreateCustomerResult = Customer | InvalidCustomerData | CustomerAlreadyExists | IdempotencyConflict
union UpdateCustomerResult = Customer | CustomerNotFound | InvalidCustomerData | CustomerAlreadyExists | VersionConflict
union SetBlacklistResult = Customer | CustomerNotFound | InvalidCustomerData | VersionConflict
union SetConsentResult = Customer | CustomerNotFound | InvalidCustomerData | VersionConflict
union LinkDeviceResult = Customer | CustomerNotFound | InvalidCustomerData | DeviceRefused | VersionConflict
union UnlinkDeviceResult = Customer | CustomerNotFound | InvalidCustomerData | VersionConflict
union EraseCustomerResult = CustomerErased | CustomerNotFound
union CreateCustomersBatchResult = BatchResult | InvalidBatch | IdempotencyConflict
union CreateMerchantsBatchResult = MerchantBatchResult | InvalidBatch | IdempotencyConflict
union SetTrustLevelResult = Merchant | MerchantNotFound | MerchantVersionConflict
type InvalidCustomerData implements Error { code: ErrorCode!  message: String!  issues: [InputIssue!]! }
type InputIssue { field: String  message: String! }
type CustomerAlreadyExists implements Error { code: ErrorCode!  message: String!  matchedOn: CustomerKey! }
type CustomerNotFound implements Error { code: ErrorCode!  message: String! }
type VersionConflict implements Error { code: ErrorCode!  message: String! }
type IdempotencyConflict implements Error { code: ErrorCode!  message: String! }
type InvalidBatch implements Error { code: ErrorCode!  message: String! }

input UpdateCustomerInput { id: ID!  expectedVersion: Int  update: CustomerUpdateInput! }
input CustomerUpdateInput {
  firstname: String  middlename: String  lastname: String  accountName: String  email: String  phone: String
  address: String  state: String  gender: Gender  displayPicture: String
}
input SetBlacklistInput { id: ID!  blacklisted: Boolean!  reason: BlacklistReason  note: String  expiresAt: DateTime  expectedVersion: Int }

input SetConsentInput { id: ID!  consent: ConsentInput  expectedVersion: Int }
input LinkDeviceInput { id: ID!  deviceId: String!  expectedVersion: Int }
input UnlinkDeviceInput { id: ID!  deviceId: String!  expectedVersion: Int }

input CreateCustomersBatchInput {
  customers: [BatchCustomerInput]!
  idempotencyKey: String
  atomicity: BatchAtomicity = PARTIAL
  dryRun: Boolean = false
  processing: BatchProcessing = COMPLETE
  consent: ConsentInput
}
input ConsentInput { source: String  at: String  textVersion: String }
enum BatchAtomicity { PARTIAL ALL_OR_NOTHING }
input BatchCustomerInput {
  clientRef: String firstname: String lastname: String middlename: String accountName: String email: String
  country: String state: String address: String gender: String phone: String accountNumber: String reference: String
  consent: ConsentInput
}
interface Batch { status: BatchStatus!  summary: BatchSummary!  failures: [BatchFailure!]! }
type BatchResult implements Node & Batch {
  id: ID!  status: BatchStatus!
  summary: BatchSummary!
  failures: [BatchFailure!]!
  failuresInline: Boolean!
  inlineFailureLimit: Int!
  allFailures(first: Int, after: String, code: BatchErrorCode): BatchFailureConnection!
  createdCount: Int!  customerIds: [ID!]!
  customers(first: Int, after: String): CustomerConnection!
  dryRun: Boolean!  replayed: Boolean!  createdAt: DateTime!  completedAt: DateTime
}
input CreateMerchantsBatchInput {
  merchants: [BatchMerchantInput]!
  idempotencyKey: String
  atomicity: BatchAtomicity = PARTIAL
  dryRun: Boolean = false
  processing: BatchProcessing = COMPLETE
}
input BatchMerchantInput {
  clientRef: String name: String email: String country: String phone: String address: String state: String website: String reference: String
}
input SetTrustLevelInput { id: ID!  trustLevel: TrustLevel!  expectedVersion: Int }
enum TrustLevel { BASIC ENHANCED PREMIUM }
type MerchantBatchResult implements Node & Batch {
  id: ID!  status: BatchStatus!  createdCount: Int!  merchantIds: [ID!]!
  merchants(first: Int, after: String): MerchantConnection!
  dryRun: Boolean!  replayed: Boolean!  createdAt: DateTime!  completedAt: DateTime
}
enum BatchProcessing { COMPLETE BACKGROUND }
enum BatchStatus { PROCESSING COMPLETED FAILED }
type BatchSummary { total: Int! successful: Int! failed: Int! duplicates: Int! invalidData: Int! pending: Int! rolledBack: Int! }
union BatchFailure = DuplicateInBatch | InvalidData | ExistingCustomer | ValidationError
interface BatchItemFailure { index: Int!  clientRef: String  code: BatchErrorCode!  message: String! }
type DuplicateInBatch implements BatchItemFailure { field: CustomerKey!  firstIndex: Int! }
type InvalidData implements BatchItemFailure { issues: [InputIssue!]! }
type ExistingCustomer implements BatchItemFailure { matchedOn: CustomerKey!  customerId: ID! }
type ValidationError implements BatchItemFailure { issues: [InputIssue!]! }
enum BatchErrorCode { DUPLICATE_IN_BATCH INVALID_DATA EXISTING_CUSTOMER VALIDATION_ERROR }
`;
