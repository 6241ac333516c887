/** The tenant that runs the gateway: where its keys and its own audit stand. */
export const OPERATOR = { id: "operator", kind: "OPERATOR", name: "Operator" } as const;

const MAX_LENGTH = 40;

/** What a bank's id must be, as refusals say it. */
export const BANK_ID_RULE = `must be lower-case letters, digits and single dashes, at most ${MAX_LENGTH}, and not ${OPERATOR.id}`;

/** Whether a text can be a bank's id. The operator's is taken: a bank of that name would read the gateway's own audit. */
export function isBankId(text: string): boolean {
  return /^[a-z0-9]+(-[a-z0-9]+)*$/.test(text) && text.length <= MAX_LENGTH && text !== OPERATOR.id;
}
