import type { GraphQLParams } from "graphql-yoga";
import type { Authenticate } from "../access/authenticate.ts";
import { Withheld } from "../access/redaction.ts";
import { Disclosed } from "../audit/disclosed.ts";
import type { Services } from "../context.ts";
import type { TenantDatabase } from "../database/tenant-database.ts";
import type { Caller } from "./admit.ts";
import type { Capacity } from "./capacity.ts";
import type { GraphQLServer } from "./yoga.ts";
import type { HttpRequest } from "./request.ts";

/** What is run, and as which request of GraphQL over HTTP. */
export interface Run {
  readonly params: GraphQLParams & { documentId?: unknown };
  /** What Yoga sees of the request: the method, the URL and the headers that decide the form of the answer. */
  readonly as: Pick<HttpRequest, "method" | "url" | "headers">;
  /** Where a list begins that is asked for by page number. Only REST has those. */
  readonly offset?: number;
}

/**
 * Runs one document for a caller: the only way to data, whatever the route, so that what GraphQL over HTTP checks, charges,
 * counts and audits holds for all. The caller's own request says by its headers how: Idempotency-Key, Prefer.
 */
export type RunDocument = (request: HttpRequest, caller: Caller, run: Run) => Promise<Response>;

export interface RunDocumentParts {
  readonly services: Services;
  readonly tenantDatabase: TenantDatabase;
  readonly authenticate: Authenticate;
  readonly capacity: Capacity;
  readonly yoga: GraphQLServer;
}

export function createRunDocument({ services, tenantDatabase, authenticate, capacity, yoga }: RunDocumentParts): RunDocument {
  return async (request, caller, { params, as, offset = 0 }) => {
    const { headers } = request;
    return capacity.run(async () =>
      yoga(as, {
        ...services,
        ...caller,
        db: tenantDatabase(caller.principal),
        idempotencyKey: headers.get("idempotency-key"),
        respondAsync: /(^|,)\s*respond-async\s*(,|;|$)/i.test(headers.get("prefer") ?? ""),
        isStillValid: async () => (await authenticate(headers.get("authorization"))) !== null,
        gone: () => request.signal,
        offset,
        withheld: new Withheld(),
        disclosed: new Disclosed(),
        graphqlParams: params,
      }),
    );
  };
}
