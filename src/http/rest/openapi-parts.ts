import type { JsonSchema } from "./json-schema.ts";
import { INVALID, NOT_FOUND } from "./refusal.ts";

/** Every refusal, by its status: what is told, or when. */
export const REFUSALS: Record<number, string> = {
  400: `\`${INVALID}\`, of merchants \`Invalid merchant data\`; \`errors\` names everything that is wrong.`,
  401: "No valid key was sent.",
  403: "The key lacks a scope, the merchant the trust level, or its client has the route's document not registered.",
  404: `\`${NOT_FOUND}\`, of merchants \`Merchant not found\`: there is none here. Another bank's answers the same.`,
  405: "The path does not take this method; `Allow` names those that it takes.",
  409: "`Customer with this email already exists`, or the same of its clientRef or reference; or the idempotency key was used with another input, or the customer was changed meanwhile.",
  413: "The body is larger than the key may send: 100 kB, or 1 MB with `batches:write` or `merchants:write`.",
  415: "The body is not plain JSON.",
  429: "The key may take no more for now; `Retry-After` says until when.",
  500: "A fault of the gateway.",
  503: "The database cannot be had at the moment; `Retry-After` says when to try again.",
  504: "The request took too long.",
};

const ISSUE: JsonSchema = {
  type: "object",
  description: "One thing that is wrong. It names the field and the rule, never the value.",
  properties: {
    field: { type: ["string", "null"], description: "The parameter or the member of the body; null: the whole." },
    message: { type: "string" },
  },
  required: ["field", "message"],
};

const ERROR: JsonSchema = {
  type: "object",
  description: "A refusal.",
  properties: {
    statusCode: { type: "integer" },
    success: { const: false },
    message: { type: "string" },
    errors: { type: "array", items: { $ref: "#/components/schemas/Issue" }, description: "With 400: everything that is wrong." },
  },
  required: ["statusCode", "success", "message"],
};

const WITHHELD: JsonSchema = {
  type: "array",
  description:
    "Only when something was withheld: each field that is null because the key may not see it, and the scope that it takes, or `X-Visibility`.",
  items: {
    type: "object",
    properties: { field: { type: "string" }, requires: { type: "string" } },
    required: ["field", "requires"],
  },
};

const PAGE_META: JsonSchema = {
  type: "object",
  description: "Where the page stands. Counting stops at 10,000.",
  properties: {
    page: { type: "integer" },
    take: { type: "integer" },
    itemCount: { type: "integer", maximum: 10_000 },
    pageCount: { type: "integer", description: "The pages that can be had." },
    hasPreviousPage: { type: "boolean" },
    hasNextPage: { type: "boolean" },
  },
  required: ["page", "take", "itemCount", "pageCount", "hasPreviousPage", "hasNextPage"],
};

/** The schemas that all routes share, by name. */
export const SHARED_SCHEMAS = { Error: ERROR, Issue: ISSUE, PageMeta: PAGE_META, Withheld: WITHHELD };

const header = (name: string, description: string) => ({ name, in: "header", description, schema: { type: "string" } });

/** Of every request. */
export const VISIBILITY = header("X-Visibility", "`standard` or `extended`: lowers what this request may see.");
/** Of requests that make something. */
export const IDEMPOTENCY_KEY = header(
  "Idempotency-Key",
  "1 to 255 characters: within 24 hours the same key and body give the first answer again.",
);
/** Of batches. */
export const PREFER = header("Prefer", "`respond-async`: a worker processes the batch; the answer is PROCESSING at once.");
