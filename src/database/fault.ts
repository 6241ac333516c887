/** What a failure of the database means to who asked: nothing came of it, and it may be tried again. */
export type DatabaseFault = "UNAVAILABLE" | "TIMEOUT";

/** Prisma's codes. P2024 and P2028: no connection, or no transaction, became free in time; P1xxx: no server, or none that lets us in. */
const UNAVAILABLE_CODES = /^(P2024|P2028|P1\d\d\d)$/;

/**
 * Of PostgreSQL: connection lost (08), out of resources (53), the server starts, stops or ends the connection (57P), takes no
 * connections to this database (55000), or has become a standby (25006).
 */
const UNAVAILABLE_STATES = /^(08|53|57P|55000|25006)/;

/** The driver's kinds of error, where it has a name of its own for what PostgreSQL says. */
const UNAVAILABLE_KINDS = ["DatabaseNotReachable", "ConnectionClosed", "TooManyConnections", "SocketTimeout"];

/** Of PostgreSQL: statement_timeout (57014) and lock_timeout (55P03); Prisma's for a transaction that took too long. */
const TIMEOUT_STATES = /^(57014|55P03)$/;

/** pg itself throws these as they are, without a code. */
const PG_MESSAGES = /^(timeout exceeded when trying to connect|Connection terminated|Client has encountered a connection error)/;

interface DriverCause {
  readonly kind?: string;
  readonly originalCode?: string;
}

/** What Prisma and its driver adapter say of an error, wherever they put it. */
type DriverError = Error & { code?: unknown; meta?: { driverAdapterError?: Error; timeTaken?: number }; cause?: unknown };

const causeOf = ({ meta, cause }: DriverError) => (meta?.driverAdapterError?.cause ?? cause ?? {}) as DriverCause;

/** The SQLSTATE: Prisma's errors have it from the driver, pg's own as their code. Prisma's codes are none, and are like none of these. */
function stateOf(error: DriverError): string {
  const state = causeOf(error).originalCode ?? error.code;
  return typeof state === "string" ? state : "";
}

/** Of PostgreSQL: a value that cannot be (22), or that a constraint does not allow (23). */
const REFUSED_STATES = /^2[23]/;

/** The SQLSTATE with which the database refuses a value as such: tried again, it is refused again. Null: a fault of another kind. */
export function refusalState(error: unknown): string | null {
  const state = error instanceof Error ? stateOf(error) : "";
  return REFUSED_STATES.test(state) ? state : null;
}

/** Whether the database could not be had, or took too long; null: a fault of another kind. */
export function databaseFault(error: unknown): DatabaseFault | null {
  if (!(error instanceof Error)) return null;
  const { code, meta } = error as DriverError;
  const { kind = "" } = causeOf(error);
  const state = stateOf(error);
  if (TIMEOUT_STATES.test(state) || (code === "P2028" && meta?.timeTaken !== undefined)) return "TIMEOUT";
  const isUnavailable =
    (typeof code === "string" && (UNAVAILABLE_CODES.test(code) || /^E(CONNREFUSED|CONNRESET|PIPE|TIMEDOUT|HOSTUNREACH)$/.test(code))) ||
    UNAVAILABLE_STATES.test(state) ||
    UNAVAILABLE_KINDS.includes(kind) ||
    PG_MESSAGES.test(error.message);
  return isUnavailable ? "UNAVAILABLE" : null;
}

/** What the gateway itself found to have changed under a transaction: it runs again, as after a serialization failure. */
export class Conflict extends Error {}

const CONFLICT_STATES = /^40(P01|001)$/;

/**
 * Deadlock (40P01) or serialization failure (40001), or the gateway's own. The adapter calls both a TransactionWriteConflict; Prisma
 * makes P2034 of it for its own queries, wraps it in P2010 for raw ones, and passes it on bare from a COMMIT.
 */
export function isConflict(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { code, cause, meta } = error as Error & { code?: string; meta?: { driverAdapterError?: Error } };
  return (
    error instanceof Conflict ||
    code === "P2034" ||
    CONFLICT_STATES.test(stateOf(error)) ||
    isWriteConflict(cause) ||
    isWriteConflict(meta?.driverAdapterError?.cause)
  );
}

function isWriteConflict(cause: unknown): boolean {
  return (cause as { kind?: unknown } | undefined)?.kind === "TransactionWriteConflict";
}

/** Whether a read that failed on a replica may succeed on the primary: it is away, or has undone the read to go on replaying. */
export function isReplicaFault(error: unknown): boolean {
  return databaseFault(error) === "UNAVAILABLE" || isConflict(error);
}
