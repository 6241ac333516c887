import type { GraphQLSchema } from "graphql";
import { createPrincipal, type Principal, within } from "../../access/principal.ts";
import { isScope } from "../../access/scopes.ts";
import { tallyOf } from "../../changes/tally.ts";
import type { Transaction } from "../../database/client.ts";
import type { PersistedDocument } from "../../database/generated/client.ts";
import type { ClientAccess, DocumentState } from "../../database/generated/enums.ts";
import { type CheckedDocument, checkDocument, type DocumentIssue, type SentDocument } from "./document.check.ts";
import { ClientNotFound, InvalidClient, InvalidDocuments, PersistedDocumentNotFound } from "./document.errors.ts";
import { clientNamed } from "./document.policy.ts";
import { clientSettings, type ClientRow } from "./document.type.ts";

/** The most documents that are published at once. */
export const MAX_DOCUMENTS = 500;

/** The largest cost limit: more would not fit the API's numbers. */
const MAX_COST_LIMIT = 2_000_000_000;

/** What became of documents that were published. */
export interface Published {
  readonly documents: readonly PersistedDocument[];
  /** How many of them were not registered before. */
  readonly added: number;
}

/**
 * Registers documents for a client, all or none. One that is registered already stays as it is, with its state. Throws
 * ClientNotFound, and InvalidDocuments with every reason.
 */
export async function publishDocuments(
  tx: Transaction,
  principal: Principal,
  { client: name, documents, checkOnly }: { client: string; documents: readonly SentDocument[]; checkOnly?: boolean | null },
  { schema, costLimit, now }: { schema: GraphQLSchema; costLimit: number; now: Date },
): Promise<Published> {
  const { mode } = within(principal);
  const client = await findClient(tx, principal, name);
  if (documents.length < 1 || documents.length > MAX_DOCUMENTS) {
    throw new InvalidDocuments([wholeCall(`must be 1 to ${MAX_DOCUMENTS} documents at once`)]);
  }
  const bounds = {
    principals: await principalsOf(tx, principal, client, now),
    costLimit: Math.min(costLimit, client.settings[0]?.costLimit ?? costLimit),
  };
  if (bounds.principals.length === 0)
    throw new InvalidDocuments([wholeCall("are for a client without a valid key in this mode: make one first")]);
  const checks = documents.map((document) => checkDocument(schema, document, bounds));
  const checked = checks.filter((check): check is CheckedDocument => !Array.isArray(check));
  const issues = checks.filter((check) => Array.isArray(check)).flat();
  const known = await tx.persistedDocument.findMany({
    where: { clientId: client.id, mode, hash: { in: checked.map(({ hash }) => hash) } },
  });
  for (const { hash, name: document } of known.filter(({ state }) => state === "RETIRED")) {
    issues.push({ document, hash, line: null, message: "is retired: a retired document does not come back; change its text" });
  }
  if (issues.length > 0) throw new InvalidDocuments(issues);
  if (checkOnly) return { documents: [], added: 0 };
  const rows = checked.map(({ hash, name: operation, text, cost }) => ({
    clientId: client.id,
    mode,
    hash,
    name: operation,
    text,
    cost,
    createdAt: now,
  }));
  const { count } = await tx.persistedDocument.createMany({ data: rows, skipDuplicates: true });
  for (const { hash } of checked) tallyOf(tx).subjects.add(hash);
  const written = await tx.persistedDocument.findMany({
    where: { clientId: client.id, mode, hash: { in: checked.map(({ hash }) => hash) } },
  });
  const byHash = new Map(written.map((document) => [document.hash, document]));
  return { documents: [...new Set(checked.map(({ hash }) => hash))].map((hash) => byHash.get(hash)!), added: count };
}

/**
 * Who bears the client's valid keys of the same mode, as they would ask without X-Visibility. Of keys that may the same one
 * stands for all.
 */
async function principalsOf(tx: Transaction, principal: Principal, client: ClientRow, now: Date): Promise<Principal[]> {
  const keys = await tx.apiKey.findMany({
    where: {
      tenantId: principal.tenantId,
      mode: principal.mode,
      clientId: client.id,
      revokedAt: null,
      OR: [{ expiresAt: null }, { expiresAt: { gt: now } }],
    },
    select: { id: true, mode: true, audience: true, scopes: true },
  });
  const distinct = new Map(keys.map((key) => [`${key.audience} ${key.scopes.toSorted().join()}`, key]));
  return [...distinct.values()].map(({ id: keyId, mode, audience, scopes }) => {
    const identity = { ...principal, keyId, mode, audience, clientId: client.id, expiresAt: null, scopes: scopes.filter(isScope) };
    return createPrincipal(identity, null);
  });
}

/**
 * Takes a document a step further: deprecated from `now` on, or retired. Repeating it changes nothing, and a retired one stays
 * retired. Throws PersistedDocumentNotFound.
 */
export async function setDocumentState(
  tx: Transaction,
  principal: Principal,
  { client: name, hash: given }: { client: string; hash: string },
  state: Exclude<DocumentState, "ACTIVE">,
  now: Date,
): Promise<PersistedDocument> {
  const hash = given.replace(/^sha256:/, "");
  const { mode } = within(principal);
  const where = { hash, mode, client: clientNamed(within(principal), name) };
  const document = /^[0-9a-f]{64}$/.test(hash) ? await tx.persistedDocument.findFirst({ where }) : null;
  if (!document) throw new PersistedDocumentNotFound();
  if (document.state === state || document.state === "RETIRED") return document;
  tallyOf(tx).subjects.add(hash);
  return tx.persistedDocument.update({
    where: { clientId_mode_hash: { clientId: document.clientId, mode, hash } },
    data: state === "DEPRECATED" ? { state, deprecatedAt: now } : { state },
  });
}

/** Sets what a client may; what is left out stays. Throws ClientNotFound, InvalidClient. */
export async function updateClient(
  tx: Transaction,
  principal: Principal,
  { client: name, access, costLimit }: { client: string; access?: ClientAccess | null; costLimit?: number | null },
): Promise<ClientRow> {
  const { mode } = within(principal);
  const client = await findClient(tx, principal, name);
  if (costLimit != null && (costLimit < 1 || costLimit > MAX_COST_LIMIT)) {
    throw new InvalidClient([{ field: "costLimit", message: `must be from 1 to ${MAX_COST_LIMIT}` }]);
  }
  if (access === null) throw new InvalidClient([{ field: "access", message: "must not be null" }]);
  tallyOf(tx).subjects.add(client.id);
  const where = { clientId_mode: { clientId: client.id, mode } };
  // By ON CONFLICT DO NOTHING: Prisma's `upsert` looks first, and of two at once the second would fail.
  await tx.clientSettings.createMany({ data: { clientId: client.id, mode }, skipDuplicates: true });
  return { ...client, settings: [await tx.clientSettings.update({ where, data: { access, costLimit } })] };
}

async function findClient(tx: Transaction, principal: Principal, name: string): Promise<ClientRow> {
  const { mode } = within(principal);
  const client = await tx.client.findFirst({ where: clientNamed(within(principal), name), include: clientSettings(mode) });
  if (!client) throw new ClientNotFound();
  return client;
}

const wholeCall = (message: string): DocumentIssue => ({ document: "", hash: "", line: null, message });
