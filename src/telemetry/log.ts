import { type Logger, pino } from "pino";

/**
 * The log: JSON lines on standard error, under the request's id. It is given classes, codes, ids and
 * times, never an error's own text from the database or the server: those quote values.
 */
export function createLog(level: string): Logger {
  return pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime }, pino.destination(2));
}

/** What the log may say of a fault: its class, its code, and where in the code it arose. */
export function describeFault(error: unknown): Record<string, unknown> {
  const { code } = (error ?? {}) as { code?: unknown };
  if (!(error instanceof Error)) return { class: typeof error, ...(typeof code === "string" && { code }) };
  const stack = error.stack
    ?.split("\n")
    .filter((line) => /^\s+at /.test(line))
    .slice(0, 8)
    .map((line) => line.trim());
  return { class: error.name, ...(typeof code === "string" && { code }), stack };
}
