import { graphql } from "relay-runtime";

// relay-compiler reads these. In an application its plugin for Babel or SWC puts the compiler's output in each one's
// place; main.ts, which Node runs as it stands, imports that output itself.

export const Page = graphql`
  query customersPageQuery($first: Int!, $after: String) {
    customers(first: $first, after: $after) {
      edges {
        node {
          ...customers_row
        }
      }
      pageInfo {
        hasNextPage
        endCursor
      }
    }
  }
`;

export const Row = graphql`
  fragment customers_row on Customer @inline {
    id
    phrase
    accountName
    country
  }
`;
