import type { Database } from "./client.ts";
import { readRows, setReader } from "./read-rows.ts";

/** A client that reads with `first`, and what fails there, in a way that `isFault` knows, with `second`. */
export function withFallback(first: Database, second: Database, isFault: (error: unknown) => boolean): Database {
  const client = first.$extends({
    query: {
      async $allOperations({ model, operation, args, query }) {
        try {
          return await query(args);
        } catch (error) {
          if (!isFault(error)) throw error;
          const calls = (model ? Reflect.get(second, model[0]!.toLowerCase() + model.slice(1)) : second) as Record<
            string,
            (args: unknown) => unknown
          >;
          return await calls[operation]!(args);
        }
      },
    },
  }) as unknown as Database;
  setReader(client, (read) =>
    readRows(first, read).catch((error: unknown) => {
      if (!isFault(error)) throw error;
      return readRows(second, read);
    }),
  );
  return client;
}
