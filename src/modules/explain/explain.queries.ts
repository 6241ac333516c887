import { createPrincipal, type Principal } from "../../access/principal.ts";
import { lacking } from "../../access/requirement.ts";
import { identityOf, managedKey, WITH_BEARER } from "../../access/key-identity.ts";
import type { WithheldField } from "../../access/redaction.ts";
import type { Context } from "../../context.ts";
import { builder } from "../../graphql/builder.ts";
import { badUserInput, forbidden } from "../../graphql/errors.ts";
import { facts } from "../../graphql/field-facts.ts";
import { readDocument } from "../../limits/read-document.ts";
import { type Analysis, analyse, type ForbiddenField } from "../../graphql/access-analysis.ts";
import { onlyOperation } from "../../graphql/operation.ts";

/** A document of more words and signs is refused. */
const MAX_TOKENS = 5000;

const WithheldFieldType = builder.objectRef<WithheldField>("WithheldField").implement({
  description: "A field that would be null because the key may not see it: an entry of `extensions.visibility`.",
  fields: (t) => ({
    path: t.stringList({ description: "Response keys without list indexes, the field's own last.", resolve: ({ path }) => [...path] }),
    field: t.exposeString("field", { description: "E.g. `Customer.accountNumber`." }),
    requires: t.exposeString("requires", { description: "The scope that would grant it, or `X-Visibility`." }),
  }),
});

const ForbiddenFieldType = builder.objectRef<ForbiddenField>("ForbiddenField").implement({
  description: "A field that would be refused with FORBIDDEN, or with FORBIDDEN_FIELD for what its arguments ask.",
  fields: (t) => ({
    path: t.stringList({ description: "Response keys without list indexes, the field's own last.", resolve: ({ path }) => [...path] }),
    field: t.exposeString("field", {
      nullable: true,
      description: "FORBIDDEN_FIELD: what an argument must not ask about, e.g. `Customer.email`. Null: FORBIDDEN.",
    }),
    requires: t.exposeString("requires", { description: "What would suffice." }),
  }),
});

const AccessExplanation = builder.objectRef<Omit<Analysis, "stored"> & { issues: readonly string[] }>("AccessExplanation").implement({
  description: "What a document would not be shown. Other errors, e.g. of a page's size, show only when it runs.",
  fields: (t) => ({
    valid: t.boolean({
      description: "Whether the document can run at all; if not, `issues` says why.",
      resolve: ({ issues }) => issues.length === 0,
    }),
    issues: t.stringList({ description: "What is wrong with the document.", resolve: ({ issues }) => [...issues] }),
    withheld: t.field({
      type: [WithheldFieldType],
      description: "The fields of customers that would be withheld, if all objects that it asks for are there.",
      resolve: ({ withheld }) => [...withheld],
    }),
    forbidden: t.field({
      type: [ForbiddenFieldType],
      description: "The fields that would be refused.",
      resolve: (explanation) => [...explanation.forbidden],
    }),
  }),
});

builder.queryField("explainAccess", (t) =>
  t.field({
    type: AccessExplanation,
    authScopes: { audience: "INTERNAL" },
    extensions: facts({ points: () => 10 }),
    description:
      "What a document would not be shown to this key, or to another of its bank and mode or of its merchants, and which scope each part needs. " +
      "The document is not run. For INTERNAL keys.",
    args: {
      document: t.arg.string({ required: true, description: `A document with one operation, of at most ${MAX_TOKENS} tokens.` }),
      variables: t.arg({ type: "JSONObject", description: "Its variables. BAD_USER_INPUT when they do not fit." }),
      keyId: t.arg.id({ description: "The public part of another key. Needs `keys:manage`. Left out: who asks, `X-Visibility` included." }),
    },
    resolve: async (_root, { document, variables, keyId }, context, { schema }) => {
      const principal = keyId == null ? context.principal : await principalOfKey(keyId, context);
      const { parsed, faults } = readDocument(schema, document, MAX_TOKENS);
      const issues = faults.map(({ message }) => message);
      const operation = parsed && onlyOperation(parsed);
      if (!operation) return { withheld: [], forbidden: [], issues: issues.length > 0 ? issues : ["Give a document with one operation."] };
      const { stored, ...analysis } = analyse(schema, operation, variables ?? {}, principal);
      const byData = await forbiddenByData(stored, { ...context, principal });
      return { ...analysis, forbidden: [...analysis.forbidden, ...byData], issues };
    },
  }),
);

/** What is refused by what is stored, e.g. for a merchant that is not trusted enough. */
async function forbiddenByData(stored: Analysis["stored"], context: Context): Promise<ForbiddenField[]> {
  const judged = await Promise.all(stored.map(async ({ path, needs }) => ({ path, field: null, requires: await needs(context) })));
  return judged.filter((entry): entry is typeof entry & { requires: string } => entry.requires !== null);
}

/** Another key of the same bank and mode, or of one of its merchants, as a principal that does not lower itself. Foreign and absent keys answer alike. */
async function principalOfKey(id: string, { principal, db }: Context): Promise<Principal> {
  const lacks = lacking(principal, { scope: "keys:manage" });
  if (lacks !== null) throw forbidden(lacks);
  const where = managedKey(principal, id);
  const key = where && (await db.apiKey.findFirst({ where, include: WITH_BEARER }));
  const identity = key && (await identityOf(db, key));
  if (!identity) throw badUserInput("keyId: there is no such key here.");
  return createPrincipal(identity, null);
}
