import type { App } from "../../../src/app.ts";
import type { AuditEntry } from "../../../src/database/generated/client.ts";
import type { TestGateway } from "../../support/gateway.ts";

/** Writes and links what is waiting, now instead of within a second. */
export async function flush(app: App): Promise<void> {
  await app.services.audit.jobs[0]!.run();
}

/** What an entry tells, without what differs each time. */
export type Told = Pick<AuditEntry, "action" | "operation" | "outcome" | "customers" | "count" | "fields">;

const told = ({ action, operation, outcome, customers, count, fields }: AuditEntry): Told => ({
  action,
  operation,
  outcome,
  customers,
  count,
  fields,
});

/** Runs a document and gives its answer and the entries that it left, those of the write first. */
export async function audited(gateway: TestGateway, key: string, document: string, variables?: object, headers?: Record<string, string>) {
  const requestId = crypto.randomUUID();
  const answer = await gateway.query(key, document, variables, { ...headers, "x-request-id": requestId });
  await flush(gateway.app);
  const rows = await gateway.app.services.db.auditEntry.findMany({ where: { requestId }, orderBy: { action: "desc" } });
  return { ...answer, rows, entries: rows.map(told) };
}
