import type { GraphQLParams, Plugin } from "graphql-yoga";
import type { Context } from "../context.ts";
import { badUserInput, gatewayError } from "../graphql/errors.ts";
import { runsRegisteredOnly } from "../access/principal.ts";
import { plainName } from "../telemetry/request-facts.ts";
import type { DocumentRegister, FoundDocument } from "./register.ts";

/** Refused before anything ran, to clients of every media type. */
const BAD_REQUEST = { http: { status: 400 } };

const HASH = /^[0-9a-f]{64}$/;

/** How registered documents are run. */
export interface RegisteredDocuments {
  /** Finds the document that a request names. */
  readonly plugin: Plugin<Context, Context>;
  /** Counts the document's use, and says in the answer when it is deprecated. */
  answered(context: Context, answer: Response): void;
}

/**
 * Runs registered documents by their hash, `documentId: "sha256:…"` or
 * `extensions.persistedQuery.sha256Hash`. A PARTNER, and an APP of a trusted client, may send nothing else: query text is
 * DOCUMENT_REQUIRED, whatever stands beside it. Two forms that name different documents, and a request of
 * anybody else that names none, are BAD_USER_INPUT. A hash that is not registered for the caller's own
 * client, another client's included, or that is retired, is DOCUMENT_NOT_FOUND. A deprecated document says so by
 * the Deprecation header (RFC 9745). Source: contract §5.
 */
export function createDocuments(register: DocumentRegister): RegisteredDocuments {
  const running = new WeakMap<Context, FoundDocument>();
  const plugin: Plugin<Context, Context> = {
    async onParams({ params, setParams, context }) {
      const { principal, facts, budget } = context;
      const { clientId, mode } = principal;
      const isRegisteredOnly = runsRegisteredOnly(principal);
      if (params.query != null && isRegisteredOnly) {
        throw gatewayError("DOCUMENT_REQUIRED", "This key runs registered documents only.");
      }
      const hash = namedHash(params);
      if (params.query != null) {
        if (hash !== null) throw badUserInput("Send a document's text or its id, not both.", BAD_REQUEST);
        return;
      }
      if (hash === null) {
        if (isRegisteredOnly) throw gatewayError("DOCUMENT_REQUIRED", "Name a registered document by documentId.");
        throw badUserInput("Send a document: query, or the documentId of a registered one.", BAD_REQUEST);
      }
      const document = clientId !== null && HASH.test(hash) ? await budget.run(() => register.find(clientId, mode, hash)) : null;
      if (document === null) throw gatewayError("DOCUMENT_NOT_FOUND", "No such document is registered for this client.");
      running.set(context, document);
      facts.document = { name: plainName(document.name), hash: document.hash };
      setParams({ ...params, query: document.text });
    },
  };
  return {
    plugin,
    answered(context, { headers }) {
      const document = running.get(context);
      if (!document) return;
      register.used(document, context.charge.report.requested);
      if (document.deprecatedAt) headers.set("deprecation", `@${Math.floor(document.deprecatedAt.getTime() / 1000)}`);
    },
  };
}

/** The hash that a request names, in whatever form it came; null when it names none. Both forms must name the same. */
function namedHash(params: GraphQLParams & { documentId?: unknown }): string | null {
  const [byId, byExtension] = [hashOfId(params.documentId), hashOfExtension(params)];
  if (byId !== null && byExtension !== null && byId !== byExtension) {
    throw badUserInput("documentId and extensions.persistedQuery name different documents.", BAD_REQUEST);
  }
  return byId ?? byExtension;
}

/** An empty string is a form that no document has. */
function hashOfId(id: unknown): string | null {
  if (id == null) return null;
  return typeof id === "string" && id.startsWith("sha256:") ? id.slice("sha256:".length) : "";
}

function hashOfExtension(params: GraphQLParams): string | null {
  const persisted = params.extensions?.["persistedQuery"] as { sha256Hash?: unknown } | null | undefined;
  if (persisted == null) return null;
  return typeof persisted.sha256Hash === "string" ? persisted.sha256Hash : "";
}
