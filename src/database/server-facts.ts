import pg from "pg";
import { StartupError } from "../startup-error.ts";
import { findGuardFaults, type GuardFaults } from "./guards.ts";
import { schemaState, unreachable } from "./migrate.ts";
import type { SchemaState } from "./schema-state.ts";
import { countSealedData, type SealedData } from "./sealed-data.ts";

/** What `doctor` looks at in a database. */
export interface ServerFacts {
  /** E.g. `15.20`. */
  readonly version: string;
  readonly majorVersion: number;
  /** A StartupError says why the state cannot be told. */
  readonly schema: SchemaState | StartupError;
  /** Of the extensions that the tables need: those that are neither in this database nor, while it is empty, to be had. */
  readonly missingExtensions: string[];
  /** The protocol, e.g. `TLSv1.3`; null: the connection is not encrypted. */
  readonly tls: string | null;
  /** Whether the connection stays on this machine: a Unix socket or a loopback address. */
  readonly isLocal: boolean;
  /** In milliseconds, what this user's sessions start with; 0: none. */
  readonly statementTimeoutMs: number;
  /** How many connections users who are no superuser may have at once, over all databases of the server. */
  readonly maxConnections: number;
  /** Whether this user may take the role that row-level security goes by. */
  readonly mayTakeRole: boolean;
  /** Null when the tables are not this version's. */
  readonly guards: GuardFaults | null;
  /** Of the banks that were asked for: those that there are not. Empty when the tables are not this version's. */
  readonly unknownBanks: string[];
  /** Null when the tables are not this version's. */
  readonly sealed: SealedData | null;
}

const EXTENSIONS = ["pg_trgm", "btree_gin"];
const ROLE = "customer_gateway_tenant";

/** Looks at a database, and for some banks, by one connection, and changes nothing. Throws StartupError when it cannot be reached. */
export async function readServerFacts(connection: pg.PoolConfig, banks: readonly string[]): Promise<ServerFacts> {
  const client = await connect(connection);
  try {
    const schema = await schemaState(client).catch((error: unknown) => {
      if (error instanceof StartupError) return error;
      throw error;
    });
    const [server] = await rows<{ version: string; number: number; most: number; timeout: number }>(
      client,
      `SELECT current_setting('server_version') AS version, current_setting('server_version_num')::int AS number,
         current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int AS most,
         (SELECT setting::int FROM pg_settings WHERE name = 'statement_timeout') AS timeout`,
    );
    const installed = await rows<{ name: string }>(
      client,
      schema === "empty" ? "SELECT name FROM pg_available_extensions" : "SELECT extname AS name FROM pg_extension",
    );
    const [link] = await rows<{ protocol: string }>(
      client,
      "SELECT version AS protocol FROM pg_stat_ssl WHERE pid = pg_backend_pid() AND ssl",
    );
    const isCurrent = schema === "current";
    return {
      version: server!.version.split(" ")[0]!,
      majorVersion: Math.floor(server!.number / 10_000),
      schema,
      missingExtensions: EXTENSIONS.filter((name) => !installed.some((extension) => extension.name === name)),
      tls: link?.protocol ?? null,
      statementTimeoutMs: server!.timeout,
      maxConnections: server!.most,
      isLocal: isLocal(client.host),
      mayTakeRole: await mayTakeRole(client),
      guards: isCurrent ? await findGuardFaults(client) : null,
      unknownBanks: isCurrent ? await unknownBanks(client, banks) : [],
      sealed: isCurrent ? await countSealedData(client) : null,
    };
  } finally {
    await client.end();
  }
}

async function connect(connection: pg.PoolConfig): Promise<pg.Client> {
  try {
    const client = new pg.Client({ application_name: "customer-gateway doctor", connectionTimeoutMillis: 10_000, ...connection });
    client.on("error", () => {});
    await client.connect();
    return client;
  } catch (error) {
    throw unreachable(error);
  }
}

const rows = async <Row extends object>(client: pg.ClientBase, sql: string) => (await client.query<Row>(sql)).rows;

async function unknownBanks(client: pg.ClientBase, banks: readonly string[]): Promise<string[]> {
  const { rows: found } = await client.query<{ id: string }>("SELECT id FROM tenant WHERE id = ANY ($1) AND kind <> 'OPERATOR'", [banks]);
  return banks.filter((bank) => !found.some(({ id }) => id === bank));
}

/** By trying: PostgreSQL 16 has a right of its own for it, which earlier versions do not know. */
async function mayTakeRole(client: pg.ClientBase): Promise<boolean> {
  await client.query("BEGIN");
  try {
    await client.query(`SET LOCAL ROLE ${ROLE}`);
    return true;
  } catch {
    return false;
  } finally {
    await client.query("ROLLBACK");
  }
}

function isLocal(host: string): boolean {
  return host.startsWith("/") || host === "localhost" || host === "::1" || host.startsWith("127.");
}
