import { CommanderError, Command } from "commander";
import { StartupError } from "../startup-error.ts";

/** One file a command. Only the one that is called is loaded: an import has its memory for itself, and each starts sooner. */
const COMMANDS: Record<string, () => Promise<Command>> = {
  start: async () => (await import("./start.ts")).startCommand(),
  migrate: async () => (await import("./migrate.ts")).migrateCommand(),
  doctor: async () => (await import("./doctor.ts")).doctorCommand(),
  import: async () => (await import("./import.ts")).importCommand(),
  export: async () => (await import("./export.ts")).exportCommand(),
  keys: async () => (await import("./keys.ts")).keysCommand(),
  documents: async () => (await import("./documents.ts")).documentsCommand(),
  webhooks: async () => (await import("./webhooks.ts")).webhooksCommand(),
  backup: async () => (await import("./backup.ts")).backupCommand(),
  restore: async () => (await import("./restore.ts")).restoreCommand(),
  erasures: async () => (await import("./erasures.ts")).erasuresCommand(),
  move: async () => (await import("./move.ts")).moveCommand(),
  audit: async () => (await import("./audit.ts")).auditCommand(),
};

// What an operator mends is one sentence; a fault shows its stack.
const program = new Command("customer-gateway")
  .description("A self-hosted GraphQL gateway for a bank's customers. Settings come from the environment; the README lists them.")
  .showHelpAfterError("(--help shows what there is)")
  .exitOverride();

const called = process.argv[2] ?? "";
const commands = Object.hasOwn(COMMANDS, called) ? [COMMANDS[called]!] : Object.values(COMMANDS);
for (const command of commands) program.addCommand(await command());

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode;
  else if (error instanceof StartupError) {
    console.error(error.message);
    process.exitCode = 1;
  } else throw error;
}
