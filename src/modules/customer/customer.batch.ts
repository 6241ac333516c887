import { findExisting } from "../../changes/insert-unique.ts";
import type { Keyring } from "../../crypto/keyring.ts";
import { CUSTOMER_KEYS } from "../../graphql/enums.ts";
import { missingFields } from "../../rules/fields.ts";
import type { BatchKind } from "../batch/batch.rows.ts";
import { BLACKLISTED_ISSUE, findBlacklisted, recheckBlacklisted } from "./customer.blacklisted-identity.ts";
import { insertCustomers } from "./customer.insert.ts";
import { type CustomerInput, type CustomerInputField, type CustomerValues, normaliseCustomer } from "./customer.rules.ts";

/** What a row must have, in the order in which it is told. Source: contract §4. */
const REQUIRED: CustomerInputField[] = [
  "clientRef",
  "firstname",
  "lastname",
  "accountName",
  "country",
  "email",
  "accountNumber",
  "reference",
];

/** Batches of customers: the rules and columns that the batch core is given. */
export function customerBatch(keyring: Keyring): BatchKind<CustomerInput, CustomerValues> {
  return {
    name: "CUSTOMER",
    keys: CUSTOMER_KEYS,
    check(row, at) {
      const missing = missingFields(row, REQUIRED);
      if (missing.length > 0) return { code: "INVALID_DATA", issues: missing };
      const { values, issues } = normaliseCustomer(row, undefined, at);
      return issues.length > 0 ? { code: "VALIDATION_ERROR", issues } : { values };
    },
    async write(tx, actor, at, rows, dryRun) {
      // A blacklisted identity is refused only where no existing customer answers first: the refusal
      // then tells nothing new.
      const refused = await findBlacklisted(tx, keyring, actor, rows, at);
      const accepted = rows.filter((_, index) => !refused[index]);
      const held = rows.filter((_, index) => refused[index]);
      const written = dryRun
        ? (await findExisting(tx, actor, "customer", accepted)).map((existing) => existing ?? { id: "" })
        : await insertCustomers(tx, keyring, actor, at, accepted);
      const created = accepted.filter((_, index) => !("matchedOn" in written[index]!));
      if (!dryRun && created.length > 0) await recheckBlacklisted(tx, keyring, actor, created, at);
      const existing = await findExisting(tx, actor, "customer", held);
      return refused.map((isRefused) => (isRefused ? (existing.shift() ?? { issues: [BLACKLISTED_ISSUE] }) : written.shift()!));
    },
  };
}
