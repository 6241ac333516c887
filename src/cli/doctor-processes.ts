import type { Config } from "../config.ts";
import { connectionsOf, isBehindPgBouncer } from "../database/client.ts";
import type { ServerFacts } from "../database/server-facts.ts";
import { type Finding, ok, warning } from "./doctor-findings.ts";

/** What the number of processes means for the database and for limits. */
export function processFindings({ databaseUrl, redisUrl, workers }: Config, { maxConnections }: ServerFacts): Finding[] {
  if (databaseUrl === null) return [];
  const wanted = workers * connectionsOf(databaseUrl);
  const says = `${wanted} at most for ${workers} process${workers > 1 ? "es" : ""}, of ${maxConnections} that the server has`;
  const findings: Finding[] = [];
  // Behind PgBouncer they are its own, of which it opens fewer.
  if (!isBehindPgBouncer(databaseUrl))
    findings.push(
      wanted <= maxConnections
        ? ok("connections", says)
        : warning(
            "connections",
            says,
            "raise max_connections, set connection_limit in DATABASE_URL or WORKERS lower, or put PgBouncer between",
          ),
    );
  if (workers > 1 && redisUrl === null)
    findings.push(warning("shared limits", `each of ${workers} processes grants each key its whole limit`, "set REDIS_URL"));
  return findings;
}
