import { createHash } from "node:crypto";
import { Kind, type OperationDefinitionNode, parse } from "graphql";
import { LRUCache } from "lru-cache";
import type { Database } from "../database/client.ts";
import type { Mode } from "../database/generated/enums.ts";
import type { Job } from "../jobs/schedule.ts";

/** A document that may run. */
export interface FoundDocument {
  readonly clientId: string;
  readonly mode: Mode;
  readonly hash: string;
  readonly name: string;
  readonly text: string;
  /** Since when it is deprecated; null: it is not. */
  readonly deprecatedAt: Date | null;
}

/** The register of persisted documents: which client may run which document. */
export interface DocumentRegister {
  /** A document registered for a client in a mode that is not retired, or null. `hash` is 64 lower-case hex digits. */
  find(clientId: string, mode: Mode, hash: string): Promise<FoundDocument | null>;
  /** Counts a run and the points that it was charged. */
  used(document: FoundDocument, points: number): void;
  /** Writes what was counted. */
  readonly writeUses: Job;
}

/** How stale an answer may be: a document that is published or retired is so everywhere after this long. */
const MAX_AGE_MS = 1000;

/** How often uses are written. */
const USES_EVERY_MS = 5000;

interface Uses {
  readonly document: FoundDocument;
  uses: number;
  points: number;
  at: Date;
}

export function createDocumentRegister(db: Database): DocumentRegister {
  const documents = new LRUCache<string, { document: FoundDocument | null }>({
    max: 10_000,
    ttl: MAX_AGE_MS,
    fetchMethod: async (key) => {
      const [clientId, mode, hash] = key.split(" ") as [string, Mode, string];
      const row = await db.persistedDocument.findUnique({
        where: { clientId_mode_hash: { clientId, mode, hash } },
        select: { name: true, text: true, state: true, deprecatedAt: true },
      });
      if (row === null || row.state === "RETIRED") return { document: null };
      const { name, text, deprecatedAt } = row;
      return { document: { clientId, mode, hash, name, text, deprecatedAt } };
    },
  });
  const counted = new Map<string, Uses>();

  return {
    find: async (clientId, mode, hash) => (await documents.fetch(`${clientId} ${mode} ${hash}`))!.document,
    used(document, points) {
      const key = `${document.clientId} ${document.mode} ${document.hash}`;
      const uses = counted.get(key) ?? { document, uses: 0, points: 0, at: new Date() };
      counted.set(key, { document, uses: uses.uses + 1, points: uses.points + points, at: new Date() });
    },
    writeUses: {
      name: "write-uses-of-documents",
      everyMs: USES_EVERY_MS,
      async run() {
        const rows = [...counted.values()].map(({ document: { clientId, mode, hash }, ...uses }) => ({
          client: clientId,
          mode,
          hash,
          ...uses,
        }));
        counted.clear();
        if (rows.length === 0) return;
        await db.$executeRaw`
          UPDATE persisted_document d
          SET uses = d.uses + r.uses, points = d.points + r.points, last_used_at = greatest(d.last_used_at, r.at)
          FROM json_to_recordset(${JSON.stringify(rows)}::json) AS r(client uuid, mode mode, hash text, uses bigint, points bigint, at timestamptz)
          WHERE d.client_id = r.client AND d.mode = r.mode AND d.hash = r.hash`;
      },
    },
  };
}

/** Registers documents for a client without a check, for the gateway's own; one that is registered already stays as it is. */
export async function registerDocuments(
  db: Database,
  clientId: string,
  texts: readonly string[],
  mode: Mode = "SANDBOX",
): Promise<{ hash: string; name: string; text: string }[]> {
  const documents = texts.map((text) => ({ hash: documentHash(text), name: operationName(text), text }));
  await db.persistedDocument.createMany({ data: documents.map((document) => ({ ...document, clientId, mode })), skipDuplicates: true });
  return documents;
}

/** SHA-256 of a document's text, as 64 lower-case hex digits: what clients call it by. */
export function documentHash(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

/** The name of a document's first operation, for people. */
export function operationName(text: string): string {
  const operation = parse(text).definitions.find((node): node is OperationDefinitionNode => node.kind === Kind.OPERATION_DEFINITION);
  return operation?.name?.value ?? "anonymous";
}
