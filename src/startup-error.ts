/** What an operator reads when the gateway cannot start: every part is a clause without a full stop at its end. */
export interface StartupFault {
  /** What is wrong, e.g. `the data directory /var/lib/gateway cannot be used`. */
  what: string;
  /** Why, e.g. `another process holds it`. Never a password or a customer's data. */
  cause: string;
  /** What to do about it, as an order, e.g. `stop the other process`. */
  fix: string;
}

/**
 * A failure at start-up that an operator mends: configuration, files, the state of the database.
 * Its message is the whole story in the form `what: cause. Fix: fix.`, so it is printed without a stack.
 * A fault of the program itself is never a StartupError.
 */
export class StartupError extends Error {
  override readonly name = "StartupError";
  override readonly cause: string;
  readonly fix: string;

  constructor({ what, cause, fix }: StartupFault) {
    super(`${what}: ${cause}. Fix: ${fix}.`);
    this.cause = cause;
    this.fix = fix;
  }
}
