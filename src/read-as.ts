import { type DocumentNode, execute } from "graphql";
import { createPrincipal, type Identity } from "./access/principal.ts";
import { Withheld } from "./access/redaction.ts";
import { Disclosed } from "./audit/disclosed.ts";
import { noteReads } from "./audit/note.ts";
import type { Context, Services } from "./context.ts";
import { TimeBudget } from "./database/deadline.ts";
import type { TenantDatabase } from "./database/tenant-database.ts";
import { schema } from "./graphql/schema.ts";
import { RequestFacts } from "./telemetry/request-facts.ts";
import { Charge, type Limits } from "./limits/charge.ts";

/** Runs a query as somebody who sent no request, e.g. for a webhook: what it gives is what that principal's key would be given. */
export type ReadAs = (identity: Identity, document: DocumentNode, variables: Record<string, unknown>) => Promise<Record<string, unknown>>;

/** How long one reading may take: as long as a request by default. */
const TIMEOUT_MS = 20_000;

export interface ReadAsParts {
  readonly services: Services;
  readonly tenantDatabase: TenantDatabase;
  readonly limits: Limits;
}

/** Reads through the schema, so that visibility has no second expression; what is shown is audited, and nothing is charged. Rejects with the first error. */
export function createReadAs({ services, tenantDatabase, limits }: ReadAsParts): ReadAs {
  return async (identity, document, variableValues) => {
    const principal = createPrincipal(identity, null);
    const facts = new RequestFacts(crypto.randomUUID());
    const budget = new TimeBudget(TIMEOUT_MS);
    const contextValue: Context = {
      ...services,
      principal,
      db: tenantDatabase(principal),
      charge: new Charge(limits, { id: principal.keyId, factor: 1 }),
      budget,
      requestId: facts.requestId,
      facts,
      idempotencyKey: null,
      respondAsync: false,
      offset: 0,
      isStillValid: () => Promise.resolve(true),
      gone: () => services.stopping,
      withheld: new Withheld(),
      disclosed: new Disclosed(),
    };
    const args = { schema, document, variableValues, contextValue };
    const { data, errors } = await budget.run(() => execute(args));
    if (errors) throw errors[0]!.originalError ?? errors[0]!;
    noteReads(contextValue, args);
    return data!;
  };
}
