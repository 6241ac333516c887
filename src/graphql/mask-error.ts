import { GraphQLError } from "graphql";
import type { Logger } from "pino";
import { type DatabaseFault, databaseFault } from "../database/fault.ts";
import { describeFault } from "../telemetry/log.ts";
import { gatewayError, isGatewayError } from "./errors.ts";

/**
 * Makes every top-level error one of the contract's: ours pass; what GraphQL says of a request is given
 * a code, without the values it quotes; anything else becomes INTERNAL_SERVER_ERROR, and the log gets its
 * class and place under the request's id.
 */
export function maskError(error: unknown, log: Logger): Error {
  if (isGatewayError(error)) return error;
  if (!(error instanceof GraphQLError)) return fault(error, undefined, log);
  const { message, extensions, path, originalError } = error;
  const located = (masked: GraphQLError) => relocate(masked, error);
  if (isGatewayError(originalError)) return located(originalError);
  if (extensions["code"] === "BAD_REQUEST") {
    return gatewayError("BAD_USER_INPUT", message, { http: extensions["http"] });
  }
  if (message.startsWith("Syntax Error")) return located(gatewayError("GRAPHQL_PARSE_FAILED", message, { http: BAD_REQUEST }));
  if (!path && message.startsWith('Variable "$')) return located(variableError(message));
  if (message.startsWith('Argument "'))
    return located(gatewayError("BAD_USER_INPUT", message.replace(/ (has|got) invalid value .*/s, " has an invalid value.")));
  if (!path && !originalError) return located(gatewayError("BAD_USER_INPUT", message, { http: extensions["http"] ?? BAD_REQUEST }));
  return fault(originalError ?? error, error, log);
}

/** Refused before anything ran: 400, except to clients of the older media type, which expect 200. */
const BAD_REQUEST = { status: 400, spec: true };

/**
 * What is wrong with a variable: where, and what was expected. GraphQL's own text quotes the value, which
 * may be a person's. `index` is that of the list item it is in, e.g. the row of a batch.
 */
export function variableError(message: string): GraphQLError {
  const [, variable] = /^Variable "\$(\w*)"/.exec(message) ?? [];
  const path = / at "([^"]+)"; /.exec(message)?.[1];
  const index = path && /\[(\d+)\]/.exec(path)?.[1];
  const where = path ?? variable;
  return gatewayError("BAD_USER_INPUT", `${where}: ${expectation(message)}`, {
    inputPath: where,
    ...(index && { index: Number(index) }),
    http: BAD_REQUEST,
  });
}

function expectation(message: string): string {
  const type = /(?:; |Expected type ")([A-Za-z]+)"?(?: cannot represent|\.)/.exec(message)?.[1];
  const known =
    /Field "\w+" of required type "[^"]+" was not provided/.exec(message)?.[0] ??
    /Field "\w+" is not defined by type "\w+"/.exec(message)?.[0] ??
    /was not provided|Exactly one key must be specified[^.]*|must not be null|Expected non-nullable type "[^"]+" not to be null/.exec(
      message,
    )?.[0];
  if (known) return `${known}.`;
  if (type) return `not a valid ${type}.`;
  const enumType = /does not exist in "(\w+)" enum/.exec(message)?.[1];
  return enumType ? `not a value of ${enumType}.` : "not a valid value.";
}

function fault(cause: unknown, at: GraphQLError | undefined, log: Logger): GraphQLError {
  const code = databaseFault(cause);
  const facts = { fault: describeFault(cause), path: at?.path?.join(".") };
  if (code) log.warn({ ...facts, code }, "database fault");
  else log.error(facts, "internal fault");
  const masked = code ? gatewayError(code, SAYS[code]) : gatewayError("INTERNAL_SERVER_ERROR", "Internal server error");
  return at ? relocate(masked, at) : masked;
}

const SAYS = {
  UNAVAILABLE: "The database cannot be had at the moment. Try again shortly.",
  TIMEOUT: "The database took too long. Ask for less, or try again later.",
} satisfies Record<DatabaseFault, string>;

function relocate(error: GraphQLError, { nodes, path }: GraphQLError): GraphQLError {
  return new GraphQLError(error.message, { nodes, path, extensions: error.extensions });
}
