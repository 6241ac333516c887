import type { DocumentNode } from "graphql";
import type { Plugin, YogaServerOptions } from "graphql-yoga";
import { LRUCache } from "lru-cache";

/** How many documents are kept, and how many characters of text in all: parsed they take up to a hundred times as many bytes. */
const MAX_DOCUMENTS = 1000;
const MAX_TEXT = 500_000;

/** A longer document is parsed each time it comes; clients' own have a few hundred characters. */
const MAX_DOCUMENT = 20_000;

/**
 * Valid documents as they were parsed, by their text: clients send the same few again and again. Nothing is kept of one
 * that cannot be parsed or is not valid: its errors hold on to all that was at work when they arose, some 70 kB each.
 * `caches` are for Yoga, which fills them, and `plugin` empties them of what it turns out not to be worth keeping.
 */
export function createDocumentCache() {
  const documentCache = new LRUCache<string, DocumentNode>({
    max: MAX_DOCUMENTS,
    maxSize: MAX_TEXT,
    maxEntrySize: MAX_DOCUMENT,
    sizeCalculation: (_document, text) => text.length,
  });
  const plugin: Plugin = {
    onValidate({ params }) {
      return ({ valid }) => void (valid || documentCache.delete(params.documentAST.loc?.source.body ?? ""));
    },
  };
  const caches = { documentCache, errorCache: { get: () => undefined, set() {} } } satisfies YogaServerOptions<
    {},
    {}
  >["parserAndValidationCache"];
  return { caches, plugin };
}
