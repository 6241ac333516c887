import { clientNamed, clientsIn } from "./document.policy.ts";
import { within } from "../../access/principal.ts";
import type { DocumentState } from "../../database/generated/enums.ts";
import { builder } from "../../graphql/builder.ts";
import { once, pageArgs } from "../../graphql/connection.ts";
import { cursorsOf } from "../../graphql/cursor.ts";
import { DocumentStateEnum } from "../../graphql/enums.ts";
import { keysetPage, newestFirst } from "../../graphql/keyset.ts";
import { pageRequest, toPage } from "../../graphql/pagination.ts";
import { ClientConnection, clientSettings, PersistedDocumentConnection } from "./document.type.ts";

export const PUBLISH_DOCUMENTS = { scope: "documents:publish" } as const;

builder.queryFields((t) => ({
  clients: t.field({
    type: ClientConnection,
    authScopes: PUBLISH_DOCUMENTS,
    description: "The bank's clients that have or had a key in the asking key's mode, by name, with what they may in it.",
    args: pageArgs.both(),
    resolve: (_root, args, { db, principal, keyring }) => {
      const { bankId: tenantId, mode } = within(principal);
      const request = pageRequest(args);
      const cursors = cursorsOf(keyring, { list: "clients", tenantId, mode });
      const keyset = { column: null, tieBreaker: "name", descending: false };
      const { where, ...page } = keysetPage(keyset, request, cursors.open(args.after), cursors.open(args.before));
      return {
        page: once(async () =>
          toPage(
            await db.client.findMany({ where: { ...clientsIn(within(principal)), AND: where }, include: clientSettings(mode), ...page }),
            request,
          ),
        ),
        cursor: ({ name }) => cursors.seal([name]),
        count: () => Promise.reject(new Error("clients are not counted")),
      };
    },
  }),
  documents: t.field({
    type: PersistedDocumentConnection,
    authScopes: PUBLISH_DOCUMENTS,
    description: "The documents registered for a client in the key's mode, newest first.",
    args: {
      client: t.arg.string({ required: true, description: "The client's name. One that the bank does not have has no documents." }),
      states: t.arg({ type: [DocumentStateEnum], description: "Only in these states. Left out: in any." }),
      ...pageArgs.both(),
    },
    resolve: (_root, { client, states, ...args }, { db, principal, keyring }) => {
      const { bankId: tenantId, mode } = within(principal);
      const request = pageRequest(args);
      const cursors = cursorsOf(keyring, { list: "documents", tenantId, mode, client, states });
      const { where, ...page } = newestFirst(request, cursors, args, { tieBreaker: "hash" });
      const condition = {
        mode,
        client: clientNamed(within(principal), client),
        ...(states && { state: { in: states as DocumentState[] } }),
        AND: where,
      };
      return {
        page: once(async () => toPage(await db.persistedDocument.findMany({ where: condition, ...page }), request)),
        cursor: ({ createdAt, hash }) => cursors.seal([createdAt.getTime(), hash]),
        count: () => Promise.reject(new Error("documents are not counted")),
      };
    },
  }),
}));
