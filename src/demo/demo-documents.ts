/** The documents that are registered for the demo's partner. */
export const DEMO_DOCUMENTS = [
  /* GraphQL */ `query FindCustomer($phrase: String!) {
  customer(by: { phrase: $phrase }) {
    id
    phrase
    accountName
    country
  }
}`,
  /* GraphQL */ `query CustomerPage($first: Int = 5, $after: String) {
  customers(first: $first, after: $after) {
    nodes {
      id
      phrase
      accountName
      country
    }
    pageInfo {
      hasNextPage
      endCursor
    }
  }
}`,
  /* GraphQL */ `query WhoAmI {
  viewer {
    keyId
    bankId
    mode
    audience
    scopes
    visibility
  }
}`,
];
