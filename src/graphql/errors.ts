import { GraphQLError } from "graphql";

/**
 * Every code that a top-level error can carry in `extensions.code`, with the HTTP status that goes
 * with it. Null: the status is that of GraphQL over HTTP (200 for what happens while executing, 400
 * for what stops it from starting). Source: contract §5.
 */
export const ERROR_STATUS = {
  UNAUTHENTICATED: 401,
  FORBIDDEN: 403,
  FORBIDDEN_FIELD: null,
  RATE_LIMITED: 429,
  DOCUMENT_REQUIRED: 403,
  DOCUMENT_NOT_FOUND: 404,
  COST_LIMIT_EXCEEDED: 400,
  GRAPHQL_PARSE_FAILED: null,
  GRAPHQL_VALIDATION_FAILED: null,
  BAD_USER_INPUT: null,
  BAD_CURSOR: null,
  PAYLOAD_TOO_LARGE: 413,
  UNAVAILABLE: 503,
  TIMEOUT: 504,
  INTERNAL_SERVER_ERROR: 500,
} as const satisfies Record<string, number | null>;

export type GatewayErrorCode = keyof typeof ERROR_STATUS;

const RETRY_SOON = { headers: { "retry-after": "1" } };

/** A top-level error with a code of the contract. Its message is shown to the client as it is, `http` is the answer's own. */
export function gatewayError(
  code: GatewayErrorCode,
  message: string,
  { http, ...extensions }: { http?: { status?: number; headers?: Record<string, string>; spec?: boolean }; [name: string]: unknown } = {},
): GraphQLError {
  const status = ERROR_STATUS[code];
  const ofCode = status !== null && { status, ...(code === "UNAVAILABLE" && RETRY_SOON) };
  return new GraphQLError(message, { extensions: { code, ...extensions, ...((http || ofCode) && { http: { ...http, ...ofCode } }) } });
}

/** Bad input found while executing, e.g. an argument out of its range. */
export function badUserInput(message: string, extensions?: Record<string, unknown>): GraphQLError {
  return gatewayError("BAD_USER_INPUT", message, extensions);
}

/** The principal lacks a scope. Says which, and nothing of what it would have found. */
export function forbidden(requires: string): GraphQLError {
  return gatewayError("FORBIDDEN", `This needs ${requires}.`, { requires });
}

/** Whether an error is one of ours, fit to be shown. */
export function isGatewayError(error: unknown): error is GraphQLError {
  return (
    error instanceof GraphQLError && typeof error.extensions["code"] === "string" && Object.hasOwn(ERROR_STATUS, error.extensions["code"])
  );
}
