import { type Principal, within } from "../access/principal.ts";
import type { Mode } from "../database/generated/enums.ts";
import { GATEWAY_PLACE } from "./entry.ts";

/** Where the entries of a principal stand, and where it may read: its bank and mode. The operator has no modes: LIVE. */
export function auditPlace(principal: Pick<Principal, "tenantId" | "mode"> & Partial<Pick<Principal, "tenantKind">>): {
  bankId: string;
  mode: Mode;
} {
  const place = within(principal);
  return principal.tenantKind === "OPERATOR" ? { ...place, mode: GATEWAY_PLACE.mode } : place;
}
