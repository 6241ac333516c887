import type { Keyring } from "../../crypto/keyring.ts";
import type { Device } from "../../database/generated/client.ts";

/** Columns that are derived from others, so that lists can be sorted and searched by an index. */

/** The sort key of ACCOUNT_NAME: the name case-folded, compared byte by byte (COLLATE "C"). */
export function accountNameKey(accountName: string): string {
  return accountName.normalize("NFC").toLowerCase();
}

/** What `search` looks in: the name's words without accents or case, each led by a space. */
export function searchKey(accountName: string): string {
  return wordsOf(accountName)
    .map((word) => ` ${word}`)
    .join("");
}

/** Letters that Unicode does not take apart into a base and a mark, as people type them who have no key for them. */
const PLAIN: Record<string, string> = {
  ß: "ss",
  æ: "ae",
  œ: "oe",
  ø: "o",
  ð: "d",
  þ: "th",
  đ: "d",
  ħ: "h",
  ı: "i",
  ł: "l",
  ŧ: "t",
  ɓ: "b",
  ɗ: "d",
  ƙ: "k",
  ƴ: "y",
  ς: "σ",
};
const NOT_PLAIN = new RegExp(`[${Object.keys(PLAIN).join("")}]`, "g");

/** The words of a text, folded as the search key is: letters and digits only, without accents or case. */
export function wordsOf(text: string): string[] {
  const folded = text
    .normalize("NFKD")
    .replace(/\p{M}/gu, "")
    .toLowerCase()
    .replace(NOT_PLAIN, (letter) => PLAIN[letter]!);
  return folded.match(/[\p{L}\p{N}]+/gu) ?? [];
}

/** What binds an encrypted column to its place: moved to another row, it no longer opens. */
export function columnContext(row: { bankId: string; mode: string; id: string }, column: string): string {
  return `${row.bankId}|${row.mode}|${row.id}|${column}`;
}

/** What a blacklisted identity is hashed from. Within one bank and mode: nothing crosses either. */
export function identityText(row: { bankId: string; mode: string }, kind: "email" | "phone", value: string): string {
  return `${row.bankId}|${row.mode}|${kind}|${value}`;
}

/** What a device's id is hashed from: it is linked once within one bank and mode. */
export function deviceText(row: { bankId: string; mode: string }, deviceId: string): string {
  return `${row.bankId}|${row.mode}|${deviceId}`;
}

/** A device's id as it was linked. */
export function openDeviceId(keyring: Keyring, device: Pick<Device, "bankId" | "mode" | "id" | "deviceId">): string {
  return keyring.open("encryption", device.deviceId, columnContext(device, "deviceId"));
}
