import { writeFileSync } from "node:fs";
import { ROUTES } from "./routes.ts";

/** The documents of the REST routes by their ids, as a manifest to publish from: what `docs/rest-documents.json` holds. */
export function printDocuments(): string {
  const documents = Object.fromEntries(ROUTES.map(({ hash, document }) => [`sha256:${hash}`, document]));
  return `${JSON.stringify(documents, null, 2)}\n`;
}

if (import.meta.main) writeFileSync("docs/rest-documents.json", printDocuments());
