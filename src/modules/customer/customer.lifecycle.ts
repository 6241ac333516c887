import type { CustomerFieldName } from "../../access/visibility.ts";
import type { Customer } from "../../database/generated/client.ts";
import type { CustomerLifecycle } from "../../database/generated/enums.ts";
import { isBlacklisted } from "./customer.policy.ts";

/** What a customer's lifecycle is made of. */
export type LifecycleFacts = Pick<Customer, "consentAt" | "deviceCount" | "blacklisted" | "blacklistExpiresAt">;

/**
 * How far a customer has come at a moment: each step stands on those before it, so a device counts for nothing without
 * consent. Source: the source documents, "Customer Lifecycle"; contract §4.
 */
export function lifecycleOf(customer: LifecycleFacts, now: Date): CustomerLifecycle {
  if (customer.consentAt === null) return "REGISTERED";
  if (customer.deviceCount === 0) return "ONBOARDED";
  return isBlacklisted(customer, now) ? "DEVICE_LINKED" : "PAYMENTS_ENABLED";
}

/** Whether a customer can pay: not without consent, not without a device, not while blacklisted. */
export function arePaymentsEnabled(customer: LifecycleFacts, now: Date): boolean {
  return lifecycleOf(customer, now) === "PAYMENTS_ENABLED";
}

/** The fields of a customer's lifecycle that a write changed. */
export function lifecycleChanged(before: CustomerLifecycle, after: CustomerLifecycle): CustomerFieldName[] {
  if (before === after) return [];
  return [before, after].includes("PAYMENTS_ENABLED") ? ["lifecycle", "paymentsEnabled"] : ["lifecycle"];
}
