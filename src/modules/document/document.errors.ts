import { builder } from "../../graphql/builder.ts";
import { ASKED_FOR, ErrorInterface, example, GatewayFailure } from "../../graphql/failure.ts";
import { type Issue, IssueType } from "../../graphql/issue.ts";
import type { DocumentIssue } from "./document.check.ts";

/** No such client of this bank. */
export class ClientNotFound extends GatewayFailure {
  constructor() {
    super("CLIENT_NOT_FOUND", "Client not found");
  }
}

/** A client that cannot be set as asked: all reasons are named. */
export class InvalidClient extends GatewayFailure {
  readonly issues: readonly Issue[];
  constructor(issues: readonly Issue[]) {
    super("INVALID_CLIENT", "The client cannot be set so.");
    this.issues = issues;
  }
}

/** No such document of this client. */
export class PersistedDocumentNotFound extends GatewayFailure {
  constructor() {
    super("PERSISTED_DOCUMENT_NOT_FOUND", "Document not found");
  }
}

/** Documents that cannot be published: every reason is named, and none of them is registered. */
export class InvalidDocuments extends GatewayFailure {
  readonly issues: readonly DocumentIssue[];
  constructor(issues: readonly DocumentIssue[]) {
    super("INVALID_DOCUMENTS", "The documents cannot be published; none of them is.");
    this.issues = issues;
  }
}

const DocumentIssueType = builder.objectRef<DocumentIssue>("DocumentIssue").implement({
  description: "Why one document cannot be published.",
  fields: (t) => ({
    document: t.exposeString("document", { description: "The name of its operation, or its hash when it has none." }),
    hash: t.exposeString("hash", { description: "The hash that it was sent with." }),
    line: t.exposeInt("line", { nullable: true, description: "The line of its text, from 1; null: the document as a whole." }),
    message: t.exposeString("message", { description: "What is wrong." }),
  }),
});

builder.objectType(ClientNotFound, {
  name: "ClientNotFound",
  description: "This bank has no such client. Another bank's answers exactly like none. A client is made with its first key.",
  interfaces: [ErrorInterface],
  ...example(() => new ClientNotFound()),
});

builder.objectType(InvalidClient, {
  name: "InvalidClient",
  description: "The client cannot be set as asked.",
  interfaces: [ErrorInterface],
  ...example(() => new InvalidClient([ASKED_FOR])),
  fields: (t) => ({ issues: t.field({ type: [IssueType], description: "Every reason.", resolve: ({ issues }) => [...issues] }) }),
});

builder.objectType(PersistedDocumentNotFound, {
  name: "PersistedDocumentNotFound",
  description: "No such document is registered for this client, or there is no such client.",
  interfaces: [ErrorInterface],
  ...example(() => new PersistedDocumentNotFound()),
});

builder.objectType(InvalidDocuments, {
  name: "InvalidDocuments",
  description: "Some documents cannot be published. None of the call's documents is registered.",
  interfaces: [ErrorInterface],
  ...example(() => new InvalidDocuments([{ document: "Magic", hash: "0".repeat(64), line: null, message: ASKED_FOR.message }])),
  fields: (t) => ({
    issues: t.field({
      type: [DocumentIssueType],
      description: "Every reason, in the order of the documents; at most 500.",
      resolve: ({ issues }) => issues.slice(0, 500),
    }),
  }),
});
