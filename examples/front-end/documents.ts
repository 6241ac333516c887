import { graphql } from "./generated/gql.ts";

export const NewestCustomers = graphql(/* GraphQL */ `
  query NewestCustomers($first: Int!) {
    customers(first: $first) {
      nodes {
        id
        accountName
        email
        country
      }
    }
  }
`);

export const Register = graphql(/* GraphQL */ `
  mutation Register($input: CreateCustomerInput!) {
    createCustomer(input: $input) {
      ... on Customer {
        id
        phrase
        country
      }
      ... on InvalidCustomerData {
        issues {
          field
          message
        }
      }
      ... on Error {
        message
      }
    }
  }
`);
