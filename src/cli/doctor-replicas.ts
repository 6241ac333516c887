import type { Config } from "../config.ts";
import { createClient } from "../database/client.ts";
import { refuseStranger } from "../database/replicas.ts";
import { StartupError } from "../startup-error.ts";
import { type Finding, ok, problemOf, warning } from "./doctor-findings.ts";

/** Whether each address of DATABASE_REPLICA_URLS is a replica of a database that can be reached. */
export async function replicaFindings({ databaseUrl, replicaUrls }: Config): Promise<Finding[]> {
  if (databaseUrl === null || replicaUrls.length === 0) return [];
  const primary = createClient({ connectionString: databaseUrl });
  try {
    return await Promise.all(replicaUrls.map((connectionString, index) => findingOf(connectionString, index + 1)));
  } finally {
    await primary.$disconnect();
  }

  async function findingOf(connectionString: string, number: number): Promise<Finding> {
    const check = `replica ${number}`;
    const db = createClient({ connectionString });
    try {
      await refuseStranger({ number, db }, primary);
      return ok(check, "follows the database");
    } catch (error) {
      if (error instanceof StartupError) return problemOf(check, error);
      return warning(check, "it cannot be reached; the primary answers until it can", "start it, or take it out of DATABASE_REPLICA_URLS");
    } finally {
      await db.$disconnect();
    }
  }
}
