import { createCipheriv, createDecipheriv, createHmac, createSecretKey, hkdfSync, type KeyObject, randomBytes } from "node:crypto";

/** What a derived key is for. Two purposes never share a key. */
export type Purpose = "cursor" | "encryption" | "blacklist" | "idempotency" | "audit" | "device" | "discovery";

/** Purposes whose hashes outlast the keys that open and seal. */
const LASTING: readonly Purpose[] = ["blacklist", "audit"];

/** An AES-256-GCM text that is not ours, was changed, or was moved from where it belongs. */
export class UndecipherableError extends Error {}

const KEY_ID_BYTES = 4;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const MIN_SECRET_BYTES = 32;

interface Key {
  /** 8 hex digits, derived from the secret: it leads every text and hash that the key made. */
  readonly id: string;
  readonly idBytes: Uint8Array;
  readonly derive: (purpose: Purpose | `${Purpose}-nonce`) => KeyObject;
}

/**
 * The secret keys of the gateway, newest first. Everything is derived from them by HKDF-SHA256, one
 * key a purpose. The newest seals and hashes; every one opens and recognises, so that a key can be
 * put in front while older texts still read. Keys that are kept open nothing; they only recognise
 * hashes that last and cannot be made anew: those of the blacklist and of the audit.
 */
export class Keyring {
  readonly #keys: Key[];
  readonly #kept: Key[];

  /** Throws an Error when there is no key, or two have one id. */
  constructor(secrets: readonly Uint8Array[], kept: readonly Uint8Array[] = []) {
    if (secrets.length === 0) throw new Error("it holds no key that seals");
    this.#keys = secrets.map(deriveKey);
    this.#kept = kept.map(deriveKey);
    const ids = this.hashIds;
    if (new Set(ids).size < ids.length) throw new Error("a key stands in it twice");
  }

  /** The ids of the keys that open, newest first. */
  get ids(): string[] {
    return this.#keys.map(({ id }) => id);
  }

  /** The ids of the keys that recognise lasting hashes: those that open, and then those that are kept. */
  get hashIds(): string[] {
    return [...this.#keys, ...this.#kept].map(({ id }) => id);
  }

  /**
   * Encrypts with AES-256-GCM: key id, nonce, ciphertext, tag. `context` is authenticated with it and
   * must be given again to open. With `deterministic` the nonce is a MAC of context and text, so that
   * equal input gives equal output: for cursors, whose bytes should not change from page to page, and for
   * nothing else, since it tells which texts are equal.
   */
  seal(purpose: Purpose, text: string, context: string, { deterministic = false } = {}): Uint8Array<ArrayBuffer> {
    if (deterministic && purpose !== "cursor") throw new Error(`${purpose} is never sealed deterministically`);
    const { idBytes, derive } = this.#keys[0]!;
    const key = derive(purpose);
    const nonce = deterministic
      ? createHmac("sha256", derive(`${purpose}-nonce`))
          .update(JSON.stringify([context, text]))
          .digest()
          .subarray(0, NONCE_BYTES)
      : freshNonce();
    const cipher = createCipheriv("aes-256-gcm", key, nonce).setAAD(Buffer.from(context));
    return joined([idBytes, nonce, cipher.update(text, "utf8"), cipher.final(), cipher.getAuthTag()]);
  }

  /** Opens what `seal` made with the same purpose and context, or throws UndecipherableError. */
  open(purpose: Purpose, sealed: Uint8Array, context: string): string {
    const bytes = Buffer.from(sealed);
    const id = bytes.subarray(0, KEY_ID_BYTES).toString("hex");
    const key = this.#keys.find((candidate) => candidate.id === id);
    if (!key || bytes.length < KEY_ID_BYTES + NONCE_BYTES + TAG_BYTES) throw new UndecipherableError();
    const nonce = bytes.subarray(KEY_ID_BYTES, KEY_ID_BYTES + NONCE_BYTES);
    try {
      const decipher = createDecipheriv("aes-256-gcm", key.derive(purpose), nonce)
        .setAAD(Buffer.from(context))
        .setAuthTag(bytes.subarray(-TAG_BYTES));
      const body = bytes.subarray(KEY_ID_BYTES + NONCE_BYTES, -TAG_BYTES);
      return Buffer.concat([decipher.update(body), decipher.final()]).toString("utf8");
    } catch {
      throw new UndecipherableError();
    }
  }

  /** What `open` opens; null when it does not open. */
  tryOpen(purpose: Purpose, sealed: Uint8Array, context: string): string | null {
    try {
      return this.open(purpose, sealed, context);
    } catch (error) {
      if (error instanceof UndecipherableError) return null;
      throw error;
    }
  }

  /** What was sealed, sealed anew by the newest key; null when it does not open. */
  reseal(purpose: Purpose, sealed: Uint8Array, context: string): Uint8Array<ArrayBuffer> | null {
    const text = this.tryOpen(purpose, sealed, context);
    return text === null ? null : this.seal(purpose, text, context);
  }

  /** The keyed hash by every key, newest first, each led by its key's id: what a text may have been stored as. */
  hashes(purpose: Purpose, text: string): Uint8Array<ArrayBuffer>[] {
    const keys = LASTING.includes(purpose) ? [...this.#keys, ...this.#kept] : this.#keys;
    return keys.map(({ idBytes, derive }) => joined([idBytes, createHmac("sha256", derive(purpose)).update(text).digest()]));
  }
}

/** One array of its own: a Buffer may be a view of the pool that all small ones share. */
function joined(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

let nonces = Buffer.alloc(0);

/** A random nonce. They are drawn many at once: a call of the system for each took longer than the encryption. */
function freshNonce(): Uint8Array {
  if (nonces.length === 0) nonces = randomBytes(256 * NONCE_BYTES);
  const nonce = nonces.subarray(0, NONCE_BYTES);
  nonces = nonces.subarray(NONCE_BYTES);
  return nonce;
}

function deriveKey(secret: Uint8Array): Key {
  const derive = (info: string, length: number) => Buffer.from(hkdfSync("sha256", secret, "customer-gateway", info, length));
  // As key objects: given bytes, Node makes one anew at each call, which takes longer than the hash itself.
  const cache = new Map<string, KeyObject>();
  const idBytes = derive("key-id", KEY_ID_BYTES);
  return {
    id: idBytes.toString("hex"),
    idBytes,
    derive(purpose) {
      let key = cache.get(purpose);
      if (!key) cache.set(purpose, (key = createSecretKey(derive(purpose, 32))));
      return key;
    },
  };
}

/** What leads a key of `GATEWAY_KEYRING` that is kept for lasting hashes alone. */
const KEPT = "kept:";

/**
 * Reads `GATEWAY_KEYRING`: base64 or base64url secrets of at least 32 bytes, separated by commas or
 * white space; those led by `kept:` only recognise lasting hashes. Throws an Error that
 * says which one is wrong, never its value.
 */
export function parseKeyring(text: string): Keyring {
  const parts = text.split(/[\s,]+/).filter(Boolean);
  const secrets = parts.map((part, index) => {
    const encoded = part.startsWith(KEPT) ? part.slice(KEPT.length) : part;
    const bytes = Buffer.from(encoded, "base64");
    if (!/^[A-Za-z0-9+/_-]+=*$/.test(encoded) || bytes.length < MIN_SECRET_BYTES) {
      throw new Error(`key ${index + 1} is not base64 of at least ${MIN_SECRET_BYTES} bytes`);
    }
    return bytes;
  });
  const isKept = (index: number) => parts[index]!.startsWith(KEPT);
  return new Keyring(
    secrets.filter((_, index) => !isKept(index)),
    secrets.filter((_, index) => isKept(index)),
  );
}

/** A new secret in the form that `parseKeyring` reads. */
export function generateKeyringSecret(): string {
  return randomBytes(32).toString("base64url");
}
