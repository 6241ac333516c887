import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** One migration of the folder. */
export interface Migration {
  /** The directory's name, `<14 digits>_<words>`; the order of names is the order of applying. */
  name: string;
  /** The text of its migration.sql. */
  sql: string;
  /** SHA-256 of that text in hexadecimal, as Prisma records it in `_prisma_migrations`. */
  checksum: string;
}

/** Where this version of the gateway keeps its migrations. */
export const MIGRATIONS_DIR = fileURLToPath(new URL("../../prisma/migrations", import.meta.url));

/** The migrations in the order they are applied; none if the folder does not exist. */
export function readMigrations(dir: string = MIGRATIONS_DIR): Migration[] {
  return directoriesOf(dir)
    .sort()
    .map((name) => {
      const sql = readFileSync(join(dir, name, "migration.sql"), "utf8");
      return { name, sql, checksum: createHash("sha256").update(sql).digest("hex") };
    });
}

function directoriesOf(dir: string): string[] {
  try {
    const entries = readdirSync(dir, { withFileTypes: true });
    return entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}
