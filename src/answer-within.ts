/**
 * What comes within `ms` milliseconds; rejects after. What comes later, a fault included, is nobody's. What was answered while
 * this process was busy is read before that is judged: else a process at its limit would take its own delay for the other's.
 */
export function answerWithin<T>(ms: number, answer: Promise<T>): Promise<T> {
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  const timer = setTimeout(() => setImmediate(() => reject(new Error(`no answer within ${ms} ms`))), ms);
  answer.then(resolve, reject).finally(() => clearTimeout(timer));
  return promise;
}
