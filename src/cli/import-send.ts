import { createHash } from "node:crypto";
import { StartupError } from "../startup-error.ts";
import type { GatewayData, GatewayDocument, PatientGateway } from "./gateway-retry.ts";
import type { ImportBatch } from "./import-batch.ts";
import type { RowFailure, SourceRow } from "./import-row.ts";
import { CUSTOMERS, type ImportTarget } from "./import-target.ts";

/** What became of a batch. */
export interface BatchOutcome {
  readonly batch: ImportBatch;
  readonly created: number;
  /** Refused rows, by line. */
  readonly failures: readonly { readonly row: SourceRow; readonly failure: RowFailure }[];
  /** How long it took, tries and waits included, in ms; null when nothing was sent. */
  readonly ms: number | null;
  readonly replayed: boolean;
}

interface ApiFailure {
  index: number;
  code: string;
  message: string;
  field?: string;
  firstIndex?: number;
  matchedOn?: string;
  issues?: { field: string | null }[];
}

interface ApiBatch {
  id: string;
  replayed: boolean;
  summary: { total: number; successful: number; failed: number };
  failuresInline: boolean;
  failures: ApiFailure[];
}

const FAILURE = `fragment Failure on BatchFailure {
  ... on BatchItemFailure { index code message }
  ... on DuplicateInBatch { field firstIndex }
  ... on ExistingCustomer { matchedOn }
  ... on InvalidData { issues { field } }
  ... on ValidationError { issues { field } }
}`;

const sendDocument = ({
  mutation,
  input,
  batch,
}: ImportTarget): GatewayDocument<{ result: ApiBatch | { code: string; message: string } }> =>
  `mutation Import($input: ${input}!) {
  result: ${mutation}(input: $input) {
    ... on ${batch} { id replayed summary { total successful failed } failuresInline failures { ...Failure } }
    ... on Error { code message }
  }
}
${FAILURE}`;

/** The failures that the mutation's own answer has no room for. */
const moreDocument = ({ query }: ImportTarget): GatewayDocument<MoreFailures> => `query ImportFailures($id: ID!, $after: String) {
  batch: ${query}(id: $id) { allFailures(first: 100, after: $after) { nodes { ...Failure } pageInfo { hasNextPage endCursor } } }
}
${FAILURE}`;

/** The consent of a batch, as the mutation takes it. */
export interface ImportConsent {
  readonly source?: string;
  readonly at?: string;
  readonly textVersion?: string;
}

export interface SendOptions {
  readonly target: ImportTarget;
  readonly dryRun: boolean;
  /** What all rows agreed to, but those that say otherwise; null: nothing is said. */
  readonly consent: ImportConsent | null;
  /** What tells this input from others, in the idempotency key. */
  readonly source: string;
}

/** Sends a batch and gives one outcome for each of its rows. What it throws is PatientGateway's. */
export async function sendBatch(
  gateway: PatientGateway,
  batch: ImportBatch,
  { target, dryRun, consent, source }: SendOptions,
): Promise<BatchOutcome> {
  if (batch.sent.length === 0) return { batch, created: 0, failures: batch.refused, ms: null, replayed: false };
  const began = performance.now();
  // The same rows at the same place of the same input are the same call, however often they are sent.
  const place = `${source} ${batch.sent[0]!.line}`;
  const rows = `${target === CUSTOMERS ? `"consent":${JSON.stringify(consent)},` : ""}"${target.rows}":[${batch.json}]`;
  const key = `import-${createHash("sha256").update(`${place} ${rows}`).digest("hex")}`;
  const variables = `{"input":{"idempotencyKey":"${key}","dryRun":${dryRun},${rows}}}`;
  const { data } = await gateway.call(sendDocument(target), variables);
  if (!isResult(data.result)) throw notUnderstood(batch);
  if ("code" in data.result) {
    const { code, message } = data.result;
    throw new StartupError({ what: "the gateway refused a batch", cause: `${code}: ${message.replace(/\.$/, "")}`, fix: "report it" });
  }
  const failures = data.result.failuresInline ? data.result.failures : await allFailures(gateway, target, data.result.id);
  const { total, successful, failed } = data.result.summary;
  if (!failures.every((failure) => isFailure(failure, batch.sent.length))) throw notUnderstood(batch);
  const indexes = new Set(failures.map(({ index }) => index));
  if (total !== batch.sent.length || successful + failed !== total || indexes.size !== failed) {
    throw new StartupError({
      what: `the batch from line ${batch.sent[0]!.line} cannot be accounted for`,
      cause: `of ${batch.sent.length} rows the gateway tells ${successful} successful and ${failed} failed, with ${indexes.size} failures`,
      fix: "look at the batch in the gateway before the import goes on",
    });
  }
  const told = failures.map((failure) => ({ row: batch.sent[failure.index]!, failure: rowFailure(failure, batch.sent) }));
  return {
    batch,
    created: successful,
    failures: [...batch.refused, ...told].sort((a, b) => a.row.line - b.row.line),
    ms: performance.now() - began,
    replayed: data.result.replayed,
  };
}

/** Whether an answer has the form that was asked for: what stands at the address may be something else than this gateway. */
function isResult(result: unknown): boolean {
  if (typeof result !== "object" || result === null) return false;
  const { code, message, id, summary, failuresInline, failures } = result as Record<string, unknown>;
  if (code !== undefined) return typeof code === "string" && typeof message === "string";
  return typeof id === "string" && typeof summary === "object" && summary !== null && (failuresInline !== true || Array.isArray(failures));
}

function isFailure(failure: ApiFailure | null, rows: number): boolean {
  const isRow = (index: unknown) => Number.isInteger(index) && (index as number) >= 0 && (index as number) < rows;
  return typeof failure?.code === "string" && isRow(failure.index) && (failure.firstIndex === undefined || isRow(failure.firstIndex));
}

function notUnderstood({ sent }: ImportBatch): StartupError {
  return new StartupError({
    what: `the answer to the batch from line ${sent[0]!.line} cannot be understood`,
    cause: "it has another form than was asked for",
    fix: "see that the address is a gateway's, of this version",
  });
}

async function allFailures(gateway: PatientGateway, target: ImportTarget, id: string): Promise<ApiFailure[]> {
  const failures: ApiFailure[] = [];
  let after: string | null = null;
  do {
    const answer: GatewayData<MoreFailures> = await gateway.call(moreDocument(target), JSON.stringify({ id, after }));
    const page = answer.data.batch?.allFailures;
    failures.push(...(page?.nodes ?? []));
    after = page?.pageInfo.hasNextPage ? page.pageInfo.endCursor : null;
  } while (after !== null);
  return failures;
}

interface MoreFailures {
  batch: { allFailures: { nodes: ApiFailure[]; pageInfo: { hasNextPage: boolean; endCursor: string | null } } } | null;
}

/** A failure in terms of the file: its line, and the line of the row that came before. */
function rowFailure({ index, code, message, field, firstIndex, matchedOn, issues }: ApiFailure, rows: readonly SourceRow[]): RowFailure {
  const key = field ?? matchedOn;
  const named = key === undefined ? (issues ?? []).flatMap((issue) => issue.field ?? []) : [fieldName(key)];
  const text = firstIndex === undefined ? message : `line ${rows[firstIndex]!.line} has the same ${named.join()}`;
  return { code, fields: [...new Set(named)], message: `line ${rows[index]!.line}: ${text}` };
}

/** CLIENT_REF is the field clientRef. */
function fieldName(key: string): string {
  return key.toLowerCase().replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}
