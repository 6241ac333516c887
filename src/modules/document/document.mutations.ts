import { originOf, write } from "../../changes/write.ts";
import { builder } from "../../graphql/builder.ts";
import { ClientAccessEnum } from "../../graphql/enums.ts";
import { ClientNotFound, InvalidClient, InvalidDocuments, PersistedDocumentNotFound } from "./document.errors.ts";
import { PUBLISH_DOCUMENTS } from "./document.queries.ts";
import { ClientType, PersistedDocumentType } from "./document.type.ts";
import { MAX_DOCUMENTS, type Published, publishDocuments, setDocumentState, updateClient } from "./document.write.ts";

const DocumentInput = builder.inputType("PublishedDocumentInput", {
  description: "A document as manifests have it.",
  fields: (t) => ({
    hash: t.string({ required: true, description: "The SHA-256 of the text, as 64 lower-case hex digits; `sha256:` may lead it." }),
    text: t.string({ required: true, description: "The document: one operation with a name, and its fragments." }),
  }),
});

const PublishDocumentsInput = builder.inputType("PublishDocumentsInput", {
  description: "What to publish.",
  fields: (t) => ({
    client: t.string({ required: true, description: "The client's name." }),
    documents: t.field({ type: [DocumentInput], required: true, description: `1 to ${MAX_DOCUMENTS} documents.` }),
    checkOnly: t.boolean({ defaultValue: false, description: "Makes every check, and registers nothing: `documents` is empty then." }),
  }),
});

const DOCUMENT_FIELDS = { client: "The client's name.", hash: "The document's hash; `sha256:` may lead it." };

const DeprecateDocumentInput = builder.inputType("DeprecateDocumentInput", {
  description: "Which document to deprecate.",
  fields: (t) => ({
    client: t.string({ required: true, description: DOCUMENT_FIELDS.client }),
    hash: t.string({ required: true, description: DOCUMENT_FIELDS.hash }),
  }),
});

const RetireDocumentInput = builder.inputType("RetireDocumentInput", {
  description: "Which document to retire.",
  fields: (t) => ({
    client: t.string({ required: true, description: DOCUMENT_FIELDS.client }),
    hash: t.string({ required: true, description: DOCUMENT_FIELDS.hash }),
  }),
});

const UpdateClientInput = builder.inputType("UpdateClientInput", {
  description: "Which client, and what to set; what is left out stays.",
  fields: (t) => ({
    client: t.string({ required: true, description: DOCUMENT_FIELDS.client }),
    access: t.field({ type: ClientAccessEnum, description: "Whether its APP keys may send text." }),
    costLimit: t.int({ description: "The most points that one request of its keys may cost, 1 or more; null: the gateway's limit." }),
  }),
});

const DocumentsPublished = builder.objectRef<Published>("DocumentsPublished").implement({
  description: "Documents that run now, everywhere within a second.",
  fields: (t) => ({
    documents: t.field({
      type: [PersistedDocumentType],
      description: "All that were sent, each once, in their order.",
      resolve: ({ documents }) => [...documents],
    }),
    added: t.exposeInt("added", { description: "How many of them were not registered before." }),
  }),
});

builder.mutationFields((t) => ({
  publishDocuments: t.field({
    type: DocumentsPublished,
    authScopes: PUBLISH_DOCUMENTS,
    description:
      "Registers documents for a client, all of them or none. Each must be valid, keep under the client's cost limit for the largest " +
      "variables that it allows, and select only what every valid key of the client may see; what hangs on arguments is judged when it runs. " +
      "One that is registered already stays as it is.",
    args: { input: t.arg({ type: PublishDocumentsInput, required: true, description: "The client and its documents." }) },
    errors: {
      types: [ClientNotFound, InvalidDocuments],
      union: { name: "PublishDocumentsResult", description: "The documents, or why none was registered." },
    },
    resolve: (_root, { input }, context, info) =>
      write(context, originOf(context, info), (tx) =>
        publishDocuments(tx, context.principal, input, {
          schema: info.schema,
          costLimit: context.charge.limits.costLimit,
          now: new Date(),
        }),
      ),
  }),
  deprecateDocument: t.field({
    type: PersistedDocumentType,
    authScopes: PUBLISH_DOCUMENTS,
    description: "Has a document's answers say that it is deprecated, by the `Deprecation` header. Repeating it changes nothing.",
    args: { input: t.arg({ type: DeprecateDocumentInput, required: true, description: "Which document." }) },
    errors: {
      types: [PersistedDocumentNotFound],
      union: { name: "DeprecateDocumentResult", description: "The document as it is now, or why it is not deprecated." },
    },
    resolve: (_root, { input }, context, info) =>
      write(context, originOf(context, info), (tx) => setDocumentState(tx, context.principal, input, "DEPRECATED", new Date())),
  }),
  retireDocument: t.field({
    type: PersistedDocumentType,
    authScopes: PUBLISH_DOCUMENTS,
    description: "Ends a document: within a second it is DOCUMENT_NOT_FOUND everywhere, and it cannot be published again.",
    args: { input: t.arg({ type: RetireDocumentInput, required: true, description: "Which document." }) },
    errors: {
      types: [PersistedDocumentNotFound],
      union: { name: "RetireDocumentResult", description: "The document as it is now, or why it is not retired." },
    },
    resolve: (_root, { input }, context, info) =>
      write(context, originOf(context, info), (tx) => setDocumentState(tx, context.principal, input, "RETIRED", new Date())),
  }),
  updateClient: t.field({
    type: ClientType,
    authScopes: PUBLISH_DOCUMENTS,
    description:
      "Sets whether a client's APP keys may send text, and what one of its requests may cost. In force everywhere within a second.",
    args: { input: t.arg({ type: UpdateClientInput, required: true, description: "Which client, and what to set." }) },
    errors: {
      types: [ClientNotFound, InvalidClient],
      union: { name: "UpdateClientResult", description: "The client as it is now, or why it was not set." },
    },
    resolve: (_root, { input }, context, info) =>
      write(context, originOf(context, info), (tx) => updateClient(tx, context.principal, input)),
  }),
}));
