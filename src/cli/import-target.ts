/**
 * What the rows of an input become: the fields of a row and which of them it requires, and the mutation that takes them. The
 * names are the contract's (§4), those of a customer's consent with `consent` before them; a test compares them with the schema.
 */
export interface ImportTarget {
  /** What the mutation's input calls its rows. */
  readonly rows: string;
  readonly fields: Readonly<Record<string, "required" | "optional">>;
  readonly mutation: string;
  readonly input: string;
  /** The type of a batch, and the query that reads one. */
  readonly batch: string;
  readonly query: string;
  /** What a key needs. */
  readonly scope: string;
}

export const CUSTOMERS: ImportTarget = {
  rows: "customers",
  fields: {
    clientRef: "required",
    firstname: "required",
    middlename: "optional",
    lastname: "required",
    accountName: "required",
    email: "required",
    phone: "optional",
    country: "required",
    state: "optional",
    address: "optional",
    gender: "optional",
    accountNumber: "required",
    reference: "required",
    consentSource: "optional",
    consentAt: "optional",
    consentTextVersion: "optional",
  },
  mutation: "createCustomersBatch",
  input: "CreateCustomersBatchInput",
  batch: "BatchResult",
  query: "batch",
  scope: "batches:write",
};

export const MERCHANTS: ImportTarget = {
  rows: "merchants",
  fields: {
    clientRef: "required",
    name: "required",
    email: "required",
    country: "required",
    phone: "optional",
    state: "optional",
    address: "optional",
    website: "optional",
    reference: "required",
  },
  mutation: "createMerchantsBatch",
  input: "CreateMerchantsBatchInput",
  batch: "MerchantBatchResult",
  query: "merchantsBatch",
  scope: "merchants:write",
};
