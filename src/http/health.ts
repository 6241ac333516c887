import type { Database } from "../database/client.ts";

/** How long the database may take to answer before the gateway calls itself unready. */
const PATIENCE_MS = 2000;

/** Whether the database answers. Never rejects. */
export async function isReady(db: Database): Promise<boolean> {
  const answer = db.$queryRaw`SELECT 1`.then(
    () => true,
    () => false,
  );
  const patience = new Promise<boolean>((resolve) => setTimeout(resolve, PATIENCE_MS, false).unref());
  return Promise.race([answer, patience]);
}
