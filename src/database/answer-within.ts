/** What comes within `ms` milliseconds; rejects after. What comes later, a fault included, is nobody's. */
export function answerWithin<T>(ms: number, answer: Promise<T>): Promise<T> {
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  const timer = setTimeout(() => reject(new Error(`no answer within ${ms} ms`)), ms);
  answer.then(resolve, reject).finally(() => clearTimeout(timer));
  return promise;
}
