import type { Actor } from "../../changes/record-change.ts";
import { timeOfWrite } from "../../changes/time-of-write.ts";
import type { Keyring } from "../../crypto/keyring.ts";
import type { Transaction } from "../../database/client.ts";
import { expireIfDue } from "./customer.blacklist.ts";
import { type ConsentInput, normaliseConsent } from "./customer.consent.rules.ts";
import { InvalidCustomerData } from "./customer.errors.ts";
import { changeCustomer, lockCustomer, requireVersion } from "./customer.write.ts";

export interface SetConsent {
  readonly id: string;
  /** Null withdraws it. */
  readonly consent?: ConsentInput | null;
  readonly expectedVersion?: number | null;
}

/**
 * Records what a customer agreed to, or that it agrees no more, in the caller's transaction. What is so already changes
 * nothing. Throws CustomerNotFound, InvalidCustomerData, VersionConflict.
 */
export async function setConsent(tx: Transaction, keyring: Keyring, actor: Actor, input: SetConsent, asked: Date): Promise<void> {
  if (input.consent === undefined) throw new InvalidCustomerData([{ field: "consent", message: "is required; null withdraws it" }]);
  const { values: consent, issues } = input.consent === null ? { values: null, issues: [] } : normaliseConsent(input.consent, asked);
  if (issues.length > 0) throw new InvalidCustomerData(issues);
  const held = await lockCustomer(tx, actor, input.id);
  const now = timeOfWrite(held, asked);
  requireVersion(held, input.expectedVersion);

  const data = {
    consentSource: consent?.source ?? null,
    consentAt: consent && new Date(consent.at),
    consentTextVersion: consent?.textVersion ?? null,
  };
  const { consentSource, consentAt, consentTextVersion } = held;
  if (JSON.stringify(data) === JSON.stringify({ consentSource, consentAt, consentTextVersion })) return;
  const customer = await expireIfDue(tx, keyring, actor, held, now);
  const type = consent ? "CONSENT_GIVEN" : "CONSENT_WITHDRAWN";
  await changeCustomer(tx, keyring, actor, customer, now, { type, data, changed: ["consent"] });
}
