/** What is true of every text that a client gives: what is blank, how long it is, what can be stored. */

/** Why a value is refused: the rule that it breaks, never the value. */
export class Violation {
  readonly message: string;
  constructor(message: string) {
    this.message = message;
  }
}

/** Whether a text says nothing: absent, empty, or only spaces and invisible signs. */
export function isBlank(value: string | null | undefined): boolean {
  return value == null || /^[\s\p{Cf}\p{Default_Ignorable_Code_Point}\u2800]*$/u.test(value);
}

/** Whether a text has more than `max` characters. A character is a code point: an emoji is one, not two. */
export function isLonger(value: string, max: number): boolean {
  return value.length > max && (value.length > 2 * max || Array.from(value).length > max);
}

/**
 * Whether a text can be stored and shown: no NUL or other control sign, no lone surrogate, nothing that
 * turns the reading direction of what stands around it. Line breaks pass where several lines make sense.
 */
export function isStorable(value: string, { multiline = false } = {}): boolean {
  const line = multiline ? value.replace(/[\t\r\n]/g, "") : value;
  return line.isWellFormed() && !/[\p{Cc}\u202a-\u202e\u2066-\u2069]/u.test(line);
}

const CONTROL = new Violation("must not contain control characters");

/** What a rule makes of a text that is not blank, in Unicode NFC and trimmed. */
export function checkText(raw: string, rule: (value: string) => string | Violation, { multiline = false } = {}): string | Violation {
  return isStorable(raw, { multiline }) ? rule(raw.normalize("NFC").trim()) : CONTROL;
}

/** The rule that a text has at most `max` characters. */
export const atMost =
  (max: number) =>
  (value: string): string | Violation =>
    isLonger(value, max) ? new Violation(`must be at most ${max} characters`) : value;
