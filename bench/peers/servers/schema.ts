/** The schema of the servers that are written by hand: what the cases ask, and no more. */
export const TYPE_DEFS = /* GraphQL */ `
  type Query {
    customer(bank: String!, id: ID!): Customer
    customers(bank: String!, first: Int!): Customers!
    search(bank: String!, word: String!, first: Int!): Customers!
  }
  type Customers {
    nodes: [Customer!]!
  }
  type Customer {
    id: ID!
    phrase: String!
    accountName: String!
    country: String!
    firstname: String
    lastname: String
    email: String
    state: String
    createdAt: String
    history(first: Int!): Events!
  }
  type Events {
    nodes: [Event!]!
  }
  type Event {
    version: Int!
    type: String!
    at: String!
  }
`;
