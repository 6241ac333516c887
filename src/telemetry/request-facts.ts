/**
 * What may be told of one request when it is over: in its line of the log, in the metrics and in its span. It is given
 * ids, names, codes and numbers: never a path, a query, a document's text or a variable, which hold what was asked for.
 */
export class RequestFacts {
  readonly requestId: string;
  /** The route as it is described, `/v1/customers/{key}`; the path itself names a customer. */
  route = "other";
  keyId: string | null = null;
  /** The registered document that it ran. The name is null when it is none that can stand everywhere. */
  document: { readonly name: string | null; readonly hash: string } | null = null;
  /** What the caller named the operation of a document that is not registered. */
  operation: string | null = null;
  points: number | null = null;
  /** Of the errors that it was answered with, each once. */
  readonly codes = new Set<string>();

  constructor(requestId: string) {
    this.requestId = requestId;
  }
}

/** A name that is a plain identifier of sensible length, or null: it is the client's own choice, and could be anything. */
export function plainName(name: string | undefined): string | null {
  return name !== undefined && /^[A-Za-z_]\w{0,99}$/.test(name) ? name : null;
}
