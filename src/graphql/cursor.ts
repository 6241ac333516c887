import { UndecipherableError, type Keyring } from "../crypto/keyring.ts";
import { gatewayError } from "./errors.ts";

/** The values of a row that place it in its list: the order's key, if any, and what breaks ties. */
export type CursorKey = readonly (string | number)[];

/**
 * Seals and opens the cursors of one list. A cursor is encrypted and bound to its list, so that it
 * can neither be read nor forged, and in another tenant, mode, parent, filter or order it is
 * BAD_CURSOR. Equal positions give equal cursors, in every process that shares the keyring.
 */
export interface Cursors {
  seal(key: CursorKey): string;
  /** The key, or undefined when there is no cursor. Throws BAD_CURSOR. */
  open(cursor: string | null | undefined): CursorKey | undefined;
}

/** Longer than any cursor that this gateway makes. */
const MAX_CURSOR_LENGTH = 2048;

/** `list` is all that decides the list's content and order: it is authenticated with each cursor. */
export function cursorsOf(keyring: Keyring, list: unknown): Cursors {
  // Most lists are never asked for a cursor.
  let text: string | undefined;
  const context = () => (text ??= stableJson(list));
  return {
    seal: (key) => Buffer.from(keyring.seal("cursor", JSON.stringify(key), context(), { deterministic: true })).toString("base64url"),
    open(cursor) {
      if (cursor == null) return undefined;
      try {
        if (cursor.length > MAX_CURSOR_LENGTH) throw new UndecipherableError();
        const sealed = Buffer.from(cursor, "base64url");
        // The decoder overlooks strange letters and spare bits: a position has one cursor, not several.
        if (sealed.toString("base64url") !== cursor) throw new UndecipherableError();
        return JSON.parse(keyring.open("cursor", sealed, context())) as CursorKey;
      } catch (error) {
        if (!(error instanceof UndecipherableError)) throw error;
        throw gatewayError("BAD_CURSOR", "This cursor does not belong to this list, filter and order.");
      }
    },
  };
}

/** JSON with sorted keys and without undefined or null members, so that equal inputs give equal texts. */
export function stableJson(value: unknown): string {
  return JSON.stringify(sorted(value));
}

/** The value as JSON would have it, in plain objects: what JSON.stringify writes without a call back for each member. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (value === null || typeof value !== "object") return value;
  if ("toJSON" in value && typeof value.toJSON === "function") return sorted(value.toJSON());
  const members = value as Record<string, unknown>;
  const plain: Record<string, unknown> = {};
  for (const name of Object.keys(members).sort()) if (members[name] != null) plain[name] = sorted(members[name]);
  return plain;
}
