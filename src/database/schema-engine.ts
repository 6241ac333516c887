import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import { PrismaPg } from "@prisma/adapter-pg";
import { ColumnTypeEnum, bindMigrationAwareSqlAdapterFactory, type SqlDriverAdapter } from "@prisma/driver-adapter-utils";
import type { MigrationList, SchemaEngine } from "@prisma/schema-engine-wasm";
import pg from "pg";
import { keepWasmCode } from "./keep-wasm-code.ts";
import type { Migration } from "./migrations-folder.ts";

/** Prisma's schema engine on one connection; `free()` it when done, the connection stays the caller's. */
export type { SchemaEngine };

/** What else the engine may do; nothing by default. */
export interface EngineOptions {
  /** The connection is to a throwaway database that the engine may fill with the migrations to compare them. */
  shadow?: boolean;
  /** Learns why a migration's script failed; within a transaction the engine's own error only says that it was aborted. */
  onScriptError?: (error: Error) => void;
}

/** OIDs of the types "char", one byte of the system catalogues, and text. */
const INTERNAL_CHAR = 18;
const TEXT = 25;

/** Everything counts: no table or enum is managed by somebody else. */
export const NO_FILTERS = { externalTables: [], externalEnums: [] };

/**
 * Prisma's own schema engine, the WebAssembly build that @prisma/schema-engine-wasm ships, so that
 * migrations need neither a download nor the Prisma command line. Every statement it makes goes through
 * `client`, within whatever transaction that is in.
 *
 * Loading takes about 20 ms and 5 MB: call it only when there is something to apply or to compare.
 *
 * @throws whatever pg throws if the connection is broken.
 */
export async function openSchemaEngine(client: pg.ClientBase, options: EngineOptions = {}): Promise<SchemaEngine> {
  keepWasmCode();
  const { SchemaEngine } = await loadEngine();
  const connect = () => adapterOn(client, options);
  const factory = bindMigrationAwareSqlAdapterFactory({
    provider: "postgres",
    adapterName: "@prisma/adapter-pg",
    connect,
    connectToShadowDb: async () => {
      if (!options.shadow) throw new Error("the schema engine asked for a shadow database, and this connection is none");
      return connect();
    },
  });
  // The engine's own log repeats the SQL; errors come out as exceptions anyway.
  const ignoreLog = () => {};
  return SchemaEngine.new({ datamodels: undefined }, ignoreLog, factory);
}

/** The migrations in the form the engine takes them. */
export function migrationList(baseDir: string, migrations: readonly Migration[]): MigrationList {
  return {
    baseDir,
    lockfile: { path: "migration_lock.toml", content: 'provider = "postgresql"\n' },
    shadowDbInitScript: "",
    migrationDirectories: migrations.map(({ name, sql }) => ({
      path: name,
      migrationFile: { path: "migration.sql", content: { tag: "ok", value: sql } },
    })),
  };
}

/**
 * PrismaPg on a single connection, with three differences. It knows the type "char" of the system catalogues,
 * without which comparing schemas fails ("Column type 'char' could not be deserialized"). It never opens another connection: after a lost one
 * a pool would go on outside the transaction. And it runs a script in one piece: PrismaPg cuts it at every
 * semicolon, also at those within comments, strings and function bodies.
 */
async function adapterOn(client: pg.ClientBase, { onScriptError }: EngineOptions): Promise<SqlDriverAdapter> {
  const pool = new pg.Pool();
  // The engine makes one query after the other, so these are the columns of the one just answered.
  let charColumns: number[] = [];
  pool.query = (async (query: pg.QueryArrayConfig) => {
    const result = await client.query(query);
    charColumns = result.fields.flatMap((field, column) => (field.dataTypeID === INTERNAL_CHAR ? [column] : []));
    for (const column of charColumns) result.fields[column]!.dataTypeID = TEXT;
    return result;
  }) as typeof pool.query;
  pool.connect = () => Promise.reject(new Error("the schema engine asked for a second connection"));
  const adapter = await new PrismaPg(pool, { schema: "public" }).connect();
  return {
    provider: adapter.provider,
    adapterName: adapter.adapterName,
    async queryRaw(query) {
      const result = await adapter.queryRaw(query);
      for (const column of charColumns) result.columnTypes[column] = ColumnTypeEnum.Character;
      return result;
    },
    executeRaw: (query) => adapter.executeRaw(query),
    startTransaction: (isolation) => adapter.startTransaction(isolation),
    getConnectionInfo: () => adapter.getConnectionInfo(),
    dispose: () => adapter.dispose(),
    async executeScript(script) {
      try {
        await client.query(script);
      } catch (error) {
        onScriptError?.(error as Error);
        throw error;
      }
    },
  };
}

/** TypeScript declares WebAssembly only along with the browser's whole API. */
const webAssembly = (globalThis as unknown as { WebAssembly: WasmLoader }).WebAssembly;

interface WasmLoader {
  instantiate(bytes: Uint8Array, imports: object): Promise<{ instance: { exports: { __wbindgen_start(): void } } }>;
}

let loading: Promise<typeof import("@prisma/schema-engine-wasm/schema_engine_bg")> | undefined;

/** By hand, because the package's own entry imports its .wasm as a module, which Node and bundlers treat differently. */
function loadEngine() {
  loading ??= (async () => {
    const glue = await import("@prisma/schema-engine-wasm/schema_engine_bg");
    const bytes = await readFile(
      new URL(
        "schema_engine_bg.wasm",
        pathToFileURL(createRequire(import.meta.url).resolve("@prisma/schema-engine-wasm/schema_engine_bg")),
      ),
    );
    const { instance } = await webAssembly.instantiate(bytes, { "./schema_engine_bg.js": { ...glue } });
    // Where the engine leaves word of a panic; without it the word is lost.
    Object.assign(globalThis, {
      PRISMA_WASM_PANIC_REGISTRY: {
        set_message(message: string) {
          throw new Error(`the schema engine failed: ${message}`);
        },
      },
    });
    glue.__wbg_set_wasm(instance.exports);
    instance.exports.__wbindgen_start();
    return glue;
  })();
  return loading;
}
