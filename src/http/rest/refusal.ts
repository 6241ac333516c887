import type { GraphQLError } from "graphql";
import { ERROR_STATUS, type GatewayErrorCode } from "../../graphql/errors.ts";
import type { FailureCode } from "../../graphql/failure.ts";
import type { RestIssue } from "./invalid.ts";
import type { Route } from "./route.ts";

/** What a refusal's body holds. Source: the source documents, "Error Responses"; `errors` is added to 400. */
export interface Refusal {
  readonly statusCode: number;
  readonly success: false;
  readonly message: string;
  readonly errors?: readonly RestIssue[];
}

export const INVALID = "Invalid customer data";
export const NOT_FOUND = "Customer not found";

/** What GraphQL tells with 200, and what is another thing to a route than to a document. Anything else that is not in the table is 500. */
const STATUS: { readonly [Code in GatewayErrorCode]?: number } = {
  FORBIDDEN_FIELD: 403,
  DOCUMENT_NOT_FOUND: 403,
  BAD_USER_INPUT: 400,
};

const FAILURE_STATUS: { readonly [Code in FailureCode]?: number } = {
  INVALID_CUSTOMER_DATA: 400,
  INVALID_BATCH: 400,
  CUSTOMER_NOT_FOUND: 404,
  CUSTOMER_ALREADY_EXISTS: 409,
  VERSION_CONFLICT: 409,
  DEVICE_REFUSED: 409,
  IDEMPOTENCY_CONFLICT: 409,
  MERCHANT_NOT_FOUND: 404,
  MERCHANT_VERSION_CONFLICT: 409,
};

/** What a failure of a mutation is answered with. */
export function statusOfFailure(code: FailureCode): number {
  return FAILURE_STATUS[code] ?? 500;
}

/** A top-level error, thrown before a document ran or told by its result: with `extensions` as GraphQL tells them. */
type Told = Pick<GraphQLError, "message" | "extensions">;

/** What an error itself says of its answer; GraphQL's results leave it out. */
function httpOf({ extensions }: Pick<Told, "extensions">): { status?: number; headers?: Record<string, string> } {
  return extensions["http"] ?? {};
}

/** Of several errors the first decides; of a request that is wrong in several ways all are told. */
export function refusalOf(errors: readonly [Told, ...Told[]], { invalid }: Pick<Route, "invalid"> = {}): Refusal {
  const [{ message, extensions }] = errors;
  const code = extensions["code"] as GatewayErrorCode;
  const statusCode = httpOf({ extensions }).status ?? STATUS[code] ?? ERROR_STATUS[code] ?? 500;
  if (statusCode === 400) return invalidRefusal((extensions["issues"] as RestIssue[] | undefined) ?? errors.map(issueOf), invalid);
  return refusal(statusCode, code === "DOCUMENT_NOT_FOUND" ? "This route's document is not registered for this client." : message);
}

/** A member of a mutation's union that is no success. Its fields are told by the names of the route. */
export function refusalOfFailure(
  { names, invalid }: Route,
  failure: { code: FailureCode; message: string; issues?: readonly RestIssue[] },
): Refusal {
  const statusCode = statusOfFailure(failure.code);
  if (statusCode !== 400) return refusal(statusCode, failure.message);
  const issues = failure.issues ?? [{ field: null, message: failure.message }];
  return invalidRefusal(
    issues.map(({ field, message }) => ({ field: field && (names.get(field) ?? field), message })),
    invalid,
  );
}

export function refusal(statusCode: number, message: string): Refusal {
  return { statusCode, success: false, message };
}

function invalidRefusal(errors: readonly RestIssue[], invalid = INVALID): Refusal {
  return { ...refusal(400, invalid), errors };
}

/** What is wrong with a variable, of which GraphQL's text tells the place first. */
function issueOf({ message, extensions }: Told): RestIssue {
  const field = (extensions["inputPath"] as string | undefined) ?? null;
  return { field, message: field && message.startsWith(`${field}: `) ? message.slice(field.length + 2) : message };
}

/** An error that kept a document from running, as an answer. */
export function refuseError(error: GraphQLError, route?: Route): Response {
  return refuse(refusalOf([error], route), httpOf(error).headers);
}

/** A refusal as an answer. */
export function refuse(body: Refusal, headers?: HeadersInit): Response {
  const answer = Response.json(body, { status: body.statusCode, headers });
  if (body.statusCode === 401) answer.headers.set("www-authenticate", "Bearer");
  return answer;
}
