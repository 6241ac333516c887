import { isClientName } from "../../access/client-name.ts";
import type { Mode } from "../../database/generated/enums.ts";

/** The condition for a bank's clients in a mode: those that have a key in it, or had one. */
export function clientsIn({ bankId, mode }: { bankId: string; mode: Mode }) {
  return { tenantId: bankId, keys: { some: { mode } } };
}

/** The same for the one of this name. What can be no name is not sent: PostgreSQL takes no NUL. */
export function clientNamed(place: { bankId: string; mode: Mode }, name: string) {
  return { ...clientsIn(place), name: isClientName(name) ? name : { in: [] as string[] } };
}
