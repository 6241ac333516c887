/**
 * One question for all who ask at about the same time. Each is given an answer whose question was put after they asked: who comes
 * while one is on its way waits for the next, together with all others who do.
 */
export function coalesced<T>(ask: () => Promise<T>): () => Promise<T> {
  let running: Promise<unknown> = Promise.resolve();
  let next: Promise<T> | undefined;
  return () =>
    (next ??= running.then(() => {
      const answer = ask();
      running = answer.catch(() => {});
      next = undefined;
      return answer;
    }));
}
