import type { Database } from "./client.ts";

/** A client that reads with `first`, and what fails there, in a way that `isFault` knows, with `second`. */
export function withFallback(first: Database, second: Database, isFault: (error: unknown) => boolean): Database {
  return first.$extends({
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
}
