import type { Client, ClientSettings, PersistedDocument } from "../../database/generated/client.ts";
import type { Mode } from "../../database/generated/enums.ts";
import { builder } from "../../graphql/builder.ts";
import { connectionType } from "../../graphql/connection.ts";
import { ClientAccessEnum, DocumentStateEnum } from "../../graphql/enums.ts";

export const PersistedDocumentType = builder.objectRef<PersistedDocument>("PersistedDocument").implement({
  description: "A document registered for a client. Its text never changes: another text is another document.",
  fields: (t) => ({
    documentId: t.id({ description: "What it is called by: `sha256:` and 64 hex digits.", resolve: ({ hash }) => `sha256:${hash}` }),
    hash: t.exposeString("hash", { description: "The SHA-256 of its text, as 64 lower-case hex digits." }),
    name: t.exposeString("name", { description: "The name of its operation." }),
    text: t.exposeString("text", { description: "The document." }),
    state: t.field({ type: DocumentStateEnum, description: "Whether it runs.", resolve: ({ state }) => state }),
    deprecatedAt: t.field({
      type: "DateTime",
      nullable: true,
      description: "Since when it is deprecated.",
      resolve: ({ deprecatedAt }) => deprecatedAt,
    }),
    cost: t.exposeInt("cost", {
      nullable: true,
      description:
        "The most points that it can cost with any variables, as reckoned when it was published; null: the gateway registered it by itself.",
    }),
    uses: t.float({ description: "How often it was sent, some seconds late; a whole number.", resolve: ({ uses }) => Number(uses) }),
    points: t.float({
      description: "The points that it was charged, some seconds late; a whole number.",
      resolve: ({ points }) => Number(points),
    }),
    lastUsedAt: t.field({
      type: "DateTime",
      nullable: true,
      description: "When it was last sent, some seconds late; null: never.",
      resolve: ({ lastUsedAt }) => lastUsedAt,
    }),
    createdAt: t.field({ type: "DateTime", description: "When it was published.", resolve: ({ createdAt }) => createdAt }),
  }),
});

export const PersistedDocumentConnection = connectionType("PersistedDocument", PersistedDocumentType);

/** A client with its settings in one mode: none, or one row. */
export type ClientRow = Client & { readonly settings: readonly ClientSettings[] };

/** What is read with a client for `ClientRow`. */
export const clientSettings = (mode: Mode) => ({ settings: { where: { mode } } });

export const ClientType = builder.objectRef<ClientRow>("Client").implement({
  description:
    "An app or partner of the bank. Documents are registered for a client, and its keys run them. It is made with its first key; what it may holds for one mode.",
  fields: (t) => ({
    name: t.exposeString("name", { description: "Its name, unique within the bank." }),
    access: t.field({
      type: ClientAccessEnum,
      description: "Whether its APP keys may send text.",
      resolve: ({ settings: [own] }) => own?.access ?? "OPEN",
    }),
    costLimit: t.int({
      nullable: true,
      description:
        "The most points that one request of its keys may cost, when that is less than the gateway's limit; null: the gateway's.",
      resolve: ({ settings: [own] }) => own?.costLimit,
    }),
  }),
});

export const ClientConnection = connectionType("Client", ClientType);
