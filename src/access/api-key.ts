import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import type { Mode } from "../database/generated/enums.ts";

/** The parts of a key as its bearer holds it: `cgw_<mode>_<id>_<secret>`. */
export interface ApiKeyParts {
  readonly mode: Mode;
  /** Public: 16 hex digits. */
  readonly id: string;
  /** 40 hex digits, 160 bits. */
  readonly secret: string;
}

const PATTERN = /^cgw_(sandbox|live)_([0-9a-f]{16})_([0-9a-f]{40})$/;

/** A new random key. The secret exists only in what this returns. */
export function generateApiKey(mode: Mode): { id: string; key: string; secretHash: Uint8Array<ArrayBuffer> } {
  const id = randomBytes(8).toString("hex");
  const secret = randomBytes(20).toString("hex");
  return { id, key: `cgw_${mode.toLowerCase()}_${id}_${secret}`, secretHash: hashSecret(secret) };
}

/** The parts of a key, or null for anything that is not one. */
export function parseApiKey(key: string): ApiKeyParts | null {
  const match = PATTERN.exec(key);
  if (!match) return null;
  const [, mode, id, secret] = match as unknown as [string, string, string, string];
  return { mode: mode === "live" ? "LIVE" : "SANDBOX", id, secret };
}

/** SHA-256 suffices for a secret of 160 random bits: there is nothing to guess slowly. */
export function hashSecret(secret: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(createHash("sha256").update(secret).digest());
}

/** Compares in constant time. */
export function secretMatches(secret: string, secretHash: Uint8Array): boolean {
  const actual = hashSecret(secret);
  return actual.length === secretHash.length && timingSafeEqual(actual, secretHash);
}
