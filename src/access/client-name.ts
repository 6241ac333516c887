import type { Audience } from "../database/generated/enums.ts";

const MAX_LENGTH = 100;

/** Whether a text can be a client's name. */
export function isClientName(text: string): boolean {
  return text.length <= MAX_LENGTH && /^[\w.-]+$/.test(text);
}

/** Why a key of an audience cannot belong to a client of this name, or null when it can; null and undefined: to none. */
export function clientProblem(audience: Audience, name: string | null | undefined): string | null {
  if (name == null) return audience === "PARTNER" ? "is required for a PARTNER, whose documents are the client's" : null;
  if (isClientName(name)) return null;
  return `must be letters, digits, dots, dashes and underscores, at most ${MAX_LENGTH}`;
}
