/** What a demo's page is filled in with; `customerId` is null when the demo has no such customer any more. */
export interface DemoValues {
  readonly key: string;
  readonly customerId: string | null;
}

/** A tab of GraphiQL: its operation's name is the tab's, its variables are JSON. */
export interface GraphiQLTab {
  readonly query: string;
  readonly variables: string;
}

/**
 * The tabs that GraphiQL opens with. With a demo's values each runs as it stands, again and again; without, they
 * hold placeholders, say so, and write nothing until somebody changes them.
 */
export function graphiqlTabs(demo: DemoValues | null): GraphiQLTab[] {
  const prepare = demo ? "" : PREPARE;
  return [
    { query: prepare + FIND_CUSTOMER, variables: json({ by: { email: demo ? "customer.0001@example.com" : "A_CUSTOMERS_EMAIL" } }) },
    { query: prepare + PAGE_THROUGH, variables: json({ first: 5, after: null, filter: { countries: ["NG", "GH"] } }) },
    {
      query: prepare + (demo ? ONBOARD_BATCH : ONBOARD_BATCH_DRY),
      variables: json({ input: { dryRun: !demo, customers: rows(demo !== null) } }),
    },
    {
      query: prepare + BLACKLIST,
      variables: json({
        input: { id: demo?.customerId ?? "A_CUSTOMERS_ID", blacklisted: true, reason: "CHARGEBACK", note: "Two chargebacks in a week" },
      }),
    },
  ];
}

const json = (value: object) => JSON.stringify(value, null, 2);

const PREPARE = `# First, below: under Headers, put your key in place of
# YOUR_KEY; under Variables, put your own values in place
# of those in CAPITALS. The circling arrows on the left
# then fetch the schema for the editor and its manual.
#
`;

const FIND_CUSTOMER = `# One customer, by a value that you know. Press the
# pink button, or Ctrl-Enter.
#
# Next: under Variables, replace "email" by "phrase", and
# use the answer's. Or under Headers add
# "x-visibility": "standard": what is withheld is null,
# and redactedFields names it.
query FindCustomer($by: CustomerBy!) {
  customer(by: $by) {
    id
    phrase
    accountName
    country
    email
    accountNumber
    blacklisted
    redactedFields
    history(first: 3) {
      nodes {
        type
        at
      }
    }
  }
}
`;

const PAGE_THROUGH = `# A list, page by page: the newest customers of two
# countries.
#
# Next: to turn the page, copy "endCursor" of the answer
# into "after" and run again. Or start over with another
# filter: { "search": "ad" } finds the names that have a
# word with that beginning.
query PageThrough(
  $first: Int
  $after: String
  $filter: CustomerFilter
) {
  customers(
    first: $first
    after: $after
    filter: $filter
  ) {
    totalCount
    totalCountPrecision
    nodes {
      phrase
      accountName
      country
      createdAt
    }
    pageInfo {
      hasNextPage
      endCursor
    }
  }
}
`;

const BATCH_DOCUMENT = `mutation OnboardBatch($input: CreateCustomersBatchInput!) {
  createCustomersBatch(input: $input) {
    ... on BatchResult {
      id
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
          code
          message
        }
        ... on DuplicateInBatch {
          field
          firstIndex
        }
        ... on ExistingCustomer {
          matchedOn
        }
      }
    }
    ... on Error {
      code
      message
    }
  }
}
`;

const ONBOARD_BATCH = `# Five customers in one call. The first is good and is
# registered. The other four are refused, each for a
# reason of its own, and hold nobody up.
#
# Next: run it again: the first exists now as well. Or
# set "dryRun" to true: every check, nothing is written.
# Or ask "... on ValidationError { issues { field } }".
${BATCH_DOCUMENT}`;

const ONBOARD_BATCH_DRY = `# Five customers in one call. The first is good. The
# other four are refused, each for a reason of its own,
# and hold nobody up. This is a dry run: every check, and
# no customer is written.
#
# Next: set "dryRun" to false: the first is registered.
${BATCH_DOCUMENT}`;

const BLACKLIST = `# Puts a customer on the blacklist. Run it again: nothing
# changes, and the history has no second entry.
#
# Next: set "blacklisted" to false, take out "reason" and
# "note", and run: the customer is off the list, and the
# history keeps both.
mutation Blacklist($input: SetBlacklistInput!) {
  setBlacklist(input: $input) {
    ... on Customer {
      phrase
      accountName
      blacklisted
      blacklist {
        reason
        note
        since
        actor
      }
      history(first: 5) {
        nodes {
          type
          reason
          at
        }
      }
    }
    ... on InvalidCustomerData {
      issues {
        field
        message
      }
    }
    ... on Error {
      code
      message
    }
  }
}
`;

/** A good row, and one for each kind of failure. */
function rows(demo: boolean): object[] {
  const ada = {
    clientRef: "client-1001",
    firstname: "Ada",
    lastname: "Obi",
    accountName: "Ada Obi",
    email: "ada.obi@example.com",
    country: "NG",
    phone: "0700 000 9001",
    accountNumber: "3012345601",
    reference: "ref-1001",
  };
  const row = (number: number, firstname: string, changes: object) => ({
    clientRef: `client-${number}`,
    firstname,
    lastname: "Mensah",
    accountName: `${firstname} Mensah`,
    email: `${firstname.toLowerCase()}.mensah@example.com`,
    country: "GH",
    accountNumber: `30123456${number % 100}`,
    reference: `ref-${number}`,
    ...changes,
  });
  return [
    ada,
    // DUPLICATE_IN_BATCH, INVALID_DATA, VALIDATION_ERROR, EXISTING_CUSTOMER
    row(1002, "Kofi", { email: ada.email }),
    row(1003, "Esi", { lastname: "" }),
    row(1004, "Yaw", { email: "not an e-mail", country: "XX" }),
    row(1005, "Efua", { email: demo ? "customer.0001@example.com" : "A_CUSTOMERS_EMAIL" }),
  ];
}
