import { z } from "zod";
import { Audience, Mode } from "../database/generated/enums.ts";
import { isLoopback } from "../http/loopback.ts";
import { BANK_ID_RULE, isBankId } from "./bank-id.ts";
import { isScope } from "./scopes.ts";

/** How the messages below begin: they follow the name of the field. */
const missingOr = (otherwise: string) => ({ error: ({ input }: { input?: unknown }) => (input === undefined ? "is missing" : otherwise) });

const text = z.string(missingOr("must be a text"));

const object = <Shape extends z.core.$ZodLooseShape>(shape: Shape) =>
  z.strictObject(shape, {
    error: (issue) =>
      issue.code === "unrecognized_keys" ? `has a field that is not known: ${issue.keys.join(", ")}` : "must be an object",
  });

/**
 * Where a part of the principal comes from: a fixed value, or a claim, whose values can be mapped to ours. What is
 * written here is checked here, since a slip would only show as a refused token.
 */
const source = <Value extends z.ZodType<string | string[]>>(value: Value) =>
  z.union(
    [object({ value }), object({ claim: text, map: z.record(z.string(), value).optional() })],
    missingOr("must be an object with a `value`, or with a `claim` and, if need be, a `map`"),
  );

const scope = text.refine((name): boolean => isScope(name) && name !== "banks:manage", "must be a scope, and not the operator's own");

/**
 * One issuer that is trusted: what its tokens must be, and how their claims become a principal. Asymmetric
 * algorithms only, so that the key that verifies cannot sign.
 */
const issuerSchema = object({
  issuer: text.pipe(z.url("must be a URL")),
  /** What the token must be meant for. */
  audience: text.min(1, "must not be empty"),
  /** Where the issuer publishes its keys. Who could change them on the way would be whoever it liked. */
  jwks: text.refine(isTrustworthy, "must be an https:// address, or an http:// one of this machine"),
  algorithms: z
    .array(
      z.enum(["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"], "must be an asymmetric algorithm"),
    )
    .min(1, "must name one")
    .default(["RS256", "ES256"]),
  bank: source(text.refine(isBankId, BANK_ID_RULE)),
  mode: source(text.refine((name) => Object.hasOwn(Mode, name.toUpperCase()), "must be sandbox or live")),
  audienceOf: source(text.refine((name) => Object.hasOwn(Audience, name), `must be one of ${Object.keys(Audience).join(", ")}`)).default({
    value: "INTERNAL",
  }),
  scopes: source(z.union([scope, z.array(scope)], "must be a scope or a list of scopes")),
});

/** All of them: each once, since a token is matched by its issuer alone. */
export const jwtIssuersSchema = z
  .array(issuerSchema, "must be a list")
  .min(1, "must name an issuer")
  .superRefine((issuers, context) => {
    issuers.forEach(({ issuer }, index) => {
      if (issuers.findIndex((other) => other.issuer === issuer) === index) return;
      context.addIssue({ code: "custom", path: [index, "issuer"], message: "must not be that of an entry before it" });
    });
  });

export type JwtIssuer = z.infer<typeof issuerSchema>;
export type Source = JwtIssuer["bank"] | JwtIssuer["scopes"];

/** The banks that a configuration names itself, as against those that only a token names. */
export function namedBanks(issuers: readonly JwtIssuer[]): string[] {
  return [...new Set(issuers.flatMap(({ bank }) => ("value" in bank ? [bank.value] : Object.values(bank.map ?? {}))))];
}

function isTrustworthy(address: string): boolean {
  const url = URL.parse(address);
  return url?.protocol === "https:" || (url?.protocol === "http:" && isLoopback(url.hostname));
}
