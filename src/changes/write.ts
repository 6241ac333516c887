import type { GraphQLResolveInfo } from "graphql";
import { hashOfDocument } from "../audit/document-hash.ts";
import { type AuditFacts, insertEntries, makeEntry } from "../audit/entry.ts";
import { auditPlace } from "../audit/place.ts";
import type { Context, Services } from "../context.ts";
import { type Transaction, transaction } from "../database/client.ts";
import type { AuditEntry } from "../database/generated/client.ts";
import { GatewayFailure } from "../graphql/failure.ts";
import { magicFailure } from "../sandbox/magic-failure.ts";
import { type Actor, GATEWAY_ACTOR } from "./record-change.ts";
import { beginTally, type Tally } from "./tally.ts";

/** Who writes by what: a mutation of a request, or a job. */
export interface Origin extends Pick<AuditFacts, "audience" | "requestId" | "documentHash"> {
  readonly actor: Actor;
  /** The mutation's or the job's name. */
  readonly operation: string;
  /** What the sandbox was asked to answer instead of writing. */
  readonly failure?: GatewayFailure | null;
}

/** What a write needs of the process. */
export type WriteServices = Pick<Services, "db" | "keyring" | "audit">;

/** A mutation of a request. */
export function originOf({ principal, requestId }: Context, info: GraphQLResolveInfo): Origin {
  return {
    actor: principal,
    audience: principal.audience,
    requestId,
    operation: info.fieldName,
    documentHash: hashOfDocument(info.operation),
    failure: magicFailure(principal, info),
  };
}

/** The gateway's own work within one bank and mode. */
export function ownWork(actor: Omit<Actor, "keyId">, operation: string): Origin {
  return { actor: { ...actor, keyId: GATEWAY_ACTOR }, operation, audience: null, requestId: null, documentHash: null };
}

/**
 * Every write: one transaction, and in it one audit entry for all that it changed, so that neither is there
 * without the other. A mutation that changed nothing leaves an entry too, and one that failed as expected is
 * noted with its code; the gateway's own work counts only when it changed something. As `transaction`, it may
 * run `fn` again.
 */
export async function write<T>({ db, keyring, audit }: WriteServices, origin: Origin, fn: (tx: Transaction) => Promise<T>): Promise<T> {
  const at = new Date();
  let entry: AuditEntry | undefined;
  try {
    if (origin.failure) throw origin.failure;
    const result = await transaction(db, async (tx) => {
      const tally = beginTally(tx);
      entry = undefined;
      const value = await fn(tx);
      if (origin.actor.keyId === GATEWAY_ACTOR && tally.isEmpty) return value;
      entry = makeEntry(keyring, { ...factsOf(origin, at, "OK"), ...countsOf(tally) });
      await insertEntries(tx, [entry]);
      return value;
    });
    if (entry) audit.committed(entry);
    return result;
  } catch (error) {
    if (error instanceof GatewayFailure && origin.actor.keyId !== GATEWAY_ACTOR) {
      const { customers: _none, count: _one, ...facts } = factsOf(origin, at, error.code);
      audit.note(facts);
    }
    throw error;
  }
}

function factsOf({ actor, operation, audience, requestId, documentHash }: Origin, at: Date, outcome: string): AuditFacts {
  const who = { ...auditPlace(actor), actor: actor.keyId, audience, requestId };
  return { ...who, at, action: "WRITE", operation, outcome, documentHash, customers: 0, count: 1, fields: [], subjects: [] };
}

function countsOf({ customers, fields, merchants, subjects }: Tally) {
  return { customers: customers.size, fields: [...fields].sort(), subjects: [...subjects, ...merchants] };
}
