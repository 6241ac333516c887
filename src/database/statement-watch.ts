import { CancellableClient } from "./deadline.ts";

/** Told of each statement's text when it begins, never of its values. Gives what is to be told of its end, or null. */
export type StatementWatch = (sql: string) => ((error: unknown) => void) | null;

/** Connections whose statements are watched, in the async context of whoever runs them. */
export function watchedClient(watch: StatementWatch): typeof CancellableClient {
  return class extends CancellableClient {
    // Called as deadline.ts says: for a promise, or with a callback as the last argument.
    override query(...parameters: any[]): any {
      const [statement] = parameters as [string | { text: string }];
      const ended = watch(typeof statement === "string" ? statement : statement.text);
      if (!ended) return super.query(...parameters);
      const callback = parameters.at(-1) as ((...results: unknown[]) => void) | undefined;
      if (typeof callback === "function") {
        return super.query(...parameters.slice(0, -1), (...results: unknown[]) => {
          ended(results[0]);
          callback(...results);
        });
      }
      return (super.query(...parameters) as Promise<unknown>).then(
        (result) => {
          ended(null);
          return result;
        },
        (error: unknown) => {
          ended(error);
          throw error;
        },
      );
    }
  };
}
