import { readFileSync } from "node:fs";
import { StartupError } from "../startup-error.ts";

/** A document of a manifest. */
export interface ManifestDocument {
  /** As the manifest has it, without `sha256:`. */
  readonly hash: string;
  readonly text: string;
}

interface ApolloManifest {
  readonly format: "apollo-persisted-query-manifest";
  readonly version: number;
  readonly operations: readonly { readonly id: string; readonly body: string }[];
}

/**
 * The documents of a manifest, in its order: what graphql-codegen's client preset and Relay's compiler write, ids and
 * texts, or Apollo's, which has its own form. Throws StartupError for a file that is none.
 */
export function readManifest(file: string): ManifestDocument[] {
  const entries = entriesOf(file, parsed(file));
  if (entries.length === 0) refuse(file, "it has no documents");
  const wrong = entries.find(([id, text]) => typeof id !== "string" || typeof text !== "string");
  if (wrong) refuse(file, "an entry of it is no id with a text");
  return entries.map(([id, text]) => ({ hash: (id as string).replace(/^sha256:/, ""), text: text as string }));
}

function entriesOf(file: string, manifest: unknown): [unknown, unknown][] {
  if (typeof manifest !== "object" || manifest === null || Array.isArray(manifest)) refuse(file, "it is no object of ids and texts");
  if (!("format" in manifest) || typeof manifest.format !== "string") return Object.entries(manifest);
  const { format, version, operations } = manifest as ApolloManifest;
  if (format !== "apollo-persisted-query-manifest" || version !== 1) refuse(file, "its format is none that is known");
  if (!Array.isArray(operations)) refuse(file, "it has no operations");
  return (operations as { id?: unknown; body?: unknown }[]).map((operation) => [operation?.id, operation?.body]);
}

function parsed(file: string): unknown {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    return refuse(file, (error as NodeJS.ErrnoException).code ?? "it cannot be read");
  }
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return refuse(file, "it is not JSON");
  }
}

function refuse(file: string, cause: string): never {
  throw new StartupError({
    what: `the manifest ${file} cannot be read`,
    cause,
    fix: "give the file that graphql-codegen's client preset, Relay's compiler or Apollo's manifest generator writes",
  });
}
