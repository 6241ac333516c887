import { z } from "zod";

/** CORS_ORIGINS: origins separated by commas, or `*` for any. */
export const corsOriginsSchema = z
  .string()
  .transform((text) => text.split(",").map((entry) => entry.trim()))
  .pipe(z.array(z.string().refine(isOrigin, "must be an origin such as https://app.example.com")));

/** As browsers write it into the Origin header: scheme, host and port, without a path or a slash at the end. */
function isOrigin(text: string): boolean {
  return text === "*" || (/^https?:/.test(text) && URL.canParse(text) && new URL(text).origin === text);
}
