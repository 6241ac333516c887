import { LRUCache } from "lru-cache";
import type { Principal } from "../access/principal.ts";
import { type Database, setScope, type Transaction } from "./client.ts";
import { readRows, setReader } from "./read-rows.ts";
import { entryOf, type Scope, withinScope } from "./scoped-query.ts";

/** What of a principal decides which rows there are for it. */
export type Tenancy = Pick<Principal, "tenantId" | "tenantKind" | "mode">;

/** The database as one principal may touch it. */
export type TenantDatabase = (principal: Tenancy) => Database;

/** Makes of a client one that does something around each statement of a principal. */
export type Around = (db: Database, principal: Tenancy) => Database;

/** How many banks' clients are kept; each is a thin wrapper around the one pool. */
const MAX_CLIENTS = 1000;

/**
 * With row-level security, every statement of a request runs in a transaction that has taken the role
 * `customer_gateway_tenant` and named its bank and mode, for that transaction only: right behind PgBouncer too.
 * PostgreSQL then shows no other row, whatever the query forgot. Off, the condition that every query carries
 * stands alone. Source of the policies: the migration `row_level_security`.
 */
export function createTenantDatabase(db: Database, enabled: boolean, around?: Around): TenantDatabase {
  if (!enabled && !around) return () => db;
  const clients = new LRUCache<string, Database>({ max: MAX_CLIENTS });
  return (principal) => {
    const { tenantId, tenantKind, mode } = principal;
    const key = `${tenantKind} ${mode} ${tenantId}`;
    let client = clients.get(key);
    if (!client) {
      const operator = tenantKind === "OPERATOR" ? "on" : "off";
      // The operator has no data that is kept apart by mode: its audit stands under LIVE.
      const scopedMode = tenantKind === "OPERATOR" ? "LIVE" : mode;
      const outer = around?.(db, principal) ?? db;
      client = enabled ? scopedClient(db, outer, { bank: tenantId, mode: scopedMode, operator }) : outer;
      clients.set(key, client);
    }
    return client;
  };
}

/**
 * What reads by one statement, which then enters the scope by itself. Not findUnique: Prisma makes one statement of those that
 * are asked for at the same time, whoever asks.
 */
const READS = new Set(["findFirst", "findFirstOrThrow", "findMany", "count", "aggregate", "groupBy", "$queryRaw"]);

/** A client whose every statement runs in a transaction that enters the scope; what `outer` does is around that. */
function scopedClient(db: Database, outer: Database, scope: Scope): Database {
  const { text, values } = entryOf(scope);
  const enter = (tx: Transaction | Database) => tx.$executeRawUnsafe(text, ...values);
  const client = outer.$extends({
    query: {
      async $allOperations({ operation, args, query }) {
        // Awaited within: a call of Prisma's begins only then.
        if (READS.has(operation)) return withinScope(scope, async () => (await query(args)) as unknown);
        const [, result] = await db.$transaction([enter(db), query(args) as never]);
        return result;
      },
    },
  }) as unknown as Database;
  setScope(client, { db, enter });
  setReader(client, (read) => withinScope(scope, () => readRows(outer, read)));
  return client;
}
