import type { Principal } from "../../access/principal.ts";
import type { BatchErrorCode } from "../../database/generated/enums.ts";
import { ASKED_FOR } from "../../graphql/failure.ts";
import { magicId, magicIn } from "../../sandbox/magic.ts";
import type { Refusal } from "./batch.failure.ts";

/** What a refusal looks like that the sandbox is asked for. */
const REFUSALS: Record<BatchErrorCode, (index: number, matchedOn: string) => Refusal> = {
  INVALID_DATA: () => ({ code: "INVALID_DATA", issues: [ASKED_FOR] }),
  VALIDATION_ERROR: () => ({ code: "VALIDATION_ERROR", issues: [ASKED_FOR] }),
  DUPLICATE_IN_BATCH: (index, matchedOn) => ({ code: "DUPLICATE_IN_BATCH", matchedOn, firstIndex: Math.max(index - 1, 0) }),
  EXISTING_CUSTOMER: (_index, matchedOn) => ({ code: "EXISTING_CUSTOMER", matchedOn, existingId: magicId("CUSTOMER_NOT_FOUND")! }),
};

/** The refusal that a magic value in a row asks for, on the key that the kind of batch compares first; null: none. */
export function magicRefusal(by: Pick<Principal, "mode">, row: object, index: number, matchedOn: string): Refusal | null {
  const code = [...magicIn(by, () => row)].find((one): one is BatchErrorCode => Object.hasOwn(REFUSALS, one));
  return code ? REFUSALS[code](index, matchedOn) : null;
}
