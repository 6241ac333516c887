import { atMost, checkText, isBlank, Violation } from "./text.ts";

/** A device's id in its one form, Unicode NFC and trimmed, or the rule that it breaks: it has 1 to 255 characters. */
export function normalDeviceId(raw: string): string | Violation {
  return isBlank(raw) ? new Violation("is required") : checkText(raw, atMost(255));
}
