import { StartupError } from "../startup-error.ts";

/** Runs what reads or writes a file. What the system refuses becomes a StartupError that names the file and the code, e.g. ENOSPC. */
export function atFile<T>(path: string, verb: "read" | "written" | "removed", action: () => T): T {
  try {
    return action();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (error instanceof StartupError || code === undefined) throw error;
    throw new StartupError({
      what: `${path} cannot be ${verb}`,
      cause: code,
      fix: "make room and see that the place may be written to, or name another file with --checkpoint or --failures",
    });
  }
}
