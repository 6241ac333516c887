import { gatewayError } from "../graphql/errors.ts";

/** How many requests may run at once, and what is counted of them. */
export interface Capacity {
  /** Runs one; throws UNAVAILABLE at once when as many run already as may. */
  run<T>(work: () => Promise<T>): Promise<T>;
}

/**
 * Sheds what comes above capacity before it is parsed, so that what was accepted is still fast: with so many under way the
 * next would only make all of them wait. A request counts from its body's end to its answer's beginning: slow senders and
 * readers take no place, nor do streams.
 */
export function createCapacity(max: number, onShed: () => void): Capacity {
  let running = 0;
  return {
    async run(work) {
      if (running >= max) {
        onShed();
        throw gatewayError("UNAVAILABLE", "The gateway has more to do than it can at the moment. Try again shortly.");
      }
      running += 1;
      try {
        return await work();
      } finally {
        running -= 1;
      }
    },
  };
}
