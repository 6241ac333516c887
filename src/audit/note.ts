import { type ExecutionArgs, getOperationAST, type GraphQLError, type GraphQLResolveInfo, Kind } from "graphql";
import type { Context } from "../context.ts";
import type { Audit } from "./audit.ts";
import type { Disclosed } from "./disclosed.ts";
import { hashOfDocument } from "./document-hash.ts";
import { GATEWAY_PLACE } from "./entry.ts";
import { auditPlace } from "./place.ts";
import { rootFieldName } from "./root-field.ts";

/** The codes of a refused access. Withheld fields are none: they answer null. */
const REFUSALS: ReadonlySet<unknown> = new Set([
  "UNAUTHENTICATED",
  "FORBIDDEN",
  "FORBIDDEN_FIELD",
  "DOCUMENT_REQUIRED",
  "DOCUMENT_NOT_FOUND",
]);

/** Notes what a request was shown above STANDARD: one entry, when it is done. */
export function noteReads(context: Context, execution: ExecutionArgs): void {
  if (context.disclosed.fields.length === 0) return;
  const operation = getOperationAST(execution.document, execution.operationName);
  noteRead(context, rootFieldName(execution), operation ? hashOfDocument(operation) : null, context.disclosed);
}

/** Notes a read of its own, beside what else the request was shown. */
export function noteRead(context: Context, operation: string | null, documentHash: string | null, disclosed: Disclosed): void {
  const { fields, customers } = disclosed;
  context.audit.note({ ...who(context), action: "READ", operation, outcome: "OK", documentHash, customers, fields, subjects: [] });
}

/** What came of a question for a merchant: more than its hourly questions, or its provider's, are refused. */
export type DiscoveryOutcome = "OK" | "RATE_LIMITED";

/** What was asked for a merchant, and about whom it was told. */
export interface AskedForMerchant {
  readonly outcome: DiscoveryOutcome;
  readonly merchant: string;
  /** The field of a customer that the question named a value of. */
  readonly field: string;
  /** Who was found; counted, and not named. */
  readonly customers: ReadonlySet<string>;
}

/** Notes one question of a merchant where somebody is a customer: an entry of its own, found or not, since either tells something, and refused. */
export function noteDiscovery(context: Context, { fieldName, operation }: GraphQLResolveInfo, asked: AskedForMerchant): void {
  context.audit.note({
    ...who(context),
    action: asked.outcome === "OK" ? "READ" : "REFUSAL",
    operation: fieldName,
    outcome: asked.outcome,
    documentHash: hashOfDocument(operation),
    customers: asked.customers,
    fields: [asked.field],
    subjects: [asked.merchant],
  });
}

/** More look-ups than a key has are refused access too: somebody may be trying out values. Discoveries are noted where they are refused. */
function isRefusal({ charge }: Context, code: unknown): boolean {
  return REFUSALS.has(code) || (code === "RATE_LIMITED" && charge.refusedBy === charge.limits.lookups);
}

/** Notes each error of a response that refuses an access. */
export function noteRefusals(context: Context, errors: readonly GraphQLError[]): void {
  for (const { extensions, nodes } of errors) {
    if (!isRefusal(context, extensions["code"])) continue;
    const [node] = nodes ?? [];
    context.audit.note({
      ...who(context),
      action: "REFUSAL",
      operation: node?.kind === Kind.FIELD ? node.name.value : null,
      outcome: String(extensions["code"]),
      documentHash: null,
      fields: typeof extensions["field"] === "string" ? [extensions["field"]] : [],
      subjects: [],
    });
  }
}

/** The codes of the gateway's own faults. */
const FAULTS: ReadonlySet<unknown> = new Set(["UNAVAILABLE", "TIMEOUT", "INTERNAL_SERVER_ERROR"]);

/** Notes each mutation of a response that met a fault: what it was about to write is undone, and its own entry with it. */
export function noteFaults(context: Context, errors: readonly GraphQLError[], isMutation: (field: string) => boolean): void {
  for (const { extensions, nodes, path } of errors) {
    const [node] = nodes ?? [];
    if (!FAULTS.has(extensions["code"]) || path?.length !== 1 || node?.kind !== Kind.FIELD || !isMutation(node.name.value)) continue;
    context.audit.note({
      ...who(context),
      action: "WRITE",
      operation: node.name.value,
      outcome: String(extensions["code"]),
      documentHash: hashOfDocument(node),
      fields: [],
      subjects: [],
    });
  }
}

/** Notes a caller without a valid key: nothing of what it sent, for a slip in a key must not be kept. */
export function noteUnauthenticated(audit: Audit, requestId: string): void {
  const nobody = { actor: null, audience: null, operation: null, documentHash: null, fields: [], subjects: [] };
  audit.note({ ...GATEWAY_PLACE, ...nobody, at: new Date(), requestId, action: "REFUSAL", outcome: "UNAUTHENTICATED" });
}

function who({ principal, requestId }: Context) {
  return { ...auditPlace(principal), at: new Date(), actor: principal.keyId, audience: principal.audience, requestId };
}
