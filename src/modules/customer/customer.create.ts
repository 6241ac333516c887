import { findExisting } from "../../changes/insert-unique.ts";
import type { Actor } from "../../changes/record-change.ts";
import type { Keyring } from "../../crypto/keyring.ts";
import type { Transaction } from "../../database/client.ts";
import { countryOfPhone } from "../../rules/contact.ts";
import { missingFields } from "../../rules/fields.ts";
import { isBlank } from "../../rules/text.ts";
import { BLACKLISTED_ISSUE, findBlacklisted, recheckBlacklisted } from "./customer.blacklisted-identity.ts";
import { CustomerAlreadyExists, InvalidCustomerData } from "./customer.errors.ts";
import { insertCustomers } from "./customer.insert.ts";
import { type CustomerInput, type CustomerValues, normaliseCustomer } from "./customer.rules.ts";

/**
 * Checks and completes a single registration: accountName defaults to the names, country to the phone's.
 * Throws InvalidCustomerData with every violation.
 */
export function completeCustomer(input: CustomerInput): CustomerValues {
  const { values, issues } = normaliseCustomer(input);
  issues.unshift(...missingFields(input, ["firstname", "lastname", "email"]));
  if (isBlank(input.country)) {
    const country = values.phone && countryOfPhone(values.phone);
    if (country) values.country = country;
    else if (!issues.some(({ field }) => field === "phone"))
      issues.push({ field: "country", message: "is required, unless the phone tells it" });
  }
  if (isBlank(input.accountName)) {
    const names = [values.firstname, values.middlename, values.lastname].filter(Boolean).join(" ");
    values.accountName = Array.from(names).slice(0, 200).join("").trim();
  }
  if (issues.length > 0) throw new InvalidCustomerData(issues);
  return values;
}

/**
 * Registers one customer under a new id in the caller's transaction. Throws CustomerAlreadyExists,
 * and InvalidCustomerData for a blacklisted identity, which an existing match goes before.
 */
export async function createCustomer(
  tx: Transaction,
  keyring: Keyring,
  actor: Actor,
  values: CustomerValues,
  now: Date,
  id: string,
): Promise<void> {
  const [refused] = await findBlacklisted(tx, keyring, actor, [values], now);
  const [result] = refused
    ? await findExisting(tx, actor, "customer", [values])
    : await insertCustomers(tx, keyring, actor, now, [values], () => id);
  if (!result) throw new InvalidCustomerData([BLACKLISTED_ISSUE]);
  if ("matchedOn" in result) throw new CustomerAlreadyExists(result.matchedOn);
  await recheckBlacklisted(tx, keyring, actor, [values], now);
}
