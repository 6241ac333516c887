import type { Actor } from "../../changes/record-change.ts";
import { timeOfWrite } from "../../changes/time-of-write.ts";
import { within } from "../../access/principal.ts";
import type { Keyring } from "../../crypto/keyring.ts";
import type { Transaction } from "../../database/client.ts";
import { isUniqueViolation } from "../../graphql/builder.ts";
import { missingFields } from "../../rules/fields.ts";
import { expireIfDue } from "./customer.blacklist.ts";
import { BLACKLISTED_ISSUE, findBlacklisted, rememberIdentity } from "./customer.blacklisted-identity.ts";
import { accountNameKey, searchKey } from "./customer.columns.ts";
import { CustomerAlreadyExists, InvalidCustomerData } from "./customer.errors.ts";
import { isBlacklisted } from "./customer.policy.ts";
import { type CustomerInput, type CustomerInputField, type CustomerValues, normaliseCustomer } from "./customer.rules.ts";
import { changeCustomer, lockCustomer, requireVersion } from "./customer.write.ts";

export interface UpdateCustomer {
  readonly id: string;
  readonly expectedVersion?: number | null;
  readonly update: Omit<CustomerInput, "consent">;
}

/** Fields that every customer has: they can be changed, never cleared. */
const REQUIRED: CustomerInputField[] = ["firstname", "lastname", "accountName", "email"];

/**
 * Updates a customer in the caller's transaction. Values that are already so change nothing: no new
 * version, no history. Throws CustomerNotFound, VersionConflict, InvalidCustomerData with every
 * violation, CustomerAlreadyExists.
 */
export async function updateCustomer(tx: Transaction, keyring: Keyring, actor: Actor, input: UpdateCustomer, asked: Date): Promise<void> {
  let customer = await lockCustomer(tx, actor, input.id);
  const now = timeOfWrite(customer, asked);
  requireVersion(customer, input.expectedVersion);

  const { values, issues } = normaliseCustomer(input.update, customer.country);
  const given = REQUIRED.filter((field) => input.update[field] !== undefined);
  issues.push(...missingFields(input.update, given));
  if (issues.length > 0) throw new InvalidCustomerData(issues);

  const before = customer;
  const changed = (Object.keys(values) as (keyof CustomerValues)[]).filter(
    (field) => values[field] !== (before as Record<string, unknown>)[field],
  );
  const { email, phone } = values;
  if (email && changed.includes("email")) {
    const taken = await tx.customer.findFirst({ where: { ...within(actor), email, id: { not: customer.id } }, select: { id: true } });
    if (taken) throw new CustomerAlreadyExists("email");
  }
  // Also of values that are so already: else whoever can have a value blacklisted would learn whose it is.
  const [refused] = await findBlacklisted(tx, keyring, actor, [{ email, phone }], now, customer.id);
  if (refused) throw new InvalidCustomerData([BLACKLISTED_ISSUE]);
  if (changed.length === 0) return;
  customer = await expireIfDue(tx, keyring, actor, customer, now);

  const data = Object.fromEntries(changed.map((field) => [field, values[field]]));
  if (values.accountName)
    Object.assign(data, { accountNameKey: accountNameKey(values.accountName), searchKey: searchKey(values.accountName) });
  try {
    customer = await changeCustomer(tx, keyring, actor, customer, now, { type: "UPDATED", data, changed });
  } catch (error) {
    // Of all that an update can set, only the e-mail is unique: another writer has just taken it.
    if (isUniqueViolation(error)) throw new CustomerAlreadyExists("email");
    throw error;
  }
  if (isBlacklisted(customer, now)) await rememberIdentity(tx, keyring, actor, customer, customer.blacklistExpiresAt);
}
