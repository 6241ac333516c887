import SchemaBuilder from "@pothos/core";
import ErrorsPlugin from "@pothos/plugin-errors";
import PrismaPlugin from "@pothos/plugin-prisma";
import ScopeAuthPlugin from "@pothos/plugin-scope-auth";
import { type Grants, hasGrant, lacking } from "../access/requirement.ts";
import type { Context } from "../context.ts";
import { Prisma } from "../database/generated/client.ts";
import type PrismaTypes from "../database/generated/pothos.ts";
import { getDatamodel } from "../database/generated/pothos.ts";
import { forbidden } from "./errors.ts";
import { requirementOfField } from "./field-facts.ts";

/** What the schema's types are made of. */
export interface SchemaTypes {
  Context: Context;
  PrismaTypes: PrismaTypes;
  DefaultFieldNullability: false;
  AuthScopes: Grants;
  Scalars: {
    ID: { Input: string; Output: string };
    DateTime: { Input: Date; Output: Date };
    EmailAddress: { Input: string; Output: string };
    URL: { Input: URL; Output: string | URL };
    CountryCode: { Input: string; Output: string };
    JSONObject: { Input: Record<string, unknown>; Output: Record<string, unknown> };
  };
}

/**
 * The one schema builder; every module adds its types and root fields to it.
 *
 * - prisma: a type's fields name the columns they need, and only those are read.
 * - errors: expected failures are thrown as classes of a closed list a field, and become members of
 *   the field's result union; anything else stays a masked fault.
 * - scope-auth: a root field names the scope that it needs; without it the answer is FORBIDDEN.
 */
export const builder = new SchemaBuilder<SchemaTypes>({
  plugins: [ErrorsPlugin, ScopeAuthPlugin, PrismaPlugin],
  defaultFieldNullability: false,
  prisma: {
    // A resolver gets its client from the context; the plugin needs one only for relations it loads.
    client: (context) => context.db,
    dmmf: getDatamodel(),
    // Loaders and lists make their own; a prepared query that is left unused is a fault, which its first test meets.
    onUnusedQuery: "error",
  },
  errors: { directResult: true },
  scopeAuth: {
    // Before a stream begins, not at each of its events.
    authorizeOnSubscribe: true,
    authScopes: ({ principal }) => ({
      scope: (scope) => hasGrant(principal, "scope", scope),
      operator: (scope) => hasGrant(principal, "operator", scope),
      visibility: (tier) => hasGrant(principal, "visibility", tier),
      audience: (audience) => hasGrant(principal, "audience", audience),
      notFor: (audience) => hasGrant(principal, "notFor", audience),
    }),
    unauthorizedError: (_parent, { principal }, { parentType, fieldName }) =>
      forbidden(lacking(principal, requirementOfField(parentType.getFields()[fieldName]!)) ?? "another scope"),
  },
});

/** The builder's own view of the types, for functions that take its references. */
export type Types = typeof builder extends PothosSchemaTypes.SchemaBuilder<infer T> ? T : never;

builder.queryType({ description: "Everything that can be read." });
builder.mutationType({
  description:
    "Everything that can be changed. Each field returns a union: what it made, or one of a closed list of errors, each of which the sandbox brings about when asked: docs/sandbox.md.",
});

builder.subscriptionType({ description: "Everything that can be followed, by server-sent events." });

/** The Prisma error for a violated unique index, told by its stable code. */
export function isUniqueViolation(error: unknown): boolean {
  return error instanceof Prisma.PrismaClientKnownRequestError && error.code === "P2002";
}
