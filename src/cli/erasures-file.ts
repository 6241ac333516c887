import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";
import { z } from "zod";
import type { ErasedCustomer } from "../database/generated/client.ts";
import { ErasureReason, Mode } from "../database/generated/enums.ts";
import { StartupError } from "../startup-error.ts";

/** A line of the file: one tombstone. */
const Tombstone = z.strictObject({
  bankId: z.string().min(1),
  mode: z.enum(Mode),
  id: z.uuid(),
  phrase: z.string().min(1),
  reason: z.enum(ErasureReason),
  actor: z.string().min(1),
  at: z.coerce.date(),
}) satisfies z.ZodType<ErasedCustomer>;

/** The last line, by which a file that was cut off shows. */
const Ending = z.strictObject({ erasures: z.number().int().min(0) });

/** Of the last line. */
export const endingLine = (erasures: number) => `${JSON.stringify({ erasures } satisfies z.infer<typeof Ending>)}\n`;

/** The tombstones of a file, as they are read. Throws StartupError, at its end at the latest, for what is no whole list. */
export async function* readErasures(path: string): AsyncGenerator<ErasedCustomer> {
  const bad = (cause: string) =>
    new StartupError({ what: `${path} cannot be applied`, cause, fix: "give a file that `erasures save` wrote" });
  let count = 0;
  let ended = false;
  try {
    for await (const line of createInterface({ input: createReadStream(path), crlfDelay: Infinity })) {
      if (ended) throw bad("it goes on after its end");
      const value = parse(line);
      const tombstone = Tombstone.safeParse(value);
      if (tombstone.success) {
        count += 1;
        yield tombstone.data;
        continue;
      }
      ended = Ending.safeParse(value).data?.erasures === count;
      if (!ended) throw bad(`its line ${count + 1} is no erasure`);
    }
  } catch (error) {
    throw (error as NodeJS.ErrnoException).syscall === undefined ? error : bad((error as NodeJS.ErrnoException).code!);
  }
  if (!ended) throw bad("it is cut off before its end");
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
