import { randomInt } from "node:crypto";
import { wordlist } from "@scure/bip39/wordlists/english.js";

const WORDS = 4;

/**
 * A random phrase: four of the 2,048 short, distinct English words of BIP-39 (44 bits), joined by
 * `-`. Uniqueness is the database's; whoever stores a phrase takes a new one when it is taken.
 */
export function randomPhrase(): string {
  return Array.from({ length: WORDS }, () => wordlist[randomInt(wordlist.length)]).join("-");
}
