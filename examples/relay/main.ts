import { fetchQuery, readInlineData } from "relay-runtime";
import { environment } from "./environment.ts";
import row, { type customers_row$key } from "./generated/customers_row.graphql.ts";
import pageQuery, { type customersPageQuery } from "./generated/customersPageQuery.graphql.ts";

/** Two pages: the second goes on where the first one ended. */
let after: string | null | undefined = null;
for (const page of [1, 2]) {
  const data: customersPageQuery["response"] | undefined = await fetchQuery<customersPageQuery>(environment, pageQuery, {
    first: 2,
    after,
  }).toPromise();
  if (!data) throw new Error("The answer has no data.");
  for (const { node } of data.customers.edges) {
    const { phrase, accountName, country } = readInlineData<customers_row$key>(row, node);
    console.log(`page ${page}: ${accountName} (${country}), ${phrase}`);
  }
  after = data.customers.pageInfo.endCursor;
}
