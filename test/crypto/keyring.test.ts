import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { generateKeyringSecret, Keyring, parseKeyring, type Purpose, UndecipherableError } from "../../src/crypto/keyring.ts";

const PURPOSES: Purpose[] = ["cursor", "encryption", "blacklist", "idempotency", "audit"];
const [first, second, third] = [1, 2, 3].map((byte) => Buffer.alloc(32, byte)) as [Buffer, Buffer, Buffer];
const ring = new Keyring([first, second]);
const purpose = fc.constantFrom(...PURPOSES);
const text = fc.string({ unit: "binary", maxLength: 200 });

const refused = (open: () => string) => expect(open).toThrow(UndecipherableError);

describe("sealing", () => {
  test("what is sealed opens again, and never reads as it is", () => {
    fc.assert(
      fc.property(purpose, text, text, (use, secret, context) => {
        const sealed = ring.seal(use, secret, context);
        expect(ring.open(use, sealed, context)).toBe(secret);
        if (Buffer.byteLength(secret) > 3) expect(Buffer.from(sealed).includes(secret)).toBe(false);
      }),
    );
  });

  test("any flipped bit, any missing end and any added byte is refused", () => {
    fc.assert(
      fc.property(text, fc.nat(), fc.nat(), (secret, at, cut) => {
        const sealed = ring.seal("encryption", secret, "here");
        const flipped = Uint8Array.from(sealed);
        const bit = at % (flipped.length * 8);
        flipped[bit >> 3]! ^= 1 << (bit & 7);
        refused(() => ring.open("encryption", flipped, "here"));
        refused(() => ring.open("encryption", sealed.subarray(0, cut % sealed.length), "here"));
        refused(() => ring.open("encryption", Uint8Array.from([...sealed, 0]), "here"));
      }),
      { numRuns: 300 },
    );
  });

  test("every single bit counts", () => {
    const sealed = ring.seal("encryption", "0123456789", "here");
    for (let bit = 0; bit < sealed.length * 8; bit += 1) {
      const flipped = Uint8Array.from(sealed);
      flipped[bit >> 3]! ^= 1 << (bit & 7);
      refused(() => ring.open("encryption", flipped, "here"));
    }
  });

  test("another context, purpose or ring is refused", () => {
    fc.assert(
      fc.property(purpose, purpose, text, text, text, (use, otherUse, secret, context, otherContext) => {
        fc.pre(use !== otherUse && context !== otherContext);
        const sealed = ring.seal(use, secret, context);
        refused(() => ring.open(use, sealed, otherContext));
        refused(() => ring.open(otherUse, sealed, context));
        refused(() => new Keyring([second, third]).open(use, sealed, context));
        refused(() => new Keyring([third], [first]).open(use, sealed, context));
      }),
    );
  });

  test("the same text twice is two texts, but for cursors that ask for one", () => {
    for (const use of PURPOSES) expect(ring.seal(use, "text", "here")).not.toEqual(ring.seal(use, "text", "here"));
    const cursor = (content: string, context: string) =>
      Buffer.from(ring.seal("cursor", content, context, { deterministic: true })).toString("hex");
    expect(cursor("text", "here")).toBe(cursor("text", "here"));
    expect(
      new Set([cursor("text", "here"), cursor("text", "there"), cursor("next", "here")].map((sealed) => sealed.slice(8, 32))).size,
    ).toBe(3);
    for (const use of PURPOSES.filter((one) => one !== "cursor"))
      expect(() => ring.seal(use, "text", "here", { deterministic: true })).toThrow("never sealed");
  });
});

describe("rotation", () => {
  test("the newest key seals, every key opens, and resealing moves to the newest", () => {
    const old = new Keyring([second]).seal("encryption", "text", "here");
    expect(ring.open("encryption", old, "here")).toBe("text");
    const anew = ring.reseal("encryption", old, "here")!;
    expect(new Keyring([first]).open("encryption", anew, "here")).toBe("text");
    expect(ring.reseal("encryption", old, "there")).toBeNull();
    expect(new Keyring([first]).reseal("encryption", old, "here")).toBeNull();
  });

  test("hashes name their key; kept keys recognise the hashes that last, and no others", () => {
    const rotated = new Keyring([first], [second]);
    for (const use of ["blacklist", "audit"] as const) expect(rotated.hashes(use, "text")).toEqual(ring.hashes(use, "text"));
    expect(rotated.hashes("idempotency", "text")).toEqual(ring.hashes("idempotency", "text").slice(0, 1));
    expect(ring.hashes("blacklist", "text").map((hash) => Buffer.from(hash).toString("hex").slice(0, 8))).toEqual(ring.ids);
    expect(new Set(PURPOSES.map((use) => Buffer.from(ring.hashes(use, "text")[0]!).toString("hex"))).size).toBe(PURPOSES.length);
  });

  test("a ring is read from text, or refused without a value in the sentence", () => {
    const [one, two] = [generateKeyringSecret(), generateKeyringSecret()];
    expect(parseKeyring(`${one}, kept:${two}`).ids).toHaveLength(1);
    expect(parseKeyring(`${one}\nkept:${two}`).hashIds).toEqual(parseKeyring(`${one},${two}`).ids);
    expect(() => parseKeyring(`${one},${one}`)).toThrow("a key stands in it twice");
    expect(() => parseKeyring(`${one},kept:${one}`)).toThrow("a key stands in it twice");
    expect(() => parseKeyring(`kept:${one}`)).toThrow("no key that seals");
    expect(() => parseKeyring("")).toThrow("no key that seals");
    expect(() => parseKeyring(`${one},short`)).toThrow(/^key 2 is not base64 of at least 32 bytes$/);
  });
});
