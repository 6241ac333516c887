import { availableParallelism } from "node:os";
import { z } from "zod";

/** An empty variable is one that is not set: shells and compose files make no difference. */
export const variable = <Type extends z.ZodType>(type: Type) => z.preprocess((value) => (value === "" ? undefined : value), type);

/** More would not fit the API's numbers. */
const MOST = 2_000_000_000;

/** A limit: a whole number from 1 up. */
export const limit = (fallback: number) =>
  z
    .string()
    .regex(/^[1-9]\d{0,9}$/, `must be a whole number from 1 to ${MOST}`)
    .transform(Number)
    .refine((number) => number <= MOST, `must be a whole number from 1 to ${MOST}`)
    .default(fallback);

/** A time in milliseconds: a whole number from 0 up, of ten minutes at most. */
export const milliseconds = z
  .string()
  .regex(/^\d{1,6}$/, "must be a whole number from 0 to 600000")
  .transform(Number)
  .refine((number) => number <= 600_000, "must be a whole number from 0 to 600000");

/** How long something is kept, in days: from two, more than an idempotency key lasts, to a hundred years. */
export const days = z
  .string()
  .regex(/^[1-9]\d{0,4}$/, "must be a whole number from 2 to 36500")
  .transform(Number)
  .refine((number) => number >= 2 && number <= 36_500, "must be a whole number from 2 to 36500");

/** How many processes: a whole number from 1 to 64, or `auto`, one a core. */
export const workers = z
  .string()
  .regex(/^([1-9]|[1-5]\d|6[0-4]|auto)$/, "must be a whole number from 1 to 64, or auto")
  .transform((text) => (text === "auto" ? availableParallelism() : Number(text)));

/** A TCP port. 0: any free one. */
export const port = z
  .string()
  .regex(/^\d{1,5}$/, "must be a whole number from 0 to 65535")
  .transform(Number)
  .refine((number) => number <= 65535, "must be a whole number from 0 to 65535");

/** An address of one of these schemes. */
export const address = (...schemes: [string, ...string[]]) =>
  z.string().regex(new RegExp(`^(${schemes.join("|")})://\\S+$`), `must be a ${schemes[0]}:// address`);

/** Several of them, separated by commas. */
export const addresses = (...schemes: [string, ...string[]]) =>
  z
    .string()
    .transform((text) => text.split(",").map((one) => one.trim()))
    .pipe(z.array(address(...schemes)));

/** Any JSON. */
export const json = z.string().transform(parseJson);

function parseJson(text: string, context: z.RefinementCtx): unknown {
  try {
    return JSON.parse(text);
  } catch {
    context.addIssue("must be JSON");
    return z.NEVER;
  }
}
