import { createHash } from "node:crypto";
import type { ASTNode, Source } from "graphql";

/** Parsed documents are kept by the server, and their hashes with them. */
const hashes = new WeakMap<Source, string>();

/** SHA-256 of the text of the document that a node stands in, as 64 lower-case hex digits. */
export function hashOfDocument({ loc }: Pick<ASTNode, "loc">): string | null {
  if (!loc) return null;
  let hash = hashes.get(loc.source);
  if (!hash) hashes.set(loc.source, (hash = createHash("sha256").update(loc.source.body).digest("hex")));
  return hash;
}
