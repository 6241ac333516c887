/**
 * What a request carries, and the glossary of the code base.
 *
 * - tenant: a BANK, a PROVIDER, a MERCHANT of a provider, or the OPERATOR of the gateway.
 * - mode: `SANDBOX` or `LIVE`: two separate sets of data behind the same API, chosen by the key.
 * - principal: who is calling: one API key, with its tenant, mode, audience and scopes.
 * - audience: `APP` (a bank's front end), `INTERNAL` (staff, GraphiQL), `PARTNER` (outside
 *   integrator: persisted documents only).
 * - scope: one granted capability, e.g. `customers:read`.
 * - visibility: which fields of a customer a principal may see: STANDARD < EXTENDED < SENSITIVE.
 * - withheld: a field that was asked for and that the principal may not see: null, and reported.
 * - persisted document: a GraphQL document registered for a client, called by its hash.
 * - phrase: a customer's human-sayable identity, unique on the network, assigned by the gateway.
 * - loader: a DataLoader that lives for one request.
 * - change: one write to a customer, recorded with it in the same transaction.
 * - cost: what a request takes of its key's points a minute, reckoned before it runs.
 * - audit: who read, wrote or was refused what: an entry each, linked into a chain of this process.
 */
import type { Logger } from "pino";
import type { Principal } from "./access/principal.ts";
import type { Audit } from "./audit/audit.ts";
import type { Disclosed } from "./audit/disclosed.ts";
import type { Keyring } from "./crypto/keyring.ts";
import type { Database } from "./database/client.ts";
import type { TimeBudget } from "./database/deadline.ts";
import type { Queue } from "./jobs/queue.ts";
import type { Charge } from "./limits/charge.ts";
import type { Withheld } from "./access/redaction.ts";
import type { RequestFacts } from "./telemetry/request-facts.ts";

/** What the whole process shares. */
export interface Services {
  readonly db: Database;
  readonly keyring: Keyring;
  readonly log: Logger;
  readonly audit: Audit;
  readonly queue: Pick<Queue, "send">;
  /** What the operator allows of webhooks. */
  readonly webhookRules: { readonly allowPrivate: boolean };
  /** Aborted when the process stops: what goes on and on ends then. */
  readonly stopping: AbortSignal;
}

/** What one GraphQL request carries to its resolvers. */
export interface Context extends Services {
  readonly principal: Principal;
  /** What the request costs its key. */
  readonly charge: Charge;
  /** What the request may still take of the database's time. */
  readonly budget: TimeBudget;
  readonly requestId: string;
  /** What will be told of the request in the log, the metrics and its span. */
  readonly facts: RequestFacts;
  /** The Idempotency-Key header, or null. */
  readonly idempotencyKey: string | null;
  /** Whether the request's Prefer header says respond-async. */
  readonly respondAsync: boolean;
  /** How many customers `customers` leaves out before its page: page numbers are REST's, and 0 for GraphQL, which has cursors. */
  readonly offset: number;
  /** Whether the key or token still stands, as far as this process knows: it looks once a second. For what goes on and on. */
  readonly isStillValid: () => Promise<boolean>;
  /** Aborted when the caller has gone away: what goes on and on ends then. */
  readonly gone: () => AbortSignal;
  /** Filled while executing: what was withheld, once a response path. */
  readonly withheld: Withheld;
  /** Filled while executing: what was shown above STANDARD, for the audit. */
  readonly disclosed: Disclosed;
}
