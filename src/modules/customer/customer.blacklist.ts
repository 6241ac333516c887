import type { Actor, Change } from "../../changes/record-change.ts";
import { timeOfWrite } from "../../changes/time-of-write.ts";
import { within } from "../../access/principal.ts";
import type { Keyring } from "../../crypto/keyring.ts";
import type { Transaction } from "../../database/client.ts";
import type { BlacklistEntry, Customer } from "../../database/generated/client.ts";
import type { BlacklistReason } from "../../database/generated/enums.ts";
import { noteContext } from "./customer.blacklist-entry.ts";
import { rememberIdentity } from "./customer.blacklisted-identity.ts";
import { InvalidCustomerData } from "./customer.errors.ts";
import { isBlacklisted } from "./customer.policy.ts";
import type { Issue } from "../../graphql/issue.ts";
import { isBlank, isLonger, isStorable } from "../../rules/text.ts";
import { changeCustomer, lockCustomer, requireVersion } from "./customer.write.ts";

export interface SetBlacklist {
  id: string;
  blacklisted: boolean;
  reason?: BlacklistReason | null;
  note?: string | null;
  expiresAt?: Date | null;
  expectedVersion?: number | null;
}

const MAX_NOTE = 1000;
const LATEST = new Date("9999-12-31T23:59:59.999Z");

/**
 * Puts a customer on the blacklist or takes it off, in the caller's transaction. Saying what is already
 * so changes nothing and writes no history; what is left out of a repeated entry stays as it is.
 * Throws CustomerNotFound, InvalidCustomerData, VersionConflict.
 */
export async function setBlacklist(tx: Transaction, keyring: Keyring, actor: Actor, input: SetBlacklist, asked: Date): Promise<void> {
  const issues = inputIssues(input, asked);
  if (issues.length > 0) throw new InvalidCustomerData(issues);
  let customer = await lockCustomer(tx, actor, input.id);
  const now = timeOfWrite(customer, asked);
  requireVersion(customer, input.expectedVersion);
  customer = await expireIfDue(tx, keyring, actor, customer, now);

  const entry = await tx.blacklistEntry.findFirst({ where: { ...within(actor), customerId: customer.id, endedAt: null } });
  if (!input.blacklisted) {
    if (entry) await change(tx, keyring, actor, customer, now, { type: "UNBLACKLISTED", reason: input.reason ?? null }, null);
    return;
  }
  const current = entry && {
    reason: entry.reason,
    note: entry.note && keyring.open("encryption", entry.note, noteContext(entry)),
    expiresAt: entry.expiresAt,
  };
  const wanted = {
    reason: input.reason ?? current?.reason ?? "OTHER",
    note: input.note === undefined ? (current?.note ?? null) : isBlank(input.note) ? null : input.note!.normalize("NFC").trim(),
    expiresAt: input.expiresAt === undefined ? (current?.expiresAt ?? null) : input.expiresAt,
  };
  const same =
    current &&
    current.reason === wanted.reason &&
    current.note === wanted.note &&
    current.expiresAt?.getTime() === wanted.expiresAt?.getTime();
  if (same) return;

  const event = { type: "BLACKLISTED", reason: wanted.reason, expiresAt: wanted.expiresAt } as const;
  const { version } = await change(tx, keyring, actor, customer, now, event, wanted);
  const place = { ...within(actor), customerId: customer.id, version };
  await tx.blacklistEntry.create({
    data: {
      ...place,
      ...wanted,
      note: wanted.note === null ? null : keyring.seal("encryption", wanted.note, noteContext(place)),
      actor: actor.keyId,
      since: now,
    },
  });
  await rememberIdentity(tx, keyring, actor, customer, wanted.expiresAt);
}

/**
 * Records that an entry has run out, if it has; the customer as it is afterwards. Reading counts the
 * expiry at once, so this only makes it part of history.
 */
export async function expireIfDue(tx: Transaction, keyring: Keyring, actor: Actor, customer: Customer, now: Date): Promise<Customer> {
  if (!customer.blacklisted || isBlacklisted(customer, now)) return customer;
  return change(tx, keyring, actor, customer, timeOfWrite(customer, now), { type: "BLACKLIST_EXPIRED" }, null);
}

/** The write that every transition shares: close the entry in force, set the customer's flags, record it. The customer as it is then. */
async function change(
  tx: Transaction,
  keyring: Keyring,
  actor: Actor,
  customer: Customer,
  now: Date,
  event: Pick<Change, "type" | "reason" | "expiresAt">,
  entry: Pick<BlacklistEntry, "expiresAt"> | null,
): Promise<Customer> {
  const place = { ...within(actor), customerId: customer.id };
  await tx.blacklistEntry.updateMany({ where: { ...place, endedAt: null }, data: { endedAt: now } });
  if (!entry) await tx.blacklistedIdentity.deleteMany({ where: place });
  const data = { blacklisted: entry !== null, blacklistExpiresAt: entry?.expiresAt ?? null };
  return changeCustomer(tx, keyring, actor, customer, now, { ...event, data, changed: ["blacklisted", "blacklist"] });
}

function inputIssues({ blacklisted, note, expiresAt }: SetBlacklist, now: Date): Issue[] {
  const issues: Issue[] = [];
  if (note != null) {
    if (!blacklisted) issues.push({ field: "note", message: "goes only with blacklisted: true" });
    if (isLonger(note, MAX_NOTE)) issues.push({ field: "note", message: `must be at most ${MAX_NOTE} characters` });
    else if (!isStorable(note, { multiline: true })) issues.push({ field: "note", message: "must not contain control characters" });
  }
  if (expiresAt != null) {
    if (!blacklisted) issues.push({ field: "expiresAt", message: "goes only with blacklisted: true" });
    if (expiresAt <= now || expiresAt > LATEST) issues.push({ field: "expiresAt", message: "must be in the future" });
  }
  return issues;
}
