import { gatewayError } from "../graphql/errors.ts";

/** How many requests may run at once. */
export interface Capacity {
  /** Throws UNAVAILABLE when as many run as may: before a key is looked up, and before a body is read. */
  refuseIfFull(): void;
  /** Runs one; throws the same at once. */
  run<T>(work: () => Promise<T>): Promise<T>;
}

/**
 * Sheds what comes above capacity, so that what was accepted is still fast: with so many under way the next would only make
 * all of them wait. A request counts from its body's end to its answer's beginning: slow senders and readers take no place,
 * nor do streams. So it is judged twice: when it comes, and when it is about to run.
 */
export function createCapacity(max: number, onShed: () => void): Capacity {
  let running = 0;
  function refuseIfFull(): void {
    if (running < max) return;
    onShed();
    throw gatewayError("UNAVAILABLE", "The gateway has more to do than it can at the moment. Try again shortly.");
  }
  return {
    refuseIfFull,
    async run(work) {
      refuseIfFull();
      running += 1;
      try {
        return await work();
      } finally {
        running -= 1;
      }
    },
  };
}
