import pg from "pg";
import { StartupError } from "../../startup-error.ts";
import { unreachable } from "../migrate.ts";

/** PostgreSQL's: who asks may not, which is also what row-level security says that would hide rows. */
const NOT_ALLOWED = "42501";

/** What the database said, as an operator mends it: by its code, for the text may quote a value. Other errors stay what they are. */
export function refusalOf(error: unknown, what: string): unknown {
  const { code, message } = error as { code?: string; message?: string };
  if (!(error instanceof pg.DatabaseError)) {
    const isLost = message?.startsWith("Connection terminated") || /^E(CONNRESET|PIPE|TIMEDOUT)$/.test(code ?? "");
    return isLost ? unreachable(error) : error;
  }
  if (code === NOT_ALLOWED) {
    return new StartupError({
      what,
      cause: "this user may not touch every row of every table",
      fix: "name in DATABASE_URL the user who owns the tables",
    });
  }
  return new StartupError({
    what,
    cause: `PostgreSQL says ${code}`,
    fix: "see PostgreSQL's log for what it means, mend it, and try again",
  });
}
