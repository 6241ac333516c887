import { ON_BATCH, ON_FAILURE } from "./rest-documents.ts";

/** The documents that merchants' routes run: see `rest-documents.ts`. */

/** POST /v1/provider/merchants. */
export const CREATE_MERCHANTS = /* GraphQL */ `mutation RestCreateMerchants($merchants: [BatchMerchantInput]!) {
  createMerchantsBatch(input: { merchants: $merchants }) {
    ${ON_FAILURE}
    ... on MerchantBatchResult {
      ${ON_BATCH}
      merchantIds
    }
  }
}
`;

/** PATCH /v1/provider/merchants/{id}/trust-level. */
export const SET_TRUST_LEVEL = /* GraphQL */ `mutation RestSetTrustLevel($id: ID!, $trustLevel: TrustLevel!) {
  setTrustLevel(input: { id: $id, trustLevel: $trustLevel }) {
    ${ON_FAILURE}
    ... on Merchant {
      id
      name
      email
      country
      phone
      address
      state
      website
      clientRef
      reference
      trustLevel
      createdAt
      updatedAt
    }
  }
}
`;
