import { randomUUID } from "node:crypto";
import { existsSync, linkSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { generateKeyringSecret, type Keyring, parseKeyring } from "./crypto/keyring.ts";
import { makePrivateDir } from "./database/data-dir.ts";
import { StartupError } from "./startup-error.ts";

/**
 * Development's keyring, in `<dataDir>/keyring` (mode 0600); made when it is not there. Processes that share
 * the directory share the keyring. Throws StartupError when the file cannot be read, written or understood.
 */
export function developmentKeyring(dataDir: string): Keyring {
  const path = keyringPath(dataDir);
  try {
    makePrivateDir(dataDir);
    if (!existsSync(path)) makeWhole(path, `${generateKeyringSecret()}\n`);
  } catch (error) {
    // Of two first starts at once, the second keeps what the first wrote.
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw unusable(path, error);
  }
  return read(path);
}

/** The same, or null when there is none yet. Throws StartupError when the file cannot be read or understood. */
export function findDevelopmentKeyring(dataDir: string): Keyring | null {
  const path = keyringPath(dataDir);
  return existsSync(path) ? read(path) : null;
}

const keyringPath = (dataDir: string) => join(dataDir, "keyring");

function read(path: string): Keyring {
  try {
    return parseKeyring(readFileSync(path, "utf8"));
  } catch (error) {
    throw unusable(path, error);
  }
}

/** Makes a file that nobody, not even after kill -9, finds half written. Throws EEXIST if it is there. */
function makeWhole(path: string, text: string): void {
  const draft = `${path}.${randomUUID()}`;
  try {
    writeFileSync(draft, text, { flag: "wx", mode: 0o600 });
    linkSync(draft, path);
  } finally {
    rmSync(draft, { force: true });
  }
}

function unusable(path: string, error: unknown): StartupError {
  return new StartupError({
    what: `the keyring ${path} cannot be used`,
    cause: (error as Error).message,
    fix: "restore the file from a backup, or set GATEWAY_KEYRING; without its keys, encrypted values stay unreadable",
  });
}
