import { defineConfig } from "prisma/config";

// `prisma generate` only reads the schema, yet it looks for the schema engine and would download one.
// Naming any existing file keeps it offline; migrations use the engine's WebAssembly build instead.
process.env["PRISMA_SCHEMA_ENGINE_BINARY"] ??= process.execPath;

export default defineConfig({
  schema: "prisma/schema.prisma",
  migrations: { path: "prisma/migrations" },
});
